"""Characters to keys: whole, in pieces, and with trailing data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.tui.keys import SEQUENCES, KeyReader


def names(text: str, size: int) -> list[str]:
    reader = KeyReader()
    keys = [k for at in range(0, len(text), size) for k in reader.feed(text[at : at + size])]
    return [key.name for key in [*keys, *reader.flush()]]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_each_sequence_is_one_key_however_it_comes(sequence: str, size: int) -> None:
    assert names(f"a{sequence}b", size) == ["a", SEQUENCES[sequence], "b"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("\r\t\x7f\x11", ["enter", "tab", "backspace", "ctrl+q"]),
        ("\x1b", ["escape"]),
        ("\x1b\x1bOP", ["escape", "f1"]),
        ("\x1b[99~", ["escape", "[", "9", "9", "~"]),
        ("\x1b[200~", ["escape", "[", "2", "0", "0", "~"]),
    ],
)
def test_everything_else_is_single_characters(text: str, keys: list[str]) -> None:
    assert names(text, 1) == keys


@given(st.text(alphabet="\x1b[O0123456789~;APQab\r\x00", max_size=40), st.integers(1, 7))
def test_no_character_is_lost_or_made_up(text: str, size: int) -> None:
    reader = KeyReader()
    keys = [k for at in range(0, len(text), size) for k in reader.feed(text[at : at + size])]
    keys += reader.flush()
    assert "".join(key.characters for key in keys) == text
    assert not reader.holding
