"""One line of a CSV file (RFC 4180), whatever stands in its cells and however lines end. Pure."""

import csv
import io
from collections.abc import Iterable


def csv_line(cells: Iterable[str], delimiter: str = ",") -> str:
    """Return a line without its end. `csv` quotes a lone CR only where lines end with one."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow(cells)
    return out.getvalue().removesuffix("\r\n")
