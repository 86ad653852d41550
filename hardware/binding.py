"""Which device a scanner's settings name: by USB ids, serial number, socket, or by its path.

Never by `eventN` or `ttyUSBn`, which change with every plug. Called by the drivers, and by the list
of scanners (`hardware.discovery`), so that both mean the same device.
"""

from collections.abc import Iterable
from typing import Final

from hardware.errors import ScannerError
from hardware.scanner import ScannerConfig
from hardware.usb_tree import Device, DeviceKind

MARKS: Final = ("usb_id", "usb_serial", "usb_path")


def is_bound_by_usb(config: ScannerConfig) -> bool:
    """Whether the settings name the device by what USB says of it."""
    return config.port is None and bool(_marks(config))


def marked(config: ScannerConfig, devices: Iterable[Device]) -> list[Device]:
    """Return the devices, of any kind, that have every mark of the settings; none without marks."""
    marks = _marks(config)
    return [
        one
        for one in devices
        if marks
        and all((getattr(one, mark) or "").lower() == text.lower() for mark, text in marks.items())
    ]


def by_plug(devices: Iterable[Device]) -> dict[str, list[Device]]:
    """Return the devices by the USB port they are plugged into, ports in order.

    A scanner may show several keyboards; the driver opens them all, so they are one.
    """
    plugs: dict[str, list[Device]] = {}
    for one in devices:
        plugs.setdefault(one.usb_path or one.node, []).append(one)
    return dict(sorted(plugs.items()))


def bound_nodes(
    config: ScannerConfig, kind: DeviceKind, devices: Iterable[Device]
) -> tuple[str, ...]:
    """Return the nodes of the one device that the settings name; several if it shows several.

    Raises `ScannerError`: `config` where nothing or more than one device is named, `absent` where
    it is not plugged in, `denied` where this user may not open it.
    """
    if config.port is not None:
        return (config.port,)
    if not is_bound_by_usb(config):
        raise ScannerError(
            "config",
            f"Scanner {config.name}: nothing says which device it is. Set usb_id or usb_serial; "
            "`mes-terminal scanners` prints the lines.",
        )
    found = [one for one in marked(config, devices) if one.kind == kind]
    if not found:
        raise ScannerError.of(config.name, "absent")
    plugs = list(by_plug(found))
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


def _marks(config: ScannerConfig) -> dict[str, str]:
    return {mark: text for mark in MARKS if (text := getattr(config, mark))}
