"""What `mapping.toml` says of the files that another program exports: values, named as it is.

One `[[file]]` a kind of export: how its text is read, and one `[[file.table]]` for every table that
its rows become, with the rule of each column. `mapping_reading` makes and checks them,
`mapped_files` follows them. See docs/mapping.md. Pure.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

MAPPING_FILE: Final = "mapping.toml"

Encoding = Literal[
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "iso-8859-2", "iso-8859-15",
    "cp1250", "cp1251", "cp1252", "cp437", "cp850", "shift_jis", "gb18030", "euc_kr",
]  # fmt: skip
Delimiter = Literal["auto", ",", ";", "\t", "|"]
Words = str | tuple[str, ...]
Filter = dict[str, Words]
Value = str | int
Line = Annotated[int, Meta(ge=1, le=1_000)]
Step = Annotated[int, Meta(ge=1, le=1_000)]
Decimals = Annotated[int, Meta(ge=1, le=15)]
Footer = Annotated[int, Meta(ge=0, le=1_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Format(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a file is written; `[defaults]`, and what a `[[file]]` says instead."""

    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    quote: Literal["", '"', "'"] | None = None
    """Empty: a quotation mark is a character like others. Without a word so where `|` delimits."""
    decimal: Literal[".", ","] | None = None
    thousands: Literal["", ".", ",", " ", "'"] | None = None
    trailing_minus: bool | None = None
    dates: tuple[Name, ...] | None = None
    """The ways in which dates are written; a cell that fits two must mean one day."""
    zone: Name | None = None
    """Where times without an offset are meant; else the site's time zone."""
    empty: tuple[str, ...] | None = None
    """Cells that say nothing, such as `NULL`."""
    ignore_lines: tuple[Name, ...] | None = None
    """Whole lines that are no rows, with `*` for any text."""
    ignore_columns: tuple[Name, ...] | None = None
    """Columns that nothing is taken from, with `*` for any text."""


class Written(Struct, frozen=True, kw_only=True):
    """How a file is written, with nothing left open; see `Format`."""

    encoding: Encoding = "utf-8"
    delimiter: Delimiter = "auto"
    quote: str | None = None
    decimal: str = "."
    thousands: str = ""
    trailing_minus: bool = False
    dates: tuple[str, ...] = ()
    zone: str | None = None
    empty: tuple[str, ...] = ()
    ignore_lines: tuple[str, ...] = ()
    ignore_columns: tuple[str, ...] = ()


class ColumnRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a column of a table comes from, in the order in which it is worked out.

    Exactly one of `from`, `constant` and `count`.
    """

    from_: Words | None = field(name="from", default=None)
    """A column of the file, or several that are joined by `between`."""
    between: str = ""
    constant: Value | None = None
    count: Step | None = None
    """Numbers the rows of one parent: 10, 20, 30."""
    strip_zeros: bool = False
    """Leading zeros go from cells of digits only."""
    pick: Name | None = None
    """A regular expression; its first group, else all that it finds, is kept."""
    values: Name | dict[str, Value] | None = None
    """What each word becomes, or the name of such a list in `[values]`."""
    otherwise: Value | None = None
    """What every other word becomes; without it another word is a fault."""
    keep_others: bool = False
    prefix: str = ""
    suffix: str = ""
    if_empty: Value | None = None
    implied_decimals: Decimals | None = None
    """12500 with three implied decimals is 12.5."""
    times: Value | None = None
    """A number or fraction to multiply by: hours times 60 are minutes."""
    dates: tuple[Name, ...] | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the columns of the file that it is made of."""
        if self.from_ is None:
            return ()
        return (self.from_,) if isinstance(self.from_, str) else self.from_


class TableRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table that a file becomes rows of."""

    name: Name
    columns: dict[str, str | ColumnRule]
    """By the table's own names; a text is the file's name for the column."""
    distinct: bool = False
    """The file says a row as often as it has rows below it; equal ones are one."""
    only: Filter = {}
    skip: Filter = {}

    def rules(self) -> dict[str, ColumnRule]:
        """Return the rule of each column."""
        return {
            name: ColumnRule(from_=rule) if isinstance(rule, str) else rule
            for name, rule in self.columns.items()
        }


class FileRule(Format, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of file, and what becomes of it."""

    name: Name
    """Of the file, with `*` for any text: several files are read one after the other."""
    optional: bool = False
    """It may be missing."""
    header: Line | Name = 1
    """The line with the names of the columns, or a cell of that line."""
    names: tuple[str, ...] | None = None
    """The file has no such line; these are its columns."""
    skip_last: Footer = 0
    """Lines at the end that are no rows."""
    fill_down: tuple[Name, ...] = ()
    """Columns that are empty where they are as in the row above; the first begins a new one."""
    only: Filter = {}
    skip: Filter = {}
    table: tuple[TableRule, ...]

    def written(self, defaults: Format) -> "Written":
        """Return how it is written: what it says itself, else the defaults, else the usual."""
        said = {
            name: value
            for form in (defaults, self)
            for name in Format.__struct_fields__
            if (value := getattr(form, name)) is not None
        }
        return Written(**said)


class Mapping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `mapping.toml`."""

    defaults: Format = Format()
    values: dict[str, dict[str, Value]] = {}
    """Lists of words that several columns share, by name."""
    ignore: tuple[Name, ...] = ()
    """Files that are not read, with `*` for any text."""
    file: tuple[FileRule, ...] = ()
