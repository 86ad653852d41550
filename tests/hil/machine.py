"""The virtual machine: a Debian kernel in QEMU with this machine's own files, for real USB.

    python -m tests.hil.machine COMMAND…

boots it, runs the command in it, in this folder, prints what it prints and exits as it does. The
guest's root is this machine's, read-only below a throw-away overlay. No KVM is needed, nor root
once the packages are there; as root on Debian what is missing is installed. The kernel is unpacked
into a cache, never installed. Where all this cannot be had it says why and exits with `NO_MACHINE`.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.hil.initramfs import initramfs

ROOT: Final = Path(__file__).resolve().parents[2]
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mes-terminal-hil"
PACKAGES: Final = {
    "qemu-system-x86": "/usr/bin/qemu-system-x86_64",
    "kmod": "/sbin/depmod",
    "busybox-static": "/bin/busybox",
    "udev": "/lib/systemd/systemd-udevd",
}
"""Debian's packages, each with the file that shows it is there."""
NO_MACHINE: Final = 69
"""Exit code (`EX_UNAVAILABLE` of sysexits.h) where no machine can be had."""
DIED: Final = 70
"""Exit code when the machine died, or did not come up, twice."""
OUT_OF_TIME: Final = 124
BOOTS_MAX: Final = 2
BOOT_MAX_S: Final = 150.0
RUN_MAX_S: Final = 900.0
POLL_S: Final = 0.05

UP: Final = "up"
"""What the guest says, in the file its exit code goes to, when it has come up."""


class NoMachineError(Exception):
    """No virtual machine can be had here; the text says why."""


def main(command: list[str]) -> int:
    """Run a command in the machine and return its exit code."""
    try:
        kernel = unpacked_kernel()
    except NoMachineError as error:
        print(f"The virtual machine cannot be had: {error}", file=sys.stderr)  # noqa: T201
        return NO_MACHINE
    for _ in range(BOOTS_MAX):
        with tempfile.TemporaryDirectory(prefix="hil-") as folder:
            code = boot(kernel, command, Path(folder))
        if code is not None:
            return code
        print("The virtual machine did not come up.", file=sys.stderr)  # noqa: T201
    return DIED


def unpacked_kernel() -> Path:
    """Return the folder of a kernel with its modules. Raises `NoMachineError`."""
    if platform.machine() != "x86_64" or not Path("/etc/debian_version").exists():
        raise NoMachineError("it needs Debian on x86_64.")
    missing = [package for package, file in PACKAGES.items() if not Path(file).exists()]
    if missing:
        install(missing)
    ready = CACHE / "kernel"
    if not ready.exists():
        unpack(ready)
    return ready


def install(packages: Iterable[str]) -> None:
    """Install packages. Raises `NoMachineError`."""
    names = " ".join(packages)
    if os.geteuid() != 0:
        raise NoMachineError(f"install these packages first: {names}.")
    quiet = ["-y", "-qq", "--no-install-recommends"]
    did = _apt("update", "-qq") or _apt("install", *quiet, *names.split())
    if did:
        raise NoMachineError(f"{names}: {did}")


def unpack(ready: Path) -> None:
    """Fetch Debian's newest kernel and unpack it. Raises `NoMachineError`."""
    listed = _output("apt-cache", "depends", "linux-image-amd64")
    names = [line.split()[-1] for line in listed.splitlines() if "Depends:" in line]
    if not names:
        raise NoMachineError("apt knows no kernel (linux-image-amd64). Run apt-get update.")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as text:
        folder = Path(text)
        did = _apt("download", "-q", names[0], cwd=folder)
        if did:
            raise NoMachineError(f"{names[0]}: {did}")
        (package,) = folder.glob("*.deb")
        _output("dpkg", "-x", str(package), str(folder / "kernel"))
        (release,) = (folder / "kernel/lib/modules").iterdir()
        _output("/sbin/depmod", "-b", str(folder / "kernel"), release.name)
        shutil.move(folder / "kernel", ready)


def boot(kernel: Path, command: list[str], folder: Path) -> int | None:
    """Boot once and run the command; `None` if the machine did not come up."""
    shell = f"cd {shlex.quote(str(ROOT))} && {shlex.join(command)}"
    (folder / "initrd").write_bytes(initramfs(kernel, shell, environment()))
    said, console, out = folder / "said", folder / "console", folder / "out"
    with (folder / "errors").open("wb") as errors, out.open("wb+") as printed:
        began_s = time.monotonic()
        process = subprocess.Popen(machine(kernel, folder), stdin=subprocess.DEVNULL, stderr=errors)
        up = False
        try:
            while process.poll() is None:
                time.sleep(POLL_S)
                took_s = time.monotonic() - began_s
                if not up and _text(said).startswith(UP):
                    up = True
                    print(f"The virtual machine is up after {took_s:.0f} s.", flush=True)  # noqa: T201
                os.write(1, printed.read())
                if took_s > (RUN_MAX_S if up else BOOT_MAX_S):
                    break
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        os.write(1, printed.read())
    words = _text(said).split()
    if len(words) == 2:
        return int(words[1])
    print(_text(folder / "errors") + _text(console)[-2000:], file=sys.stderr)  # noqa: T201
    if not up:
        return None
    return OUT_OF_TIME if process.returncode < 0 else DIED


def environment() -> dict[str, str]:
    """What the guest's command gets of this environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"MES_TERMINAL_HIL": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def machine(kernel: Path, folder: Path) -> list[str]:
    """QEMU's command line: two processors, this machine's files, nothing else plugged in."""
    (image,) = (kernel / "boot").glob("vmlinuz-*")
    parts = {
        "M": ["pc"],
        "accel": ["tcg,thread=multi"],
        "cpu": ["max"],
        "smp": ["2"],
        "m": ["1024"],
        "display": ["none"],
        "vga": ["std"],
        "kernel": [str(image)],
        "initrd": [str(folder / "initrd")],
        "append": [
            "console=ttyS0 quiet panic=-1 nokaslr mitigations=off random.trust_cpu=1 "
            "tsc=reliable rdinit=/init"
        ],
        "serial": [f"file:{folder}/console"],
        "fsdev": ["local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"],
        "chardev": [f"file,id={name},path={folder}/{name}" for name in ("out", "said")],
        "device": [
            "virtio-9p-pci,fsdev=root,mount_tag=root",
            "virtio-serial-pci",
            "virtserialport,chardev=out,name=out",
            "virtserialport,chardev=said,name=said",
            "virtio-rng-pci",
        ],
    }
    words = [word for name, values in parts.items() for value in values
             for word in (f"-{name}", value)]  # fmt: skip
    first = ["nice", "-n", "-10"] if os.geteuid() == 0 else []  # it is slow enough as it is
    return [
        *first,
        PACKAGES["qemu-system-x86"],
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
        *words,
    ]


def _apt(*words: str, cwd: Path | None = None) -> str | None:
    """Run apt-get; return what it complains of, if it fails."""
    ran = subprocess.run(
        ["apt-get", *words],
        cwd=cwd,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return None if ran.returncode == 0 else (ran.stderr.strip() or "apt-get failed")


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
