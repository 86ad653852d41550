"""Labels by the templates of a plant: facts in, sheets out. Pure but for the templates' file.

What each kind says stands in `contents`, how it looks in `templates.toml` or in the plant's own
file.
"""

from mes_terminal.printing import contents
from mes_terminal.printing.contents import Content, FinishedGoods
from mes_terminal.printing.layout import lay_out
from mes_terminal.printing.page import Sheet
from mes_terminal.printing.template_reading import built_in
from mes_terminal.printing.templates import Templates

__all__ = ["FinishedGoods", "finished_label", "label", "text_label"]


def label(content: Content, templates: Templates | None = None) -> Sheet:
    """Return a label; without templates as the built-in ones have it.

    Raises `InputError` if its code cannot be printed wide enough to be read.
    """
    used = templates or built_in()
    return lay_out(content, used.labels[content.kind], used.where(content.kind))


def finished_label(goods: FinishedGoods, templates: Templates | None = None) -> Sheet:
    """Finished goods: a lot, or one unit by its serial."""
    return label(contents.finished(goods), templates)


def text_label(text: str, place: str = "") -> Sheet:
    """Any text as the built-in template has it: bars where they fit, else a Data Matrix."""
    return label(contents.text(text, place))
