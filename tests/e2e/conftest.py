"""Which of these tests `make test` runs: those of the contract, and of the core; and what is
checked of all that their processes post.

The others tell whole stories, command after command, each a process of its own; they take longer
than everything else together and are run by `make test-stories` and `.ci/run`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.posting_checks import fault_of

ALWAYS = frozenset(
    {
        "test_cli_scan", "test_contract_database", "test_contract_recovery", "test_contract_scan",
        "test_contract_simulate", "test_contract_undo", "test_core",
    }
)  # fmt: skip

NEWEST = "SELECT body FROM event WHERE outbox_seq IS NOT NULL ORDER BY event_seq DESC LIMIT 100"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.stem not in ALWAYS:
            item.add_marker(pytest.mark.story)


@pytest.fixture(autouse=True)
def postings_of_processes_keep_their_schemas(tmp_path: Path) -> Iterator[None]:
    """The newest postings of each database that a test leaves behind; one that a test damaged may
    say what it likes."""
    yield
    for path in sorted(tmp_path.rglob("*.db")):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
                rows = conn.execute(NEWEST).fetchall()
        except sqlite3.Error:
            continue
        faults = [fault for (body,) in rows if (fault := fault_of(body.encode()))]
        assert faults == []
