"""A folder on disk to the bytes of its files: the one place where a load touches the file system.

Called by whoever runs a load: the command line or the core, both with an absolute path.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mes_terminal.errors import InputError

FILES_MAX: Final = 100
"""More files are no master-data folder but a mistake in the path."""

FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
"""A file is read whole."""


def read_folder(path: Path, instead: Mapping[str, Path] | None = None) -> dict[str, bytes]:
    """Return {file name: content} of a folder; hidden files and folders in it are left out.

    `instead`: files that take the place of the folder's own, by the names they have here. Raises
    `InputError` if there is no such folder or file, or it cannot be read.
    """
    if not path.is_dir():
        raise InputError(f"There is no folder {path}. Name the folder with the CSV files.")
    try:
        files = [one for one in sorted(path.iterdir()) if _counts(one)]
        if len(files) > FILES_MAX:
            raise InputError(f"{path} holds more than {FILES_MAX} files. Name the right folder.")
        found = {one.name: one for one in files}
        for name, given in (instead or {}).items():
            if not given.is_file():
                raise InputError(f"There is no file {given}. Name a file like {name}.")
            others = {key: one for key, one in found.items() if not one.samefile(given)}
            found = {**others, name: given}
        return {name: _read(one) for name, one in found.items()}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}. Check its rights.") from error


def _counts(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _read(path: Path) -> bytes:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InputError(f"{path} is larger than {FILE_BYTES_MAX} bytes. Split it.")
    return path.read_bytes()
