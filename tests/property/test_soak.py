"""Codes over both lines with half frames, garbles and unplugs: exact, or told, and never merged."""

from pathlib import Path

import pytest

from benchmarks.soak_lines import LEVELS, Soak

CODES = 4_100
"""Enough for two pulled cables; the benchmark takes 100,000."""


@pytest.mark.parametrize("level", LEVELS)
def test_no_code_is_lost_changed_or_merged(level: str, tmp_path: Path) -> None:
    soak = Soak(level, tmp_path, seed=7)
    soak.run(CODES)
    assert soak.counts["code"] >= CODES
    assert soak.counts["incomplete"] >= 2
