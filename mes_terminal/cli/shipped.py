"""Where the files that ship beside the program are: settings, the sample plant, scenarios.

In a source tree they are `config/`; an installed wheel has put them into `share/mes-terminal`.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import mes_terminal
from mes_terminal.errors import InputError


def shipped(name: str) -> Path:
    """Return the path of `config/<name>`. Raises `InputError` if it was not installed."""
    beside = Path(mes_terminal.__file__).resolve().parents[1] / "config" / name
    if beside.exists():
        return beside
    try:
        recorded = files("mes-terminal") or []
    except PackageNotFoundError:
        recorded = []
    root = ("share", "mes-terminal")
    for entry in recorded:
        parts = entry.parts
        if root[1] in parts and parts[parts.index(root[1]) - 1 : parts.index(root[1]) + 1] == root:
            depth = len(parts) - parts.index(root[1]) - 2
            found = Path(str(entry.locate())).resolve().parents[depth] / name
            if found.exists():
                return found
    raise InputError(
        f"The sample files ({name}) are not installed. Install the wheel again, or work from the "
        "source tree.",
        reason="not_shipped",
    )
