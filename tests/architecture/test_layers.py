"""The folder list is the architecture: the import contracts of pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

HEADLESS = ["mes_terminal.__main__", "mes_terminal.cli", "mes_terminal.station", "hardware"]


def test_every_import_points_down_the_layers() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("module", HEADLESS)
def test_what_runs_without_a_screen_loads_no_screen_code(module: str) -> None:
    program = (
        f"import sys, {module}; "
        "found = sorted({'textual', 'rich', 'mes_terminal.tui'} & set(sys.modules)); "
        "sys.exit(', '.join(found) or None)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, f"importing {module} loads {found.stderr.strip()}"
