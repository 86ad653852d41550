"""What the kernel says is plugged in, read from /sys: no rights needed, nothing opened.

`root` stands for `/`, so that a made-up tree can be read. Serial ports, keyboards, HID devices and
USB devices with no driver are all found here, also those that this user may not open: that is how
*nothing there* is told from *no rights*. Called by `hardware.discovery`.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

DeviceKind = Literal["serial", "keyboard", "hid", "usb"]
"""`serial`: a port. `keyboard`: types. `hid`, `usb`: neither, so it cannot be read."""

USAGE_BARCODE: Final = 0x8C
"""HID Point of Sale Usage Tables 1.02, page 3: the page of bar code scanners."""
USAGE_OEM_SCANNER: Final = 0xFF45
"""The page that IBM's own point-of-sale scanners (hand-held, table-top) use."""
KEY_ENTER: Final = 28
KEYS_DIGITS: Final = range(2, 12)
DEPTH_MAX: Final = 32
"""Folders between a device and its USB port; more is a loop."""
DESCRIPTOR_MAX_BYTES: Final = 4096
"""As long as the kernel lets a report descriptor be."""

Access = Callable[[Path], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One thing the kernel knows."""

    kind: DeviceKind
    node: str
    """Where it is opened: `/dev/ttyACM0`; a `usb` device has its place in /sys instead."""
    description: str = ""
    link: str | None = None
    """The name that stays: `/dev/serial/by-id/…`, `/dev/input/by-id/…`."""
    usb_id: str | None = None
    usb_serial: str | None = None
    usb_path: str | None = None
    """The port it is plugged into: `1-1.4`."""
    has_node: bool = True
    may_open: bool = True
    group: str | None = None
    """The group that may open it."""
    usage_pages: frozenset[int] = frozenset()


def may_read_and_write(node: Path) -> bool:
    """Whether this user may open a device."""
    return os.access(node, os.R_OK | os.W_OK)


def find_devices(root: Path = Path("/"), access: Access = may_read_and_write) -> tuple[Device, ...]:
    """Every serial port, keyboard, HID device and unused USB device, in a fixed order."""
    found = [*_serial_ports(root, access), *_keyboards(root, access)]
    found += _hids(root, access, found)
    used = {device.usb_path for device in found}
    return (*found, *(device for device in _usb_devices(root) if device.usb_path not in used))


def usage_pages(descriptor: bytes) -> frozenset[int]:
    """The usage pages of a HID report descriptor (USB HID 1.11, 6.2.2)."""
    pages = set()
    position = 0
    while position < len(descriptor):
        head = descriptor[position]
        if head == 0xFE:  # a long item: its length is the next byte
            length = descriptor[position + 1] if position + 1 < len(descriptor) else 0
            position += 3 + length
            continue
        length = (0, 1, 2, 4)[head & 0x03]
        if head & 0xFC == 0x04:
            value = int.from_bytes(descriptor[position + 1 : position + 1 + length], "little")
            pages.add(value & 0xFFFF)
        position += 1 + length
    return frozenset(pages)


def _serial_ports(root: Path, access: Access) -> Iterator[Device]:
    links = _links(root, "dev/serial/by-id")
    for entry in _entries(root / "sys/class/tty"):
        if not (entry / "device").exists() or _text(entry / "type") == "0":
            continue  # a virtual terminal, or a port without its chip
        usb = _usb_folder(root, entry / "device")
        if usb is None and not entry.name.startswith(("ttyS", "ttyAMA", "ttyO")):
            continue
        yield _device("serial", root, f"/dev/{entry.name}", access, links, usb)


def _keyboards(root: Path, access: Access) -> Iterator[Device]:
    links = _links(root, "dev/input/by-id")
    for entry in _entries(root / "sys/class/input"):
        device = entry / "device"
        keys = _bits(_text(device / "capabilities/key"))
        types = KEY_ENTER in keys and keys.issuperset(KEYS_DIGITS)
        if not entry.name.startswith("event") or not types:
            continue
        usb = _usb_folder(root, device)
        name = _text(device / "name")
        yield _device("keyboard", root, f"/dev/input/{entry.name}", access, links, usb, name)


def _hids(root: Path, access: Access, found: Iterable[Device]) -> Iterator[Device]:
    """HID devices that are read in no other way."""
    readable = {device.usb_path for device in found}
    for entry in _entries(root / "sys/class/hidraw"):
        usb = _usb_folder(root, entry / "device")
        if usb is None or usb.name in readable:
            continue
        pages = usage_pages(_bytes(entry / "device/report_descriptor"))
        yield _device("hid", root, f"/dev/{entry.name}", access, {}, usb, pages=pages)


def _usb_devices(root: Path) -> Iterator[Device]:
    for entry in _entries(root / "sys/bus/usb/devices"):
        if re.fullmatch(r"[0-9]+-[0-9.]+", entry.name) and (entry / "idVendor").exists():
            yield _device("usb", root, f"/sys/bus/usb/devices/{entry.name}", None, {}, entry)


def _device(
    kind: DeviceKind,
    root: Path,
    node: str,
    access: Access | None,
    links: dict[str, str],
    usb: Path | None,
    name: str = "",
    pages: frozenset[int] = frozenset(),
) -> Device:
    path = root / node.lstrip("/")
    there = path.exists()
    words = [] if usb is None else [_text(usb / "manufacturer"), _text(usb / "product")]
    return Device(
        kind=kind,
        node=node,
        description=" ".join(word for word in words if word) or name,
        link=links.get(node),
        usb_id=None if usb is None else f"{_text(usb / 'idVendor')}:{_text(usb / 'idProduct')}",
        usb_serial=None if usb is None else _text(usb / "serial") or None,
        usb_path=None if usb is None else usb.name,
        has_node=there,
        may_open=access is None or (there and access(path)),
        group=_group(path) if there else None,
        usage_pages=pages,
    )


def _usb_folder(root: Path, device: Path) -> Path | None:
    """The USB device that a device of the kernel belongs to; None if it is not on USB."""
    folder = device.resolve()
    top = root.resolve()
    for _ in range(DEPTH_MAX):
        if (folder / "idVendor").exists():
            return folder
        if folder in (top, folder.parent):
            return None
        folder = folder.parent
    return None


def _links(root: Path, folder: str) -> dict[str, str]:
    """Node to the lasting link that leads to it."""
    found = {}
    for link in _entries(root / folder):
        target = os.path.normpath(Path("/", folder) / link.readlink()) if link.is_symlink() else ""
        found[target] = f"/{folder}/{link.name}"
    return found


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, event2 before event10; nothing if it cannot be looked into."""
    try:
        return sorted(folder.iterdir(), key=lambda path: _natural(path.name))
    except OSError:
        return []


def _natural(name: str) -> tuple[tuple[str, int], ...]:
    return tuple((word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", name))


def _bits(words: str) -> frozenset[int]:
    """The numbers of the bits set in the kernel's list of words, highest word first."""
    bits: set[int] = set()
    for position, word in enumerate(reversed(words.split())):
        value = int(word, 16) if re.fullmatch(r"[0-9a-fA-F]{1,16}", word) else 0
        bits.update(position * 64 + bit for bit in range(64) if value >> bit & 1)
    return frozenset(bits)


def _text(file: Path) -> str:
    return _bytes(file).decode("utf-8", "replace").strip()


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(DESCRIPTOR_MAX_BYTES)
    except OSError:
        return b""


def _group(node: Path) -> str | None:
    try:
        return node.group()
    except (OSError, KeyError):
        return None
