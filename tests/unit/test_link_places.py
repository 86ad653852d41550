"""Where the socket is: one place a database, short enough, nobody else's."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_terminal.errors import CoreError
from mes_terminal.link.places import SOCKET_PATH_MAX_BYTES, socket_path


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose sockets fit, wherever pytest keeps its own."""
    with tempfile.TemporaryDirectory(prefix="m", dir="/tmp") as folder:
        yield Path(folder)


def test_two_names_of_one_database_have_one_socket(short_folder: Path) -> None:
    (short_folder / "data").mkdir()
    (short_folder / "link").symlink_to(short_folder / "data")
    environment = {"XDG_RUNTIME_DIR": str(short_folder)}
    one = socket_path(short_folder / "data" / "a.db", environment)
    assert one == socket_path(short_folder / "link" / "a.db", environment)
    assert one != socket_path(short_folder / "data" / "b.db", environment)
    assert one.parent == short_folder / "mes-terminal"


def test_under_systemd_the_services_folder_is_used(short_folder: Path) -> None:
    service = short_folder / "service"
    service.mkdir(mode=0o700)
    environment = {"RUNTIME_DIRECTORY": str(service), "XDG_RUNTIME_DIR": str(short_folder)}
    assert socket_path(short_folder / "a.db", environment).parent == service


def test_a_folder_that_others_can_write_is_not_used(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_folder))
    shared = short_folder / "mes-terminal"
    shared.mkdir()
    shared.chmod(0o777)
    path = socket_path(short_folder / "a.db", {"XDG_RUNTIME_DIR": str(short_folder)})
    assert path.parent == short_folder / f"mes-terminal-{os.getuid()}"
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_long_runtime_folder_gives_way_to_a_short_one(
    tmp_path: Path, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(short_folder))
    long = tmp_path / ("n" * SOCKET_PATH_MAX_BYTES)
    long.mkdir()
    path = socket_path(tmp_path / "a.db", {"XDG_RUNTIME_DIR": str(long)})
    assert path.is_relative_to(short_folder)
    assert len(os.fsencode(path)) <= SOCKET_PATH_MAX_BYTES


def test_without_any_folder_the_mend_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(CoreError, match="XDG_RUNTIME_DIR"):
        socket_path(tmp_path / "a.db", {})
