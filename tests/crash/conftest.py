"""What every test here kills."""

from collections.abc import Iterator

import pytest

from tests.crash.victims import Victims


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    process = Victims()
    yield process
    process.close()
