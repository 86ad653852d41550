"""What is plugged in, configured, permitted: read from a made-up tree of /sys and /dev.

The plant: a Zebra wedge on port 1-1, a Honeywell CDC scanner on 1-2, what else a test adds.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hardware.binding import bound_nodes
from hardware.discovery import Live, Row, survey, udev_rule, verdict
from hardware.errors import ScannerError
from hardware.scanner import ScannerConfig
from hardware.usb_tree import Device, find_devices, usage_pages
from mes_terminal.settings.tables import ScannerTable

KEYBOARD_KEYS = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
POWER_KEYS = "10000000000000 0"
HID_POS = bytes.fromhex("068c00 0902 a101 8502 1500 26ff00 7508 953f 0930 8102 c0")
KEYBOARD = bytes.fromhex("0501 0906 a101 0507 19e0 29e7 1500 2501 7501 9508 8102 c0")


class Tree:
    """A made-up root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.closed: set[str] = set()

    def usb(self, port: str, usb_id: str, name: str = "", serial: str = "") -> Path:
        folder = self.root / "sys/devices/pci0/usb1" / port
        folder.mkdir(parents=True)
        vendor, product = usb_id.split(":")
        self._write(folder / "idVendor", vendor)
        self._write(folder / "idProduct", product)
        if name:
            self._write(folder / "product", name)
        if serial:
            self._write(folder / "serial", serial)
        self._link(self.root / "sys/bus/usb/devices" / port, folder)
        self._link(self.root / f"sys/bus/usb/devices/{port}:1.0", folder)
        return folder

    def keyboard(self, usb: Path, node: str, keys: str = KEYBOARD_KEYS, link: str = "") -> None:
        device = usb / "input" / node.replace("event", "input")
        self._write(device / "name", "USB Keyboard")
        self._write(device / "capabilities/key", keys)
        self._link(self.root / "sys/class/input" / node / "device", device)
        self._node(f"dev/input/{node}", "dev/input/by-id", link)

    def serial(self, usb: Path | None, node: str, link: str = "", uart: str = "") -> None:
        device = (usb or self.root / "sys/devices/pnp0") / f"{node}-interface"
        device.mkdir(parents=True)
        self._link(self.root / "sys/class/tty" / node / "device", device)
        if uart:
            self._write(self.root / "sys/class/tty" / node / "type", uart)
        self._node(f"dev/{node}", "dev/serial/by-id", link)

    def hid(self, usb: Path, node: str, descriptor: bytes) -> None:
        device = usb / f"0003:{node}"
        device.mkdir(parents=True)
        (device / "report_descriptor").write_bytes(descriptor)
        self._link(self.root / "sys/class/hidraw" / node / "device", device)
        self._node(f"dev/{node}", "", "")

    def may_open(self, node: Path) -> bool:
        return str(node.relative_to(self.root)) not in self.closed

    def survey(self, *configs: ScannerConfig, **live: Live) -> tuple[Row, ...]:
        return survey(configs, live or None, root=self.root, access=self.may_open)

    def _node(self, node: str, links: str, link: str) -> None:
        self._write(self.root / node, "")
        if link:
            self._link(self.root / links / link, Path("../..") / Path(node).name)
            if node.startswith("dev/input"):
                self._link(self.root / links / link, Path("..") / Path(node).name)

    @staticmethod
    def _write(file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    @staticmethod
    def _link(link: Path, target: Path) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def plant(tree: Tree) -> Tree:
    zebra = tree.usb("1-1", "05e0:1200", "Symbol Bar Code Scanner", "S1")
    tree.keyboard(zebra, "event10", link="usb-Symbol_S1-event-kbd")
    tree.keyboard(zebra, "event11", keys=POWER_KEYS)
    honeywell = tree.usb("1-2", "0c2e:0b6a", "Xenon 1950", "H7")
    tree.serial(honeywell, "ttyACM0", link="usb-Honeywell_H7-if00")
    return tree


def wedge(name: str = "hand", **bound: Any) -> ScannerConfig:
    return ScannerConfig(name=name, driver="evdev_wedge", **bound)


def port(path: str, name: str = "line") -> ScannerConfig:
    return ScannerConfig(name=name, driver="serial_port", port=path)


def test_an_empty_machine_says_that_nothing_is_plugged_in(tree: Tree) -> None:
    rows = tree.survey()
    assert rows == ()
    assert verdict(rows).startswith("Nothing is plugged in")


def test_what_is_plugged_in_is_found_with_its_lasting_name(plant: Tree) -> None:
    found = {device.node: device for device in find_devices(plant.root, plant.may_open)}
    assert set(found) == {"/dev/ttyACM0", "/dev/input/event10"}
    assert found["/dev/ttyACM0"].link == "/dev/serial/by-id/usb-Honeywell_H7-if00"
    keyboard = found["/dev/input/event10"]
    assert keyboard.link == "/dev/input/by-id/usb-Symbol_S1-event-kbd"
    assert (keyboard.usb_id, keyboard.usb_serial, keyboard.usb_path) == ("05e0:1200", "S1", "1-1")


def test_a_device_that_is_not_configured_shows_lines_that_are_valid_settings(plant: Tree) -> None:
    rows = plant.survey()
    assert [row.state for row in rows] == ["new", "new"]
    pasted = tomllib.loads("\n".join(line for row in rows for line in row.lines))["scanner"]
    assert list(pasted) == ["scanner-1", "scanner-2"]
    for table in pasted.values():
        assert set(table) <= set(ScannerTable.__struct_fields__)
    serial, keyboard = rows
    assert 'port = "/dev/serial/by-id/usb-Honeywell_H7-if00"' in serial.lines
    assert {'usb_id = "05e0:1200"', 'usb_serial = "S1"'} <= set(keyboard.lines)


def test_the_lines_that_are_proposed_bind_the_device_they_were_proposed_for(plant: Tree) -> None:
    for row in plant.survey():
        (name, table), *_ = tomllib.loads("\n".join(row.lines))["scanner"].items()
        bound = plant.survey(ScannerConfig(name=name, **table))[0]
        assert (bound.state, bound.port) == ("ready", row.port)


def test_configured_scanners_come_first_and_are_not_listed_twice(plant: Tree) -> None:
    rows = plant.survey(port("/dev/serial/by-id/usb-Honeywell_H7-if00"), wedge(usb_serial="S1"))
    assert [(row.name, row.state, row.port) for row in rows] == [
        ("line", "ready", "/dev/ttyACM0"),
        ("hand", "ready", "/dev/input/event10"),
    ]
    assert verdict(rows) == "All 2 configured scanners can be opened."


@pytest.mark.parametrize("marks", [{"usb_id": "05E0:1200"}, {"usb_path": "1-1"}])
def test_a_wedge_is_bound_by_id_or_port_whatever_the_case(
    plant: Tree, marks: dict[str, str]
) -> None:
    assert plant.survey(wedge(**marks))[0].state == "ready"


def test_absent_is_told_from_denied(plant: Tree) -> None:
    """Wanted by the set-up: nothing there, and no rights, need different people."""
    plant.closed = {"dev/input/event10", "dev/ttyACM0"}
    denied, absent, unnamed = plant.survey(
        wedge("a", usb_serial="S1"), wedge("b", usb_serial="S2"), wedge("c")
    )[:3]
    assert (denied.state, denied.plugged, denied.permitted) == ("denied", True, False)
    assert "usermod -aG input" in denied.sentence
    assert denied.rule is not None
    assert (absent.state, absent.plugged) == ("absent", False)
    assert unnamed.state == "config"
    assert verdict(plant.survey(wedge("a", usb_serial="S1"))) == "1 of 2 need attention."


def test_no_rights_at_all_is_not_nothing_there(plant: Tree) -> None:
    plant.closed = {"dev/input/event10", "dev/ttyACM0"}
    rows = plant.survey()
    assert [row.permitted for row in rows] == [False, False]
    assert all("No permission" in row.sentence and row.rule and row.lines for row in rows)


def test_the_udev_rule_names_the_device_and_its_group(plant: Tree) -> None:
    serial, keyboard = find_devices(plant.root, plant.may_open)
    rule = udev_rule(keyboard)
    assert 'ENV{ID_VENDOR_ID}=="05e0", ENV{ID_MODEL_ID}=="1200"' in rule
    assert 'ENV{ID_SERIAL_SHORT}=="S1"' in rule
    assert 'SUBSYSTEM=="input"' in rule
    assert 'GROUP="input"' in rule
    assert 'ENV{LIBINPUT_IGNORE_DEVICE}="1"' in rule
    assert 'SUBSYSTEM=="tty"' in udev_rule(serial)
    assert 'GROUP="dialout"' in udev_rule(serial)
    assert 'ENV{ID_MM_DEVICE_IGNORE}="1"' in udev_rule(serial)


def test_a_serial_number_that_could_break_out_of_a_rule_stays_out_of_it(tree: Tree) -> None:
    odd = tree.usb("1-1", "05e0:1200", serial='x", RUN+="/bin/sh')
    tree.keyboard(odd, "event1")
    (device,) = find_devices(tree.root)
    assert "RUN" not in udev_rule(device)
    (row,) = tree.survey()
    assert tomllib.loads("\n".join(row.lines))["scanner"]["scanner-1"]["usb_serial"].startswith("x")


def test_two_equal_scanners_without_serial_number_need_their_port(tree: Tree) -> None:
    for number in (1, 2):
        tree.keyboard(tree.usb(f"1-{number}", "05e0:1200"), f"event{number}")
    ambiguous = tree.survey(wedge(usb_id="05e0:1200"))[0]
    assert ambiguous.state == "config"
    assert "usb_path" in ambiguous.sentence
    assert all('usb_path = "1-' in " ".join(row.lines) for row in tree.survey())
    one, other = tree.survey(wedge("a", usb_path="1-1"), wedge("b", usb_path="1-2"))
    assert (one.port, other.port) == ("/dev/input/event1", "/dev/input/event2")


def test_two_names_for_one_device_are_a_fault_of_the_settings(plant: Tree) -> None:
    first, second = plant.survey(wedge("a", usb_path="1-1"), wedge("b", usb_id="05e0:1200"))[:2]
    assert (first.state, second.state) == ("ready", "config")
    assert "scanner a" in second.sentence


def test_a_scanner_with_two_keyboards_is_one_device(tree: Tree) -> None:
    usb = tree.usb("1-1", "05e0:1200", serial="S1")
    tree.keyboard(usb, "event4")
    tree.keyboard(usb, "event5")
    (row,) = tree.survey(wedge(usb_serial="S1"))
    assert row.state == "ready"


def test_a_scanner_of_which_one_keyboard_is_closed_is_denied_as_its_driver_says(tree: Tree) -> None:
    """The driver opens all that one plug shows; the list must not promise more."""
    usb = tree.usb("1-1", "05e0:1200", serial="S1")
    tree.keyboard(usb, "event4")
    tree.keyboard(usb, "event5")
    for closed in ("dev/input/event4", "dev/input/event5"):
        tree.closed = {closed}
        row = tree.survey(wedge(usb_serial="S1"))[0]
        assert (row.state, row.port) == ("denied", f"/{closed}")
        devices = find_devices(tree.root, tree.may_open)
        with pytest.raises(ScannerError, match=closed) as refused:
            bound_nodes(wedge(usb_serial="S1"), "keyboard", devices)
        assert refused.value.reason == "denied"


MARKED = [
    {}, {"usb_id": "05e0:1200"}, {"usb_id": ""}, {"usb_serial": "s1"}, {"usb_serial": "S9"},
    {"usb_path": "1-2"}, {"usb_id": "05e0:1200", "usb_path": "1-3"}, {"usb_id": "0c2e:0b6a"},
]  # fmt: skip


@pytest.mark.parametrize("marks", MARKED, ids=str)
@pytest.mark.parametrize("driver", ["evdev_wedge", "serial_port"])
def test_the_list_and_the_drivers_mean_the_same_device(
    plant: Tree, driver: str, marks: dict[str, Any]
) -> None:
    """Beside the plant: a twin of its Zebra, and a wedge without serial number."""
    plant.keyboard(plant.usb("1-3", "05e0:1200", serial="S3"), "event13")
    plant.keyboard(plant.usb("1-4", "1eab:0001"), "event14")
    config = ScannerConfig(name="hand", driver=driver, **marks)
    row = plant.survey(config)[0]
    assert (row.state, row.port) == driver_says(config, find_devices(plant.root, plant.may_open))


def driver_says(config: ScannerConfig, devices: tuple[Device, ...]) -> tuple[str, str | None]:
    """The state and the node that opening it would give."""
    try:
        nodes = bound_nodes(
            config, "keyboard" if config.driver == "evdev_wedge" else "serial", devices
        )
    except ScannerError as refused:
        return refused.reason, None
    return "ready", nodes[0]


def test_a_scanner_that_is_keyboard_and_serial_port_keeps_its_port_listed(tree: Tree) -> None:
    usb = tree.usb("1-1", "05e0:1200", serial="S1")
    tree.keyboard(usb, "event4")
    tree.serial(usb, "ttyACM0")
    rows = tree.survey(wedge(usb_serial="S1"))
    assert [(row.port, row.state) for row in rows] == [
        ("/dev/input/event4", "ready"), ("/dev/ttyACM0", "new"),
    ]  # fmt: skip


def test_hid_pos_and_vendor_modes_are_refused_with_what_to_do(tree: Tree) -> None:
    tree.hid(tree.usb("1-1", "1eab:0d10", "Newland"), "hidraw0", HID_POS)
    tree.usb("1-2", "05e0:1900", "Symbol Bar Code Scanner")
    tree.hid(tree.usb("1-3", "046d:c52b", "Receiver"), "hidraw1", KEYBOARD)
    tree.usb("1-4", "8087:0024", "Hub")
    rows = tree.survey()
    assert [(row.usb_path, row.state) for row in rows] == [("1-1", "refused"), ("1-2", "refused")]
    assert "HID-POS" in rows[0].sentence
    assert "SSI" in rows[1].sentence
    assert all("Reprogram it to USB-CDC" in row.sentence for row in rows)


def test_a_configured_scanner_in_a_wrong_mode_is_refused_and_not_absent(tree: Tree) -> None:
    tree.hid(tree.usb("1-1", "0c2e:0b01", serial="H1"), "hidraw0", HID_POS)
    row = tree.survey(wedge(usb_serial="H1"))[0]
    assert (row.state, row.plugged, row.needs_attention) == ("refused", True, True)


def test_usage_pages_are_items_and_not_bytes_by_chance() -> None:
    """USB HID 1.11, 6.2.2: 8C as data of another item is no page."""
    assert usage_pages(HID_POS) == {0x8C}
    assert usage_pages(bytes.fromhex("0501 258c 150 5".replace(" ", "") + "8c")) == {0x01}
    assert usage_pages(bytes.fromhex("fe02 10 058c 0507".replace(" ", ""))) == {0x07}
    assert usage_pages(b"\x06\x8c") == {0x8C}
    assert usage_pages(b"\xfe") == frozenset()


def test_a_port_without_its_chip_and_a_virtual_terminal_are_no_ports(tree: Tree) -> None:
    tree.serial(None, "ttyS0", uart="4")
    tree.serial(None, "ttyS1", uart="0")
    (tree.root / "sys/class/tty/tty1").mkdir(parents=True)
    rows = tree.survey()
    assert [(row.port, row.state) for row in rows] == [("/dev/ttyS0", "other")]


def test_an_ordinary_keyboard_is_shown_but_not_taken_for_a_scanner(tree: Tree) -> None:
    tree.keyboard(tree.usb("1-1", "046d:c31c", "USB Keyboard"), "event0")
    (row,) = tree.survey()
    assert (row.state, row.needs_attention) == ("other", False)
    assert row.lines[1] == 'driver = "evdev_wedge"'


def test_a_device_whose_node_is_missing_says_so(tree: Tree) -> None:
    tree.serial(tree.usb("1-1", "0c2e:0b6a"), "ttyACM0")
    (tree.root / "dev/ttyACM0").unlink()
    row = tree.survey(port("/dev/ttyACM0"))[0]
    assert row.state == "denied"
    assert "container" in row.sentence


def test_a_path_that_the_kernel_does_not_list_is_there_absent_or_denied(tree: Tree) -> None:
    """A pseudo-terminal of a simulated scanner, a port of another kind."""
    (tree.root / "run").mkdir()
    (tree.root / "run/pty").write_text("")
    there, absent = tree.survey(port("/run/pty", "a"), port("/dev/ttyUSB0", "b"))
    assert (there.state, there.plugged) == ("ready", True)
    assert (absent.state, absent.plugged) == ("absent", False)
    tree.closed = {"run/pty"}
    assert tree.survey(port("/run/pty"))[0].state == "denied"


def test_network_and_simulated_scanners_are_never_missing(tree: Tree) -> None:
    rows = tree.survey(
        port("socket://10.0.0.7:2001", "fixed"), ScannerConfig(name="sim", driver="simulated")
    )
    assert [row.state for row in rows] == ["network", "ready"]
    assert not any(row.needs_attention for row in rows)


def test_the_running_core_knows_better(plant: Tree) -> None:
    live = Live(
        state="busy", sentence="Scanner hand: in use.", last_scan_at="T", counts={"reads": 3}
    )
    row = plant.survey(wedge(usb_serial="S1"), hand=live)[0]
    assert (row.state, row.sentence, row.last_scan_at) == ("busy", "Scanner hand: in use.", "T")
    assert row.counts == {"reads": 3}


def test_the_core_says_denied_and_discovery_says_what_to_do(plant: Tree) -> None:
    plant.closed = {"dev/input/event10"}
    live = Live(state="denied", sentence="Scanner hand: no permission.")
    row = plant.survey(wedge(usb_serial="S1"), hand=live)[0]
    assert row.state == "denied"
    assert "usermod" in row.sentence


def test_a_loop_of_links_ends(tree: Tree) -> None:
    loop = tree.root / "sys/class/tty/ttyACM0"
    loop.mkdir(parents=True)
    (loop / "device").symlink_to(loop)
    (loop / "loop").symlink_to(loop / "loop")
    assert find_devices(tree.root) == ()


@pytest.mark.parametrize("broken", ["zz qq", "", "ffffffffffffffffffff", "-1"])
def test_a_strange_list_of_keys_is_no_keyboard(tree: Tree, broken: str) -> None:
    tree.keyboard(tree.usb("1-1", "05e0:1200"), "event0", keys=broken)
    assert [row.state for row in tree.survey()] == ["refused"]
