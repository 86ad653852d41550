"""What fuzzing found interesting, kept: each input still ends in a named result."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_what_fuzzing_kept_breaks_no_law(target: str) -> None:
    inputs = (CORPUS / f"{target}.txt").read_text().split()
    assert len(inputs) > 50, "the corpus is gone"
    for line in inputs:
        TARGETS[target](bytes.fromhex(line))
