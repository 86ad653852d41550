"""What fuzzing found interesting, kept: each input still ends in a named result."""

from pathlib import Path

import pytest

from tests.fuzz.smallest import reached, smallest
from tests.fuzz.targets import TARGETS, fuzz_code

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_what_fuzzing_kept_breaks_no_law(target: str) -> None:
    inputs = (CORPUS / f"{target}.txt").read_text().split()
    assert len(inputs) > 50, "the corpus is gone"
    for line in inputs:
        TARGETS[target](bytes.fromhex(line))


def test_of_inputs_that_reach_the_same_the_shortest_is_kept() -> None:
    plain, longer, command = b"\x00WO-1", b"\x00WO-1002", b"\x00%UNDO"
    for data in (plain, command):
        fuzz_code(data)  # what is done once only is done
    kept = smallest(fuzz_code, [longer, command, plain, plain + b"7"])
    assert kept == [plain, command]
    together = set().union(*(reached(fuzz_code, data) for data in kept))
    assert reached(fuzz_code, longer) <= together
