"""Which device a scanner's settings name: by USB ids, serial number, socket, or by its path.

Never by `eventN` or `ttyUSBn`, which change with every plug. Called by the drivers.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hardware.errors import ScannerError
from hardware.scanner import ScannerConfig
from hardware.usb_tree import Device, DeviceKind

MARKS: Final = ("usb_id", "usb_serial", "usb_path")


def is_bound_by_usb(config: ScannerConfig) -> bool:
    """Whether the settings name the device by what USB says of it."""
    return config.port is None and any(getattr(config, mark) for mark in MARKS)


def bound_nodes(
    config: ScannerConfig, kind: DeviceKind, devices: Iterable[Device]
) -> tuple[str, ...]:
    """Return the nodes of the one device that the settings name; several if it shows several.

    Raises `ScannerError`: `config` where nothing or more than one device is named, `absent` where
    it is not plugged in, `denied` where this user may not open it.
    """
    if config.port is not None:
        return (config.port,)
    marks = {mark: value for mark in MARKS if (value := getattr(config, mark))}
    if not marks:
        raise ScannerError(
            "config",
            f"Scanner {config.name}: nothing says which device it is. Set usb_id or usb_serial; "
            "`mes-terminal scanners` prints the lines.",
        )
    found = [one for one in devices if one.kind == kind and _has(one, marks)]
    if not found:
        raise ScannerError.of(config.name, "absent")
    plugs = sorted({one.usb_path or one.node for one in found})
    if len(plugs) > 1:
        raise ScannerError(
            "config",
            f"Scanner {config.name}: devices at {' and '.join(plugs)} look alike. "
            f'Add usb_path = "{plugs[0]}" or the other one.',
        )
    denied = [one.node for one in found if not one.may_open]
    if denied:
        raise ScannerError(
            "denied",
            f"Scanner {config.name}: no permission to open {denied[0]}. Give this user the right "
            "to open it; `mes-terminal scanners` prints the udev rule and the group.",
        )
    return tuple(one.node for one in found)


def lasting_path(node: str, devices: Iterable[Device]) -> str:
    """Return the link that stays the same over unplug and plug, else the node."""
    links = [one.link for one in devices if one.node == node and one.link]
    return links[0] if links else str(Path(node))


def _has(device: Device, marks: dict[str, str]) -> bool:
    return all(
        (getattr(device, mark) or "").lower() == value.lower() for mark, value in marks.items()
    )
