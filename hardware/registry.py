"""Drivers by name. A driver's module is imported only when a scanner uses it.

Called by the station and by the command line to make the scanners of the settings.
"""

from importlib import import_module
from typing import Final

from hardware.errors import ScannerError
from hardware.scanner import Scanner, ScannerConfig

DRIVERS: Final[dict[str, tuple[str, str]]] = {
    "evdev_wedge": ("hardware.drivers.evdev_wedge", "EvdevWedgeScanner"),
    "serial_port": ("hardware.drivers.serial_port", "SerialPortScanner"),
    "simulated": ("hardware.drivers.simulated", "SimulatedScanner"),
}
"""Driver name to module and class."""


def driver_class(name: str) -> type[Scanner]:
    """The class of a driver. Raises `ScannerError` (config) if there is none of that name."""
    place = DRIVERS.get(name)
    if place is None:
        known = ", ".join(sorted(DRIVERS))
        raise ScannerError("config", f"There is no scanner driver {name!r}. Use one of: {known}.")
    found: type[Scanner] = getattr(import_module(place[0]), place[1])
    return found


def make_scanner(config: ScannerConfig) -> Scanner:
    """The scanner of one configuration, not yet opened.

    A simulated scanner with a `port` is a serial scanner on that pseudo-terminal: it is read by
    the very code that reads a real one.
    """
    name = config.driver
    if name == "simulated" and config.port is not None:
        name = "serial_port"
    return driver_class(name)(config)
