"""The shape of the words of a section of the desk; `english_sections` fills it by name. Pure."""

from msgspec import Struct


class SectionWords(Struct, frozen=True, kw_only=True):
    """Every word of a section beside names and quantities. A section of its own layout needs the
    first two, and what it uses of `told`."""

    title: str
    """In the head line, in capitals."""
    about: str
    """One line in the menu: what it is for."""
    rows: str = ""
    """The heading of the list."""
    story: str = ""
    """The heading of the story."""
    empty: str = ""
    """Said where there is nothing."""
    finds: str = ""
    """What `/` looks in, for the help."""
    scopes: dict[str, str] = {}
    """By the name of the scope; it follows the number of rows in the head line: `12 open`."""
    told: dict[str, str] = {}
    """Everything else, by names of the section; `legend_` and `help_` of each action."""
