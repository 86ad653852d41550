"""What a template may say: the keys of its tables, their types, limits and defaults.

The built-in templates are `templates.toml` beside this module. `template_reading` makes these
values from TOML; `layout` and `pages` follow them.
"""

from string import Formatter
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from mes_terminal.printing.page import Align

Symbology = Literal["code128", "gs1-128", "datamatrix", "qr", "digital-link"]
Place = Literal["left", "right", "top", "bottom"]

MODULE_MIN_MM: Final = 0.25
"""The narrowest module that a hand scanner reads from a label printer of 203 dots an inch."""

LabelSide = Annotated[float, Meta(ge=10, le=300, description="a number from 10 to 300")]
PageSide = Annotated[float, Meta(ge=100, le=600, description="a number from 100 to 600")]
Margin = Annotated[float, Meta(ge=1, le=50, description="a number from 1 to 50")]
Gap = Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")]
Side = Annotated[float, Meta(ge=3, le=200, description="a number from 3 to 200")]
Bars = Annotated[float, Meta(ge=5, le=100, description="a number from 5 to 100")]
Module = Annotated[float, Meta(ge=MODULE_MIN_MM, le=5, description="a number from 0.25 to 5")]
Points = Annotated[float, Meta(ge=5, le=100, description="a number from 5 to 100")]
Columns = Annotated[int, Meta(ge=1, le=4, description="a whole number from 1 to 4")]
Words = Annotated[str, Meta(max_length=200, description="text in quotes of 200 characters at most")]
Flag = Annotated[bool, Meta(description="true or false")]
Domain = Annotated[
    str,
    Meta(
        max_length=120,
        pattern=r"\Ahttps?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?"
        r"(/[A-Za-z][A-Za-z0-9._~-]*)*\Z",
        description="an address like https://id.example.com, without a slash at its end",
    ),
]


class Table(Struct, frozen=True, kw_only=True):
    """A table of the file: only the keys named below it are allowed."""


class Fact(Table, frozen=True, kw_only=True):
    """A small caption and a value below it."""

    caption: Words = ""
    text: Words


class Row(Table, frozen=True, kw_only=True):
    """One line of text, or facts beside each other. What has only empty fields is left out."""

    text: Words | None = None
    facts: Annotated[tuple[Fact, ...], Meta(max_length=12)] | None = None
    columns: Columns = 2
    size_pt: Points = 9
    caption_pt: Points = 7
    bold: Flag = False
    align: Align = "left"
    gap_mm: Gap = 1
    """White above it."""


class Code(Table, frozen=True, kw_only=True):
    """The code and where it stands."""

    symbology: Annotated[tuple[Symbology, ...], Meta(min_length=1, max_length=5)]
    """In the order in which they are tried."""
    place: Place = "left"
    align: Align = "left"
    """Where the code stands at the top or bottom."""
    size_mm: Side = 28
    """Of a two-dimensional code the side; of bars beside the rows the width."""
    height_mm: Bars = 16
    """Of bars."""
    module_mm: Module | None = None
    """The widest module; a long code is set finer."""
    gap_mm: Gap = 5
    """White between the code and the rows."""
    domain: Domain = "https://id.gs1.org"
    """Of a Digital Link."""


class Foot(Table, frozen=True, kw_only=True):
    """One line below a stroke; without texts neither is printed."""

    left: Words = "{code}"
    right: Words = "{place}"
    size_pt: Points = 7


class LabelTemplate(Table, frozen=True, kw_only=True):
    """One kind of label."""

    width_mm: LabelSide = 100
    height_mm: LabelSide = 50
    margin_x_mm: Margin = 5
    margin_y_mm: Margin = 5
    code: Code
    rows: Annotated[tuple[Row, ...], Meta(max_length=20)] = ()
    foot: Foot = Foot()


class PageCode(Table, frozen=True, kw_only=True):
    """How the codes of a page are drawn."""

    symbology: Annotated[tuple[Symbology, ...], Meta(min_length=1, max_length=5)]
    size_mm: Side = 16
    height_mm: Bars = 14
    module_mm: Module = 0.38


class TravellerWords(Table, frozen=True, kw_only=True):
    """What stands on a traveller beside facts."""

    title: Words
    start: Words
    close: Words
    ask: Words
    tell: Words
    then: Words
    line: Words
    component: Words
    quantity: Words
    supply: Words
    more: Words


class CardWords(Table, frozen=True, kw_only=True):
    """What stands on command cards: titles, and what each command does."""

    title: Words
    reasons: Words
    qty: Words
    undo: Words
    cancel: Words
    help: Words
    issue: Words
    give_back: Words
    empty: Words
    unmount: Words
    hold: Words
    release: Words
    reworked: Words
    call: Words
    end: Words


class PageTemplate(Table, frozen=True, kw_only=True):
    """A page with several codes."""

    width_mm: PageSide = 210
    height_mm: PageSide = 297
    margin_x_mm: Margin = 15
    margin_y_mm: Margin = 12
    title_pt: Points = 22
    name_pt: Points = 11
    """Above a code."""
    size_pt: Points = 9
    """Of all else."""
    code: PageCode
    foot: Foot = Foot()


class TravellerTemplate(PageTemplate, frozen=True, kw_only=True):
    """The traveller: `rows` are its head, beside the code that starts the order."""

    rows: Annotated[tuple[Row, ...], Meta(max_length=20)] = ()
    words: TravellerWords


class CardTemplate(PageTemplate, frozen=True, kw_only=True):
    """Cards of commands and reasons."""

    columns: Columns = 2
    words: CardWords


Template = LabelTemplate | TravellerTemplate | CardTemplate


class Templates(Struct, frozen=True):
    """The templates of every kind."""

    labels: dict[str, LabelTemplate]
    traveller: TravellerTemplate
    card: CardTemplate
    sources: dict[str, str]
    """The file of each kind that has a template of its own, for sentences."""

    def where(self, kind: str) -> str:
        """Return how a sentence begins about the template of a kind; nothing for a built-in one."""
        return f"{self.sources[kind]}: {kind}." if kind in self.sources else ""


def parts(text: str) -> list[tuple[str, str | None]]:
    """Return the literal text before each placeholder and the field that it names.

    Raises `ValueError` where brackets are wrong or a placeholder holds more than a name.
    """
    found = []
    for literal, field, form, conversion in Formatter().parse(text):
        if form or conversion:
            raise ValueError(f"{{{field}}} may hold the name of a field only")
        found.append((literal, field))
    return found


def filled(text: str, fields: dict[str, str]) -> str:
    """Return a text with its fields in their places; empty if every field of it is."""
    values = [(literal, field, fields[field] if field else "") for literal, field in parts(text)]
    if any(field for _, field, _ in values) and not any(value for *_, value in values):
        return ""
    return "".join(literal + value for literal, _, value in values)
