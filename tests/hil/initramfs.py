"""What the virtual machine's kernel starts: a small root that finds the real one, then a command.

The format is the kernel's (Documentation/driver-api/early-userspace/buffer-format.rst): cpio,
"newc", not compressed.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

BUSYBOX: Final = Path("/bin/busybox")
EARLY_MODULES: Final = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
LATE_MODULES: Final = ("evdev", "usbhid", "hid_generic", "cdc_acm", "uinput", "libcomposite")
DUMMY_PORTS: Final = 2
"""USB sockets into which a gadget can be plugged."""

INIT: Final = """#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
echo 1 > /proc/sys/kernel/printk
for module in $(cat /modules.order); do insmod "/modules/$module"; done
mount -t tmpfs -o size=75% tmpfs /over; mkdir -p /over/upper /over/work
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro,access=any root /lower \
    || poweroff -f
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work overlay /whole \
    || poweroff -f
cd /whole; mkdir -p proc sys dev run tmp lib/modules
mount --move /proc proc; mount --move /sys sys; mount --move /dev dev
mount -t tmpfs tmpfs run
mkdir run/hil; cp /start.sh run/hil/start.sh
exec switch_root /whole /bin/sh /run/hil/start.sh
"""

START: Final = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
port() {{ for it in /sys/class/virtio-ports/*; do
    [ "$(cat "$it/name")" = "$1" ] && echo "/dev/${{it##*/}}"; done; }}
out=$(port out); said=$(port said)
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
mount --bind {modules} /lib/modules
modprobe configfs; mount -t configfs configfs /sys/kernel/config
ip link set lo up
for module in {late}; do modprobe "$module"; done
modprobe dummy_hcd num={ports}
mkdir -p /run/udev/rules.d; cp {rules} /run/udev/rules.d/
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add; udevadm settle -t 30
exec >"$out" 2>&1 </dev/null
exec 3>"$said"
echo up >&3
( export {environment}; {command} )
echo $? >&3
sync; sleep 0.3
poweroff -f || echo o >/proc/sysrq-trigger
"""


def initramfs(kernel: Path, command: str, environment: Mapping[str, str]) -> bytes:
    """Return the file system that boots `kernel` (unpacked) and runs a shell command."""
    (modules,) = (kernel / "lib/modules").iterdir()
    early = in_order(modules, EARLY_MODULES)
    rules = Path(__file__).resolve().parents[2] / "config/udev/71-mes-terminal-scanners.rules"
    start = START.format(
        modules=shlex.quote(str(modules.parent)),
        late=" ".join(LATE_MODULES),
        ports=DUMMY_PORTS,
        rules=shlex.quote(str(rules)),
        environment=" ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items()),
        command=command,
    )
    folders = ("bin", "proc", "sys", "dev", "modules", "whole", "lower", "over")
    entries = [(name, 0o040755, b"") for name in folders]
    entries += [
        ("init", 0o100755, INIT.encode()),
        ("start.sh", 0o100755, start.encode()),
        ("modules.order", 0o100644, "\n".join(module.name for module in early).encode()),
        ("bin/busybox", 0o100755, BUSYBOX.read_bytes()),
    ]
    entries += [(f"modules/{module.name}", 0o100644, module.read_bytes()) for module in early]
    return cpio(entries)


def in_order(modules: Path, names: Iterable[str]) -> list[Path]:
    """Return the files of kernel modules after those they need; what is built in has none."""
    paths: dict[str, str] = {}
    needed: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        paths[Path(path).name.partition(".ko")[0].replace("-", "_")] = path
        needed[path] = rest.split()
    wanted = [paths[name] for name in names if name in paths]
    order = [each for path in wanted for each in (*reversed(needed[path]), path)]
    return [modules / path for path in dict.fromkeys(order)]


def cpio(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Return an archive of (name, mode, content)."""
    archive = bytearray()
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = "070701" + "".join(f"{value:08X}" for value in fields) + name + "\0"
        for part in (head.encode(), content):
            archive += part + b"\0" * (-len(part) % 4)
    return bytes(archive)
