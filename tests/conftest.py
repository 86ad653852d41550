"""What every test leaves behind as it found it."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def collector_stays_on() -> Iterator[None]:
    """A core in this process collects only between its scans; the next test has none."""
    yield
    if not gc.isenabled():
        gc.unfreeze()
        gc.enable()
