"""What is plugged in, what is configured, and what this user may open, joined to one table.

Guarantees: *nothing there* and *no rights* are never mixed up; every row that needs something says
what to do, with the lines to paste. Nothing is opened. Called by the `scanners` command; the
station itself opens scanners and tells their states.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Final, Literal

from hardware.binding import by_plug, is_bound_by_usb, marked
from hardware.errors import MENDS
from hardware.registry import DRIVERS
from hardware.scanner import ScannerConfig
from hardware.toml_text import toml_key, toml_value
from hardware.usb_tree import (
    USAGE_BARCODE,
    USAGE_OEM_SCANNER,
    Access,
    Device,
    DeviceKind,
    find_devices,
    may_read_and_write,
)

RowState = Literal[
    "opening", "ready", "gone", "absent", "denied", "busy", "fault",
    "config", "network", "new", "other", "refused",
]  # fmt: skip
"""Those of a configured scanner are the station's own words, and `config`: its settings name
nothing or several; `network`: known when it is opened. Of what is not configured: `new`, a
scanner; `other`, a port or keyboard that may be none; `refused`, in a mode nobody can read."""

VENDORS: Final = {
    "05e0": "Zebra (Symbol)",
    "0c2e": "Honeywell",
    "0536": "Honeywell (Hand Held Products)",
    "05f9": "Datalogic (PSC)",
    "080c": "Datalogic",
    "065a": "Opticon",
    "0720": "Keyence",
    "1eab": "Newland",
    "2dd6": "Netum",
}
"""USB vendors that make scanners and next to nothing else."""
SCANNER_WORDS: Final = ("scan", "barcode", "bar code", "imager", "symbol", "datalogic", "honeywell")

ATTENTION: Final = frozenset({"gone", "absent", "denied", "busy", "fault", "config", "refused"})
GROUPS: Final = {"serial": "dialout", "keyboard": "input"}
REPROGRAM: Final = "Reprogram it to USB-CDC (virtual COM port) or USB keyboard, with its manual."
DRIVER_OF: Final = {"serial": "serial_port", "keyboard": "evdev_wedge"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a running core knows of one of its scanners."""

    state: RowState
    sentence: str = ""
    last_scan_at: str | None = None
    counts: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scanner, or one device that could be one."""

    name: str | None
    driver: str | None
    state: RowState
    sentence: str
    port: str | None = None
    link: str | None = None
    description: str = ""
    usb_id: str | None = None
    usb_serial: str | None = None
    usb_path: str | None = None
    plugged: bool = False
    permitted: bool | None = None
    last_scan_at: str | None = None
    counts: Mapping[str, int] | None = None
    rule: str | None = None
    """The udev rule that gives the right to open it."""
    lines: tuple[str, ...] = ()
    """Settings to paste."""

    @property
    def needs_attention(self) -> bool:
        """Whether somebody must do something before this scanner scans."""
        return self.state in ATTENTION


def survey(
    configs: Iterable[ScannerConfig],
    live: Mapping[str, Live] | None = None,
    *,
    root: Path = Path("/"),
    access: Access = may_read_and_write,
) -> tuple[Row, ...]:
    """Every configured scanner in the order of the settings, then every other device.

    `live` comes from the running core, None if there is none. `root` stands for `/`.
    """
    devices = find_devices(root, access)
    rows: list[Row] = []
    taken: dict[str, str] = {}
    for config in configs:
        row = _configured(config, devices, taken, root, access)
        for node in _taken_by(config, row, devices):
            taken.setdefault(node, config.name)
        rows.append(_with_live(row, (live or {}).get(config.name)))
    names = {row.name for row in rows if row.name is not None}
    for device in devices:
        if device.node not in taken and _is_shown(device):
            name = _free_name(names) if device.kind in DRIVER_OF else ""
            names.add(name)
            rows += [_unconfigured(device, devices, name)]
    return tuple(rows)


def _taken_by(config: ScannerConfig, row: Row, devices: Iterable[Device]) -> list[str]:
    """The nodes that a configured scanner takes: where USB names it, all that its plug shows."""
    beside = marked(config, devices) if is_bound_by_usb(config) else []
    kind = _kind_read(config)
    same = [one.node for one in beside if (one.usb_path, one.kind) == (row.usb_path, kind)]
    return [node for node in (row.port, *same) if node is not None and row.plugged]


def _free_name(names: Container[str]) -> str:
    """A name for a scanner that has none in the settings."""
    return next(name for n in count(1) if (name := f"scanner-{n}") not in names)


def verdict(rows: Iterable[Row]) -> str:
    """What the whole table says, in one sentence."""
    rows = tuple(rows)
    configured = [row for row in rows if row.name is not None]
    troubled = [row for row in rows if row.needs_attention]
    new = [row for row in rows if row.state == "new"]
    if troubled:
        return f"{len(troubled)} of {len(rows)} need attention."
    if configured:
        return f"All {len(configured)} configured scanners can be opened."
    if new:
        return "No scanner is configured. Paste the lines of the one above into the settings."
    if rows:
        return "No scanner is configured, and nothing that is surely one is plugged in."
    return (
        "Nothing is plugged in: the kernel knows no serial port, no keyboard and no scanner, with "
        "rights or without. Check the cable and the USB port."
    )


def udev_rule(device: Device) -> str:
    """The udev rule that lets the group open exactly this device."""
    subsystem, kernel = ("tty", "tty*") if device.kind == "serial" else ("input", "event*")
    words = [f'SUBSYSTEM=="{subsystem}"', f'KERNEL=="{kernel}"']
    if device.usb_id is None:
        words[1] = f'KERNEL=="{Path(device.node).name}"'
    else:
        vendor, product = device.usb_id.split(":")
        words += [f'ENV{{ID_VENDOR_ID}}=="{vendor}"', f'ENV{{ID_MODEL_ID}}=="{product}"']
    if _is_plain(device.usb_serial):
        words.append(f'ENV{{ID_SERIAL_SHORT}}=="{device.usb_serial}"')
    ignored = "ID_MM_DEVICE_IGNORE" if device.kind == "serial" else "LIBINPUT_IGNORE_DEVICE"
    words += [f'GROUP="{GROUPS[device.kind]}"', 'MODE="0660"', f'ENV{{{ignored}}}="1"']
    return ", ".join(words)


def settings_lines(device: Device, devices: Iterable[Device], name: str) -> tuple[str, ...]:
    """The table to paste for a device that is not configured, bound by what stays the same."""
    lines = [f"[scanner.{toml_key(name)}]", f'driver = "{DRIVER_OF[device.kind]}"']
    twins = [other for other in devices if _looks_like(other, device)]
    by_path = ("usb_path", device.usb_path) if len(twins) > 1 else ("", None)
    pairs: list[tuple[str, str | None]]
    if device.kind == "serial" and len(twins) == 1:
        pairs = [("port", device.link or device.node)]
    else:
        pairs = [("usb_id", device.usb_id), ("usb_serial", device.usb_serial), by_path]
    lines += [f"{key} = {toml_value(value)}" for key, value in pairs if value]
    return tuple(lines)


def _looks_like(other: Device, device: Device) -> bool:
    """The same device, or one that its vendor, product and serial number cannot be told from."""
    same = (other.kind, other.usb_id, other.usb_serial) == (
        device.kind, device.usb_id, device.usb_serial,
    )  # fmt: skip
    return other.node == device.node or (device.usb_id is not None and same)


def _configured(
    config: ScannerConfig,
    devices: tuple[Device, ...],
    taken: Mapping[str, str],
    root: Path,
    access: Access,
) -> Row:
    """The row of one table of the settings."""
    if config.driver not in DRIVERS:
        said = f"There is no driver {config.driver!r}." if config.driver else "No driver is set."
        return _row(config, "config", f"{said} Use one of: {', '.join(DRIVERS)}.")
    if config.port is not None and "://" in config.port:
        return _row(config, "network", "On the network; known when it is opened.", config.port)
    if config.driver == "simulated" and config.port is None:
        return _row(config, "ready", "Simulated, in this process.")
    found = _bound(config, devices, root)
    if not found:
        return _unbound(config, root, access)
    if len(found) > 1:
        sentence = (
            f"{len(found)} devices match. Tell them apart: add usb_serial, or usb_path = "
            f'"{found[0].usb_path}" for this one.'
        )
        return _row(config, "config", sentence)
    device = found[0]
    if device.node in taken:
        sentence = f"The same device as scanner {taken[device.node]}. Bind them by usb_path."
        return _row(config, "config", sentence, device=device)
    if device.kind in ("hid", "usb"):
        return _row(config, "refused", _refusal(device), device=device)
    if not device.may_open:
        return _row(config, "denied", _denial(device), device=device)
    return _row(config, "ready", "Plugged in, and may be opened.", device=device)


def _bound(config: ScannerConfig, devices: tuple[Device, ...], root: Path) -> list[Device]:
    """The devices that the settings of a scanner mean."""
    if config.port is not None:
        node = _node_of(config.port, root)
        return [device for device in devices if node in (device.node, device.link)]
    found = marked(config, devices)
    readable = by_plug(device for device in found if device.kind == _kind_read(config))
    return [_first_denied(one) for one in readable.values()] or [
        device for device in found if device.kind in ("hid", "usb")
    ]


def _kind_read(config: ScannerConfig) -> DeviceKind:
    return "keyboard" if config.driver == "evdev_wedge" else "serial"


def _first_denied(shown: list[Device]) -> Device:
    """Of what one scanner shows the part that may not be opened, for the driver opens all of it."""
    return next((device for device in shown if not device.may_open), shown[0])


def _node_of(port: str, root: Path) -> str:
    """The device that a path leads to, below `root`."""
    path = root / port.lstrip("/")
    if not path.is_symlink():
        return port
    target = path.readlink()
    return (
        str(target)
        if target.is_absolute()
        else str(Path("/") / path.resolve().relative_to(root.resolve()))
    )


def _unbound(config: ScannerConfig, root: Path, access: Access) -> Row:
    """Nothing of the kernel's list matches: a path that is there all the same, or absent."""
    if config.port is None:
        if is_bound_by_usb(config):
            sentence = (
                "Not plugged in, or another one is. Plug it in, or correct its usb_ settings."
            )
            return _row(config, "absent", sentence)
        keys = "usb_id or usb_serial" if config.driver == "evdev_wedge" else "port"
        return _row(config, "config", f"Nothing says which device it is. Set {keys}.")
    node = root / config.port.lstrip("/")
    if not node.exists():
        return _row(config, "absent", _sentence(MENDS["absent"]), config.port)
    if not access(node):
        return _row(config, "denied", _sentence(MENDS["denied"]), config.port, plugged=True)
    return _row(config, "ready", "There, and may be opened.", config.port, plugged=True)


def _unconfigured(device: Device, devices: tuple[Device, ...], name: str) -> Row:
    config = None
    if device.kind in ("hid", "usb"):
        return _row(config, "refused", _refusal(device), device=device)
    lines = settings_lines(device, devices, name)
    if not _is_scanner(device):
        what = "serial port" if device.kind == "serial" else "keyboard"
        sentence = f"An ordinary {what}, as it seems. If it is the scanner, add these lines."
        return _row(config, "other", sentence, device=device, lines=lines)
    sentence = "Not configured. Add these lines to the settings."
    if not device.may_open:
        sentence = f"Not configured. {_denial(device)}"
    return _row(config, "new", sentence, device=device, lines=lines)


def _row(
    config: ScannerConfig | None,
    state: RowState,
    sentence: str,
    port: str | None = None,
    *,
    device: Device | None = None,
    plugged: bool = False,
    lines: tuple[str, ...] = (),
) -> Row:
    name, driver = (config.name, config.driver) if config is not None else (None, None)
    if device is None:
        return Row(
            name=name, driver=driver, state=state, sentence=sentence, port=port, plugged=plugged,
            permitted=state == "ready" if plugged else None,
        )  # fmt: skip
    readable = device.kind in DRIVER_OF
    return Row(
        name=name,
        driver=driver or DRIVER_OF.get(device.kind),
        state=state,
        sentence=sentence,
        port=device.node,
        link=device.link,
        description=device.description,
        usb_id=device.usb_id,
        usb_serial=device.usb_serial,
        usb_path=device.usb_path,
        plugged=True,
        permitted=device.may_open if readable else None,
        rule=udev_rule(device) if readable and not device.may_open else None,
        lines=lines,
    )


def _with_live(row: Row, live: Live | None) -> Row:
    """The row with what the running core knows, which has the device open and knows better."""
    if live is None:
        return row
    keeps = live.state in ("absent", "denied", "gone", "fault") and row.needs_attention
    return replace(
        row,
        state=live.state,
        sentence=row.sentence if keeps or not live.sentence else live.sentence,
        last_scan_at=live.last_scan_at,
        counts=live.counts,
    )


def _is_shown(device: Device) -> bool:
    """Everything a scanner could be; of the rest of USB only what a scanner's vendor made."""
    if device.kind == "hid":
        return _is_scanner(device) or bool(device.usage_pages & {USAGE_BARCODE, USAGE_OEM_SCANNER})
    return device.kind != "usb" or _vendor(device) in VENDORS


def _is_scanner(device: Device) -> bool:
    words = device.description.lower()
    return _vendor(device) in VENDORS or any(word in words for word in SCANNER_WORDS)


def _vendor(device: Device) -> str:
    return (device.usb_id or "").partition(":")[0].lower()


def _refusal(device: Device) -> str:
    if USAGE_BARCODE in device.usage_pages:
        return f"In HID-POS mode, which is not read. {REPROGRAM}"
    if USAGE_OEM_SCANNER in device.usage_pages:
        return f"In IBM hand-held or table-top mode, which is not read. {REPROGRAM}"
    return f"In a mode of its vendor's own (SSI, SNAPI), which is not read. {REPROGRAM}"


def _denial(device: Device) -> str:
    if not device.has_node:
        return f"The kernel knows it, but {device.node} is not there. Pass it into the container."
    group = GROUPS[device.kind]
    return (
        f"No permission to open {device.node} (group {device.group or 'unknown'}). Add this user "
        f"to group {group}: sudo usermod -aG {group} USER, then sign in again; install the rule."
    )


def _is_plain(serial: str | None) -> bool:
    return serial is not None and serial.isascii() and serial.isalnum()


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
