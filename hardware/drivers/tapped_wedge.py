"""A keyboard wedge that also keeps the keys themselves: for the set-up test, which judges them."""

from collections.abc import Callable, Iterable
from typing import Final

from hardware.drivers.evdev_wedge import EvdevWedgeScanner
from hardware.drivers.event_device import EV_KEY, EventDevice, KeyDevice, KeyEvent
from hardware.frame import ScanFrame
from hardware.scanner import ScannerConfig
from hardware.usb_tree import Device, find_devices

KEYS_MAX: Final = 32_768
"""Key events kept between two `take_keys`: eight for each byte of the longest code, two of them its
own, the others those of modifiers. What comes above that is no code."""


class TappedWedge(EvdevWedgeScanner):
    """As the wedge; `take_keys` gives what was pressed since it was last asked."""

    def __init__(
        self,
        config: ScannerConfig,
        *,
        devices: Callable[[], Iterable[Device]] = find_devices,
        open_device: Callable[[str], KeyDevice] = EventDevice,
    ) -> None:
        super().__init__(config, devices=devices, open_device=open_device)
        self._pressed: list[tuple[int, int]] = []

    def take_keys(self) -> tuple[tuple[int, int], ...]:
        """Code and value of every key event since the last call, at most `KEYS_MAX`."""
        pressed, self._pressed = self._pressed, []
        return tuple(pressed)

    def _take_event(self, number: int, event: KeyEvent) -> tuple[ScanFrame, ...]:
        if event.kind == EV_KEY and len(self._pressed) < KEYS_MAX:
            self._pressed.append((event.code, event.value))
        return super()._take_event(number, event)
