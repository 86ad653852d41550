"""Coverage-guided fuzzing of one target: `make fuzz TARGET=code SECONDS=600`.

It begins with the corpus that was kept (`corpus/<target>.txt`, an input a line, as hexadecimal) and
writes it anew at its end: the fewest and shortest inputs that reach as much. Every `make test` runs
it. Needs atheris, which `make fuzz` installs.
"""

import multiprocessing
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
LENGTH_MAX_BYTES = 5000
"""A little over the longest code."""


def main() -> None:
    """Fuzz until the time is over or a law is broken, then keep what was interesting."""
    target, seconds = sys.argv[1], sys.argv[2]
    kept = CORPUS / f"{target}.txt"
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(kept.read_text().split() if kept.exists() else ()):
            (Path(folder) / f"{number:06d}").write_bytes(bytes.fromhex(line))
        fuzzer = multiprocessing.get_context("spawn").Process(
            target=fuzz, args=(target, seconds, folder)
        )
        fuzzer.start()
        fuzzer.join()
        keep(target, {path.read_bytes() for path in Path(folder).iterdir()})
    sys.exit(fuzzer.exitcode)


def keep(target: str, inputs: set[bytes]) -> None:
    """Write the corpus. Imported only here: the fuzzer must see the first import of each module."""
    from tests.fuzz.smallest import smallest
    from tests.fuzz.targets import TARGETS

    CORPUS.mkdir(exist_ok=True)
    lines = sorted(data.hex() for data in smallest(TARGETS[target], inputs))
    (CORPUS / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines))


def fuzz(target: str, seconds: str, folder: str) -> None:
    """Be the fuzzer; libFuzzer ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["hardware", "mes_terminal", "biip"]):
        import mes_terminal.barcodes.gs1  # noqa: F401  decode imports it only when it needs it
        from tests.fuzz.targets import TARGETS

    options = [
        f"-max_total_time={seconds}",
        f"-max_len={LENGTH_MAX_BYTES}",
        "-timeout=5",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={CORPUS.parent}/found-{target}-",
    ]
    atheris.Setup([sys.argv[0], *options, folder], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
