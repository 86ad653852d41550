"""Letters large enough to read from two metres: a 5 by 7 bitmap font drawn in half blocks.

`draw` scales a text by a whole number: at scale 1 a pixel is one column by half a row, at scale 2
two columns by one row, and so on. Doubling rounds corners and slopes (the EPX rule: a quarter
takes the colour of two equal neighbours), so large letters are smooth. Pure.
"""

from typing import Final

ROWS: Final = 7
"""Pixels from top to bottom of every letter."""
GAP: Final = 1
"""Pixels between two letters."""

_BITMAPS: Final[dict[str, str]] = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".#### #.... #.... #.... #.... #.... .####",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".#### #.... #.... #..## #...# #...# .####",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": "### .#. .#. .#. .#. .#. ###",
    "J": "...## ....# ....# ....# ....# #...# .###.",
    "K": "#...# #..#. #.#.. ###.. #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
    "Ä": "#...# ..... .###. #...# ##### #...# #...#",
    "Ö": "#...# ..... .###. #...# #...# #...# .###.",
    "Ü": "#...# ..... #...# #...# #...# #...# .###.",
    "0": ".###. #...# #...# #...# #...# #...# .###.",
    "1": "..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.",
    "2": ".###. #...# ....# ..##. .#... #.... #####",
    "3": "####. ....# ....# .###. ....# ....# ####.",
    "4": "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    "5": "##### #.... ####. ....# ....# #...# .###.",
    "6": ".###. #.... #.... ####. #...# #...# .###.",
    "7": "##### ....# ...#. ..#.. ..#.. .#... .#...",
    "8": ".###. #...# #...# .###. #...# #...# .###.",
    "9": ".###. #...# #...# .#### ....# ....# .###.",
    "-": "... ... ... ### ... ... ...",
    "_": "..... ..... ..... ..... ..... ..... #####",
    ".": ". . . . . . #",
    ",": ".. .. .. .. .. .# #.",
    "/": "....# ....# ...#. ..#.. .#... #.... #....",
    "%": "##..# ##.#. ..#.. ..#.. .#.## #..## .....",
    "+": "..... ..#.. ..#.. ##### ..#.. ..#.. .....",
    ">": "#.... .#... ..#.. ...#. ..#.. .#... #....",
    ":": ". . # . # . .",
    "?": ".###. #...# ....# ..##. ..#.. ..... ..#..",
    "!": "# # # # # . #",
    "(": ".# #. #. #. #. #. .#",
    ")": "#. .# .# .# .# .# #.",
    "'": "# # . . . . .",
    "|": "# # # # # # #",
    ";": ".. .. .# .. .. .# #.",
    " ": ". . . . . . .",
    "✔": "....# ....# ...## #..#. ##.#. .##.. ..#..",
    "▶": "#.... ##... ####. ##### ####. ##... #....",
    "▲": "..#.. ..#.. .###. .###. .###. ##### #####",
    "✖": "#...# ##.## .###. ..#.. .###. ##.## #...#",
}

_HALVES: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def can_draw(text: str) -> bool:
    """Tell whether every letter of `text` (any case) is in the font."""
    return bool(text) and all(letter in _BITMAPS for letter in text.upper())


def width_of(text: str, scale: int) -> int:
    """Return the columns that `text` takes at `scale`."""
    letters = [len(_BITMAPS[letter].split(" ", 1)[0]) for letter in text.upper()]
    return scale * (sum(letters) + GAP * max(0, len(letters) - 1))


def height_of(scale: int) -> int:
    """Return the rows that a text takes at `scale`."""
    return (ROWS * scale + 1) // 2


def draw(text: str, scale: int) -> list[str]:
    """Return `text` as `height_of(scale)` lines of `width_of(text, scale)` columns."""
    pixels = [_pixel_row(text.upper(), row) for row in range(ROWS)]
    while scale % 2 == 0:
        pixels, scale = _doubled(pixels), scale // 2
    pixels = [[p for p in row for _ in range(scale)] for row in pixels for _ in range(scale)]
    if len(pixels) % 2:
        pixels.append([0] * len(pixels[0]))
    return [
        "".join(_HALVES[pair] for pair in zip(pixels[y], pixels[y + 1], strict=True))
        for y in range(0, len(pixels), 2)
    ]


def largest_scale(text: str, width: int, height: int) -> int:
    """Return the largest scale at which `text` fits, 0 if it fits at none."""
    if not can_draw(text):
        return 0
    return min(width // width_of(text, 1), height * 2 // ROWS)


def wrapped(text: str, width: int, lines_max: int) -> list[str]:
    """Return `text` in lines that fit `width` columns at scale 1; none if they do not."""
    if not can_draw(text):
        return []
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, 1) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    fits = len(lines) <= lines_max and all(width_of(line, 1) <= width for line in lines)
    return lines if fits else []


def _pixel_row(text: str, row: int) -> list[int]:
    letters = [_BITMAPS[letter].split(" ")[row] for letter in text]
    return [int(pixel == "#") for pixel in ("." * GAP).join(letters)]


def _doubled(pixels: list[list[int]]) -> list[list[int]]:
    """Return `pixels` twice as large, corners rounded."""
    bottom, right = len(pixels) - 1, len(pixels[0]) - 1
    larger: list[list[int]] = []
    for y, row in enumerate(pixels):
        upper: list[int] = []
        lower: list[int] = []
        for x, own in enumerate(row):
            up = pixels[y - 1][x] if y else 0
            down = pixels[y + 1][x] if y < bottom else 0
            before = row[x - 1] if x else 0
            after = row[x + 1] if x < right else 0
            upper += [
                before if before == up and before != down and up != after else own,
                up if up == after and up != before and after != down else own,
            ]
            lower += [
                down if down == before and down != after and before != up else own,
                after if after == down and after != up and down != before else own,
            ]
        larger += [upper, lower]
    return larger
