"""Which of these tests `make test` runs: those of the contract, and of the core.

The others tell whole stories, command after command, each a process of its own; they take longer
than everything else together and are run by `make test-stories` and `.ci/run`.
"""

from pathlib import Path

import pytest

ALWAYS = frozenset(
    {
        "test_cli_scan", "test_contract_database", "test_contract_recovery", "test_contract_scan",
        "test_contract_simulate", "test_contract_undo", "test_core",
    }
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the stories."""
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.stem not in ALWAYS:
            item.add_marker(pytest.mark.story)
