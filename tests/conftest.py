"""What every test leaves behind as it found it, and what is checked in all of them."""

import gc
from collections.abc import Generator, Iterator

import pytest

from tests.posting_checks import told_faults, watch


@pytest.fixture(autouse=True)
def collector_stays_on() -> Iterator[None]:
    """A core in this process collects only between its scans; the next test has none."""
    yield
    if not gc.isenabled():
        gc.unfreeze()
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def postings_keep_their_schemas() -> Iterator[None]:
    """Every posting that a test of this process makes is checked against its schema."""
    end = watch()
    yield
    end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Fail a test that made a posting that breaks its schema."""
    yield
    faults = told_faults()
    assert faults is None, faults
