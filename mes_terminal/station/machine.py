"""What can be told apart of the machine and the disk that a file is on, without any right.

Nothing here survives into a clone that runs elsewhere, and nothing of it changes by a restart:
names and numbers that the kernel gives anew each time are not looked at. Values are hashed, so that
the database holds no serial number and no machine id. Linux; elsewhere nothing is known.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Marks = dict[str, list[str]]
"""Values by part: `machine`, `board`, `disks`, `networks`. A part that cannot be read is not there;
two machines differ where a part that both have has no value in common."""

SYS: Final = Path("/sys")
MACHINE_ID: Final = Path("/etc/machine-id")
MOUNTS: Final = Path("/proc/self/mountinfo")
BOARDS: Final = (
    Path("/proc/device-tree/serial-number"),
    SYS / "class/dmi/id/product_uuid",  # root only
)
DISK_IDS: Final = ("wwid", "device/wwid", "device/cid", "device/serial", "serial")
DISKS_DEEP_MAX: Final = 8
"""Layers of volumes above a disk."""
NETWORKS_MAX: Final = 16
PERMANENT: Final = "0"
"""`addr_assign_type` of an address that the hardware has."""
GIVEN_ANEW: Final = "00:15:5d"
"""Addresses of Hyper-V: some of its guests get another one with each start."""
STEADY_FILESYSTEMS: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "ntfs3", "nfs",
     "nfs4", "overlay", "tmpfs", "virtiofs"}
)  # fmt: skip
"""Where a file's number stays when the disk is mounted again; FAT makes them up."""
_GET_VERSION: Final = 0x80087601
"""`FS_IOC_GETVERSION`: what tells a file from an earlier one that had its number."""
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def machine_marks(path: Path) -> Marks:
    """Return the marks of this machine and of the disk that holds `path`."""
    found = {
        "machine": [_text(MACHINE_ID)],
        "board": [_text(board).strip("\0") for board in BOARDS],
        "disks": _disks(path),
        "networks": _networks(),
    }
    marks = {
        part: sorted(
            {_hashed(part, value) for value in values if value not in ("", "uninitialized")}
        )
        for part, values in found.items()
    }
    return {part: values for part, values in marks.items() if values}


def file_mark(path: Path) -> str | None:
    """Return what tells this very file from every copy of it; `None` where nothing does.

    Renaming and moving on the same disk leaves it, a restart too.
    """
    filesystem, _ = _mount_of(path)
    if filesystem not in STEADY_FILESYSTEMS:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        number = os.fstat(descriptor).st_ino
        version = bytearray(8)
        with contextlib.suppress(OSError):
            fcntl.ioctl(descriptor, _GET_VERSION, version)
        return f"{number}.{version.hex()}"
    finally:
        os.close(descriptor)


def _hashed(part: str, value: str) -> str:
    return hashlib.sha256(f"mes-terminal {part} {value}".encode()).hexdigest()[:16]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _networks() -> Iterator[str]:
    """Yield the hardware addresses of network cards, not of what software makes."""
    for card in _below(SYS / "class/net"):
        address = _text(card / "address")
        is_card = (card / "device").exists() and _text(card / "addr_assign_type") == PERMANENT
        if is_card and address.strip("0:") and not address.startswith(GIVEN_ANEW):
            yield address


def _disks(path: Path) -> list[str]:
    """Return the serial numbers of the disks that `path` is on, as their makers gave them."""
    _, source = _mount_of(path)
    try:
        device = Path(source).stat().st_rdev if source.startswith("/dev/") else 0
        device = device or path.stat().st_dev
    except OSError:
        return []
    block = SYS / f"dev/block/{os.major(device)}:{os.minor(device)}"
    return list(_ids_of(block.resolve(), DISKS_DEEP_MAX))


def _ids_of(block: Path, deep: int) -> Iterator[str]:
    if (block / "partition").exists():
        block = block.parent
    found = next((text for name in DISK_IDS if (text := _text(block / name))), None)
    if found is not None:
        yield found
    elif deep:
        for below in _below(block / "slaves"):
            yield from _ids_of(below.resolve(), deep - 1)


def _below(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _mount_of(path: Path) -> tuple[str, str]:
    """Return the kind and the source of the file system that holds `path`; empty if unknown."""
    kind, source, longest = "", "", -1
    for line in _text(MOUNTS).splitlines():
        front, _, back = line.partition(" - ")
        fields, told = front.split(), back.split()
        if len(fields) < 5 or len(told) < 2:
            continue
        point = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= longest:  # a later one covers it
            kind, source, longest = told[0], told[1], len(point.parts)
    return kind, source
