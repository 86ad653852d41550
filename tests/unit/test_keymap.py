"""Keys to bytes, table by table: what a wedge of each country types comes out as it was printed.

What is expected was written down from the published layouts (xkeyboard-config: `us`, `gb`, `de`,
`fr(azerty)`, `be`), by the names that xkb gives to keys; not from the tables that are tested. Where
a scanner follows Windows and not xkb (AltGr of `gb`, the 102nd key of `us`) Windows' layout counts.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.keymap import CODES, NAMES, KeyRules, Keys, LayoutName

LAYOUTS: Final[tuple[LayoutName, ...]] = get_args(LayoutName)
ROW_STARTS: Final = {"TLDE": 41, "AE": 2, "AD": 16, "AC": 30, "BKSL": 43, "LSGT": 86, "AB": 44}
"""Kernel codes of the first key of each row; xkb's own codes are greater by 8."""
US: Final = {
    "TLDE": "`~", "AE": "1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+",
    "AD": "qQ wW eE rR tT yY uU iI oO pP [{ ]}", "AC": "aA sS dD fF gG hH jJ kK lL ;: '\"",
    "BKSL": "\\|", "LSGT": "\\|", "AB": "zZ xX cC vV bB nN mM ,< .> /?",
}  # fmt: skip
PRINTED: Final[dict[LayoutName, dict[str, str]]] = {
    "us": US,
    "gb": {
        **US, "TLDE": "`¬", "AE": "1! 2\" 3£ 4$ 5% 6^ 7& 8* 9( 0) -_ =+",
        "AC": "aA sS dD fF gG hH jJ kK lL ;: '@", "BKSL": "#~",
    },
    "de": {
        "TLDE": "^°", "AE": "1! 2\" 3§ 4$ 5% 6& 7/ 8( 9) 0= ß? \u00b4`",
        "AD": "qQ wW eE rR tT zZ uU iI oO pP üÜ +*", "AC": "aA sS dD fF gG hH jJ kK lL öÖ äÄ",
        "BKSL": "#'", "LSGT": "<>", "AB": "yY xX cC vV bB nN mM ,; .: -_",
    },
    "fr": {
        "TLDE": "² ", "AE": "&1 é2 \"3 '4 (5 -6 è7 _8 ç9 à0 )° =+",
        "AD": "aA zZ eE rR tT yY uU iI oO pP ^¨ $£", "AC": "qQ sS dD fF gG hH jJ kK lL mM ù%",
        "BKSL": "*µ", "LSGT": "<>", "AB": "wW xX cC vV bB nN ,? ;. :/ !§",
    },
    "be": {
        "TLDE": "²³", "AE": "&1 é2 \"3 '4 (5 §6 è7 !8 ç9 à0 )° -_",
        "AD": "aA zZ eE rR tT yY uU iI oO pP ^¨ $*", "AC": "qQ sS dD fF gG hH jJ kK lL mM ù%",
        "BKSL": "µ£", "LSGT": "<>", "AB": "wW xX cC vV bB nN ,? ;. :/ =+",
    },
}  # fmt: skip
"""Each key of a row: what it gives alone, and with Shift; a space: nothing. Dead keys as printed
on them."""
ALTGR: Final[dict[LayoutName, str]] = {
    "us": "",
    "gb": "TLDE¦ AE04€ AD03é AD07ú AD08í AD09ó AC01á",
    "de": "AE02² AE03³ AE07{ AE08[ AE09] AE10} AE11\\ AD01@ AD03€ AD12~ LSGT| AB07µ",
    "fr": "AE02~ AE03# AE04{ AE05[ AE06| AE07` AE08\\ AE09^ AE10@ AE11] AE12} AD03€ AD12¤",
    "be": "AE01| AE02@ AE03# AE06^ AE09{ AE10} AD03€ AD11[ AD12] AC11\u00b4 BKSL` LSGT\\ AB10~",
}
TWICE: Final[dict[LayoutName, str]] = {"us": "\\|", "gb": "", "de": "", "fr": "^", "be": "^"}
"""Characters on two keys: the 102nd of a US board repeats one; AZERTY has `^` dead and alive."""

SHIFT, SHIFT_R, CTRL, CTRL_R, ALT, ALT_R, CAPS, NUM, META = 42, 54, 29, 97, 56, 100, 58, 69, 125
ENTER, KP_ENTER, SPACE, TAB = 28, 96, 57, 15
KEYPAD = dict(zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True))
GS = b"\x1d"
Place = tuple[tuple[int, ...], int]
"""What is held, and the key."""


def key_of(name: str) -> int:
    """The kernel's code of a key that xkb calls so: `AE07`, `LSGT`."""
    return ROW_STARTS[name] if name in ROW_STARTS else ROW_STARTS[name[:2]] + int(name[2:]) - 1


def expected(layout: LayoutName) -> dict[Place, str]:
    """Every place that gives a character, by the data above."""
    places: dict[Place, str] = {((), SPACE): " ", ((SHIFT,), SPACE): " "}
    for row, printed in PRINTED[layout].items():
        pairs = [printed] if len(printed) == 2 else printed.split(" ")
        for number, pair in enumerate(pairs):
            plain, shifted = pair[0], pair[1]
            places[(), ROW_STARTS[row] + number] = plain
            if shifted != " ":
                places[(SHIFT,), ROW_STARTS[row] + number] = shifted
    for word in ALTGR[layout].split():
        places[(ALT_R,), key_of(word[:-1])] = word[-1]
    return places


def strokes(held: Iterable[int], *codes: int) -> list[tuple[int, int]]:
    """Press and release keys while others are held."""
    held = tuple(held)
    taps = chain(*(((code, 1), (code, 0)) for code in codes))
    return [*((code, 1) for code in held), *taps, *((code, 0) for code in reversed(held))]


def pressed(keys: Keys, events: Iterable[tuple[int, int]]) -> tuple[bytes, list[str]]:
    """The bytes that events gave, and the keys that no code holds."""
    typed = [keys.press(code, value) for code, value in events]
    return b"".join(each.data for each in typed), [
        each.forbidden for each in typed if each.forbidden is not None
    ]


def gives(events: Iterable[tuple[int, int]], **rules: object) -> tuple[bytes, list[str]]:
    """As `pressed`, of a new keyboard."""
    return pressed(Keys(KeyRules(**rules)), events)  # type: ignore[arg-type]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("held", [(), (SHIFT,), (SHIFT_R,), (SHIFT, SHIFT_R), (ALT_R,)], ids=str)
def test_every_key_gives_what_is_printed_on_it(layout: LayoutName, held: tuple[int, ...]) -> None:
    """48 keys and the space bar; where nothing is printed, the key is in no code."""
    level = (SHIFT,) if held and held[0] != ALT_R else held
    places = expected(layout)
    keys = [key for (without, key) in places if not without]
    assert len(keys) == 49
    for key in keys:
        if key == SPACE and level == (ALT_R,):
            continue
        data, forbidden = gives(strokes(held, key), layout=layout)
        wanted = places.get((level, key))
        assert (data.decode(), len(forbidden)) == (wanted or "", int(wanted is None)), key


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_character_has_one_place_and_every_printable_one_has_a_place(
    layout: LayoutName,
) -> None:
    counts = Counter(
        gives(strokes(held, key), layout=layout)[0].decode() for held, key in expected(layout)
    )
    twice = {character for character, count in counts.items() if count > 1}
    assert twice == {*TWICE[layout], " "}
    assert {chr(code) for code in range(0x20, 0x7F)} <= set(counts)


@given(st.data(), st.sampled_from(LAYOUTS))
def test_any_text_that_a_layout_can_type_comes_back_exactly(
    data: st.DataObject, layout: LayoutName
) -> None:
    """Whatever Caps Lock says, with `ignore`."""
    places = expected(layout)
    text = data.draw(st.lists(st.sampled_from(sorted(places)), max_size=60))
    caps = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    events = [
        event
        for (held, key), lock in zip(text, caps, strict=True)
        for event in (*(strokes((), CAPS) if lock else ()), *strokes(held, key))
    ]
    wanted = "".join(places[place] for place in text)
    assert gives(events, layout=layout) == (wanted.encode(), [])


@given(st.data(), st.sampled_from(LAYOUTS))
def test_a_scanner_that_presses_caps_lock_means_it(data: st.DataObject, layout: LayoutName) -> None:
    """`track`: a letter whose capital is on its key changes case, nothing else does."""
    places = expected(layout)
    text = data.draw(st.lists(st.sampled_from(sorted(places)), max_size=40))
    events = [*strokes((), CAPS), *(each for held, key in text for each in strokes(held, key))]
    wanted = [
        places[place].swapcase() if has_case(places, place) else places[place] for place in text
    ]
    keys = Keys(KeyRules(layout=layout, caps="track"))
    assert pressed(keys, events) == ("".join(wanted).encode(), [])
    again = [*strokes((), CAPS), *(each for held, key in text for each in strokes(held, key))]
    assert pressed(keys, again)[0] == "".join(places[place] for place in text).encode()


def has_case(places: dict[Place, str], place: Place) -> bool:
    held, key = place
    plain, shifted = places[(), key], places.get(((SHIFT,), key), "")
    return held != (ALT_R,) and plain.isalpha() and shifted == plain.upper() != plain


def test_caps_lock_leaves_signs_digits_and_accented_letters_of_the_top_row() -> None:
    """AZERTY: the key of `é` has `2` above it; QWERTZ: the umlauts are letters, `ß` is none."""
    for layout, key, wanted in [
        ("fr", "AE02", "é"), ("be", "AE10", "à"), ("fr", "AC11", "ù"), ("fr", "AC10", "M"),
        ("de", "AD11", "Ü"), ("de", "AE11", "ß"), ("us", "AE01", "1"), ("us", "AC01", "A"),
    ]:  # fmt: skip
        events = [*strokes((), CAPS), *strokes((), key_of(key))]
        assert gives(events, layout=layout, caps="track") == (wanted.encode(), []), (layout, key)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("ctrl", [CTRL, CTRL_R])
def test_ctrl_with_a_letter_is_its_control_code_on_every_board(
    layout: LayoutName, ctrl: int
) -> None:
    """Ctrl+I is HT wherever the I is; Shift makes no difference."""
    for (without, key), character in expected(layout).items():
        if not without and "a" <= character <= "z":
            for held in ((ctrl,), (ctrl, SHIFT)):
                data, forbidden = gives(strokes(held, key), layout=layout)
                assert (data, forbidden) == (bytes([ord(character) & 0x1F]), [])


C0_SIGNS: Final = {
    "us": {"AE02": 0x00, "AD11": 0x1B, "BKSL": 0x1C, "AD12": 0x1D, "AE06": 0x1E, "AE11": 0x1F},
    "gb": {"AC11": 0x00, "AD11": 0x1B, "LSGT": 0x1C, "AD12": 0x1D, "AE06": 0x1E, "AE11": 0x1F},
    "de": {"TLDE": 0x1E, "AB10": 0x1F, "AD11": 0x1B, "AD12": 0x1D, "BKSL": 0x1C},
    "fr": {"AD11": 0x1E, "AE08": 0x1F, "AD12": 0x1D, "BKSL": 0x1C},
    "be": {"AD11": 0x1E, "AE12": 0x1F, "AD12": 0x1D, "BKSL": 0x1C},
}
"""`@[\\]^_` less 0x40: of the sign on the key, plain or shifted, else of its US place."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ctrl_with_a_sign_is_its_control_code_and_gs_is_where_a_us_board_has_it(
    layout: LayoutName,
) -> None:
    for name, code in C0_SIGNS[layout].items():
        assert gives(strokes((CTRL,), key_of(name)), layout=layout) == (bytes([code]), []), name
    assert gives(strokes((CTRL,), key_of("AD12")), layout=layout)[0] == GS


def test_ctrl_with_what_has_no_control_code_is_in_no_code() -> None:
    for name, key in [("CTRL+1", 2), ("CTRL+EQUAL", 13), ("CTRL+F8", 66), ("CTRL+DOT", 52)]:
        assert gives(strokes((CTRL,), key)) == (b"", [name])


@pytest.mark.parametrize("number", range(256))
def test_alt_and_the_keypad_are_one_character_as_on_a_pc(number: int) -> None:
    """With a zero before it of Windows' page, without of the PC's first one; ASCII is ASCII."""
    for digits, page in ((str(number), "cp437"), (f"0{number}", "cp1252")):
        wanted = chr(number) if number < 128 else bytes([number]).decode(page, "replace")
        for alt in (ALT, ALT_R):
            events = strokes((alt,), *(KEYPAD[digit] for digit in digits))
            assert gives(events) == (wanted.encode(), []), digits


def test_alt_numbers_that_are_known_and_those_that_are_none() -> None:
    def typed(digits: str) -> tuple[bytes, list[str]]:
        return gives(strokes((ALT,), *(KEYPAD[digit] for digit in digits)))

    assert typed("0029") == typed("29") == (GS, [])
    assert typed("0128") == ("€".encode(), [])
    assert typed("130") == ("é".encode(), [])
    for digits in ("256", "999", "00029", "0256"):
        assert typed(digits) == (b"", [f"ALT+{digits}"])
    assert typed("000299999")[1] == ["ALT+00029"], "no more is kept than tells that it is too long"
    assert gives(strokes((), ALT)) == (b"", [])
    assert gives(strokes((), *KEYPAD.values()))[0] == b"7894561230"
    half = [(ALT, 1), (KEYPAD["2"], 1)]
    keys = Keys(KeyRules())
    pressed(keys, half)
    keys.release_all()
    assert pressed(keys, strokes((), key_of("AC01"))) == (b"a", []), "lost events let go of Alt"


def test_a_configured_key_stands_for_its_bytes() -> None:
    """Scanners press F8, F12 or another key for GS."""
    f8, f12 = 66, 88
    assert gives(strokes((), f8), key_map={"F8": GS}) == (GS, [])
    assert gives(strokes((SHIFT,), f12), key_map={"F12": b"<GS>"}) == (b"<GS>", [])
    assert gives(strokes((), f12), key_map={"F8": GS}) == (b"", ["F12"])
    assert gives(strokes((), key_of("TLDE")), key_map={"GRAVE": GS}) == (GS, [])
    for held, name in ((CTRL, "CTRL+F8"), (ALT, "ALT+F8"), (META, "META+F8")):
        assert gives(strokes((held,), f8), key_map={"F8": GS})[1][-1] == name
    with pytest.raises(ValueError, match="F25"):
        Keys(KeyRules(key_map={"F25": GS}))


DEAD: Final = {
    "de": {"TLDE": "^", "AE12": "\u00b4"}, "fr": {"AD11": "^"}, "be": {"AD11": "^"},
}  # fmt: skip


def test_a_dead_key_gives_what_is_printed_on_it_and_changes_nothing_behind_it() -> None:
    """A scanner presses it for the character itself, not to put an accent on the next."""
    e = 18
    for layout, dead in DEAD.items():
        for name, character in dead.items():
            events = [*strokes((), key_of(name)), *strokes((), e)]
            assert gives(events, layout=layout) == (f"{character}e".encode(), [])
    assert gives(strokes((SHIFT,), 13), layout="de") == (b"`", [])
    assert gives(strokes((SHIFT,), 26), layout="fr") == ("¨".encode(), [])


FORBIDDEN: Final = {
    **{f"F{number}": code for number, code in enumerate((*range(59, 69), 87, 88), 1)},
    **{f"F{number}": 170 + number for number in range(13, 25)},
    "SCROLLLOCK": 70, "SYSRQ": 99, "HOME": 102, "UP": 103, "PAGEUP": 104, "LEFT": 105,
    "RIGHT": 106, "END": 107, "DOWN": 108, "PAGEDOWN": 109, "INSERT": 110, "DELETE": 111,
    "MUTE": 113, "VOLUMEDOWN": 114, "VOLUMEUP": 115, "POWER": 116, "KPEQUAL": 117, "PAUSE": 119,
    "COMPOSE": 127, "SLEEP": 142, "WAKEUP": 143, "BACK": 158, "FORWARD": 159, "HOMEPAGE": 172,
    "240": 240, "767": 767,
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_that_no_code_holds_is_told_by_its_name(layout: LayoutName) -> None:
    for name, code in FORBIDDEN.items():
        for held in ((), (SHIFT,)):
            assert gives(strokes(held, code), layout=layout) == (b"", [name])


def test_no_key_is_neither_taken_nor_told() -> None:
    """Each of the kernel's codes is a character, a key held, or in no code."""
    modifiers = {SHIFT, SHIFT_R, CTRL, CTRL_R, ALT, ALT_R, CAPS, NUM}
    for code in set(range(1, 768)) - modifiers:
        data, forbidden = gives(strokes((), code))
        assert bool(data) != bool(forbidden), code
    assert gives(strokes(modifiers)) == (b"", [])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_system_keys_are_in_no_code(layout: LayoutName) -> None:
    c, f1, delete = 46, 59, 111
    for held, key, name in [
        ((ALT,), c, "ALT+C"), ((CTRL, ALT), c, "CTRL+ALT+C"), ((CTRL, ALT), f1, "CTRL+ALT+F1"),
        ((CTRL, ALT), delete, "CTRL+ALT+DELETE"), ((ALT,), 99, "ALT+SYSRQ"),
        ((ALT,), ENTER, "ALT+ENTER"), ((CTRL, ALT), KEYPAD["7"], "CTRL+ALT+KP7"),
        ((CTRL, ALT_R), c, "CTRL+ALT+C"),
    ]:  # fmt: skip
        assert gives(strokes(held, key), layout=layout) == (b"", [name])
    for meta, name in ((125, "LEFTMETA"), (126, "RIGHTMETA")):
        assert gives(strokes((meta,), c), layout=layout) == (b"", [name, "META+C"])
        assert gives(strokes((), meta), layout=layout) == (b"", [name])


def test_altgr_is_alt_where_the_board_has_no_third_character() -> None:
    assert gives(strokes((ALT_R,), 16), layout="us") == (b"", ["ALT+Q"])
    assert gives(strokes((ALT_R,), 16), layout="de") == (b"@", [])
    assert gives(strokes((ALT_R,), 17), layout="de") == (b"", ["ALT+W"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_the_same_on_every_board(layout: LayoutName) -> None:
    for code, wanted in [
        (ENTER, b"\r"), (KP_ENTER, b"\r"), (TAB, b"\t"), (SPACE, b" "), (1, b"\x1b"), (14, b"\b"),
        (55, b"*"), (74, b"-"), (78, b"+"), (83, b"."), (98, b"/"),
    ]:  # fmt: skip
        assert gives(strokes((), code), layout=layout) == (wanted, [])
        assert gives([*strokes((), NUM), *strokes((), code)], layout=layout) == (wanted, [])


def test_a_key_repeated_by_the_kernel_is_no_character() -> None:
    keys = Keys(KeyRules(caps="track"))
    assert pressed(keys, [(30, 1)]) == (b"a", [])
    again = keys.press(30, 2)
    assert (again.data, again.forbidden, again.is_repeat) == (b"", None, True)
    assert pressed(keys, [(30, 0), (SHIFT, 1)]) == (b"", [])
    assert not keys.press(SHIFT, 2).is_repeat
    assert not keys.press(CAPS, 2).is_repeat
    assert pressed(keys, strokes((), 30)) == (b"A", [])


def test_lost_events_let_go_of_what_was_held_and_keep_caps_lock() -> None:
    keys = Keys(KeyRules(caps="track"))
    pressed(keys, [*strokes((), CAPS), (SHIFT, 1), (CTRL, 1)])
    keys.release_all()
    assert pressed(keys, strokes((), 30)) == (b"A", [])


def test_the_names_are_the_kernels() -> None:
    ecodes = pytest.importorskip("evdev").ecodes
    for code, name in NAMES.items():
        named = ecodes.KEY[code]
        assert f"KEY_{name}" in ([named] if isinstance(named, str) else named), code
    assert {name: code for code, name in NAMES.items()} == CODES
