"""What reading one code costs: `decode` of every vector, the median of many.

    .venv/bin/python benchmarks/decode.py

One line for each vector that is a scan, dearest first, in microseconds.
"""

import statistics
import sys
import time
from pathlib import Path

import msgspec

from mes_terminal.barcodes.decode import decode
from mes_terminal.cli.vectors import read_vectors, run_vector
from mes_terminal.domain.rules import CodeRules
from mes_terminal.settings.tables import ScannerTable, Settings

VECTORS = Path(__file__).parent.parent / "tests" / "data" / "scan-vectors.json"
ROUNDS = 300
READING = frozenset(CodeRules.__struct_fields__)
"""The keys of a scanner's configuration that `decode` looks at."""


def median_us(raw: bytes, rules: CodeRules) -> float:
    """Return the median time of one `decode`, in microseconds."""
    took = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        decode(raw, rules)
        took.append((time.perf_counter() - began_s) * 1e6)
    return statistics.median(took)


def main() -> int:
    """Print the figures."""
    rows = []
    for vector in read_vectors(VECTORS):
        if vector.transport == "out":
            continue
        reading = {key: value for key, value in vector.config.items() if key in READING}
        table = msgspec.convert(reading, ScannerTable)
        rules = Settings().code_rules(table)
        for frame in run_vector(vector, Settings())["frames"]:
            if "code" in frame:
                symbology = frame["symbology"] or ""
                raw = (symbology + frame["code"]).encode()
                rows.append((median_us(raw, rules), vector.id, frame["kind"]))
    for us, name, kind in sorted(rows, reverse=True):
        print(f"{us:8.1f} us  {name}  {kind}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
