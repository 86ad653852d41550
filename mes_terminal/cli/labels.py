"""`labels`: travellers, labels, badges and command cards, as PDF, SVG, PNG or ZPL."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError
from mes_terminal.printing import contents
from mes_terminal.printing.contents import Content, FinishedGoods
from mes_terminal.printing.labels import label
from mes_terminal.printing.page import Sheet
from mes_terminal.printing.pages import Card, TravellerFacts, cards, traveller
from mes_terminal.printing.render import DPI, render
from mes_terminal.printing.template_reading import (
    built_in,
    built_in_table,
    built_in_text,
    read_templates,
)
from mes_terminal.printing.templates import CardWords, Templates, filled

Row = dict[str, Any]

DPI_MIN: Final = 100
DPI_MAX: Final = 1200
COPIES_MAX: Final = 1000
QUANTITIES: Final = (1, 2, 5, 10, 20, 50)
REASON_COMMANDS: Final = {
    "scrap": "SCRAP", "rework": "REWORK", "extra": "EXTRA", "short_close": "SHORT", "stop": "STOP",
}  # fmt: skip
"""Which command takes reasons of a kind; those that have an effect at the station."""
COMMANDS: Final = {
    "UNDO": "undo",
    "CANCEL": "cancel",
    "HELP": "help",
    "ISSUE": "issue",
    "RETURN": "give_back",
    "EMPTY": "empty",
    "UNMOUNT": "unmount",
    "HOLD": "hold",
    "RELEASE": "release",
    "REWORK": "reworked",
    "CALL": "call",
    "END": "end",
}
"""The commands that stand alone, and the word of the template that says what each does."""


@click.command()
@click.argument("kind", metavar="KIND", required=False)
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--form", type=click.Choice(["pdf", "svg", "png", "zpl"]), default="pdf",
              help="What is written; default pdf.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="A file, or a folder.")
@click.option("--copies", type=click.IntRange(1, COPIES_MAX), default=1, help="Of each.")
@click.option("--dpi", type=click.IntRange(DPI_MIN, DPI_MAX), default=DPI,
              help="Dots an inch of png and zpl.")  # fmt: skip
@click.option("--template", type=click.Path(path_type=Path), metavar="FILE",
              help="Label templates; default labels.template of the settings.")  # fmt: skip
@click.option("--show-template", is_flag=True,
              help="Print the built-in template of KIND, or of all, to copy it.")  # fmt: skip
@click.option("--language", metavar="CODE",
              help="Of situations: en, de; default station.language.")  # fmt: skip
@pass_session
def labels(
    session: Session, kind: str | None, names: tuple[str, ...], form: Any, out: Path | None,
    copies: int, dpi: int, template: Path | None, show_template: bool, language: str | None,
) -> None:  # fmt: skip
    """Print travellers, labels, badges, places and command cards.

    \b
    KIND and what follows it:
      traveller ORDER…          lot ITEM LOT [QUANTITY]     container NUMBER ITEM [LOT]
      finished ITEM [LOT]       unit ITEM SERIAL…           box ITEM LOT QUANTITY NUMBER…
      link ITEM [LOT [SERIAL]]  badge [BADGE…]              location [LOCATION…]
      command-card              text CODE…                  gs1 AI=VALUE…
      situations

    \b
    Examples:
      mes-terminal labels traveller WO-1001
      mes-terminal labels lot LEG L-77 400 --form zpl --out /dev/usb/lp0
      mes-terminal labels gs1 01=09506000134352 10=L7 --form png
      mes-terminal labels --show-template finished
    """
    if kind is None and not show_template:
        raise InputError(f"Name a kind of label. There are: {', '.join(KINDS)}.")
    if kind is not None and kind not in KINDS:
        raise InputError(f"There is no label {kind!r}. There are: {', '.join(KINDS)}.")
    if language is not None and kind != SITUATIONS:
        raise InputError(f"--language goes with {SITUATIONS}.")
    if show_template and kind == SITUATIONS:
        raise InputError(f"{SITUATIONS} has no template: paper says what the screen says.")
    if kind is None or show_template:
        click.echo(built_in_text() if kind is None else built_in_table(kind), nl=False)
        return
    if kind == SITUATIONS:
        made = _situations(session, language)
    else:
        made = _sheets(session, kind, names, _templates(session, template))
    sheets = [sheet for sheet in made for _ in range(copies)]
    if not sheets:
        raise InputError(f"Nothing to print: the plant has no {kind} yet. Load it first.")
    documents = render(sheets, form, dpi=dpi)
    written = _write(documents, kind, names, form, out)
    for path in written:
        told = {"file": str(path), "kind": kind, "sheets": len(sheets) // len(written)}
        click.echo(msgspec.json.encode(told) if session.as_json else str(path))


def _situations(session: Session, language: str | None) -> Iterator[Sheet]:
    from mes_terminal.cli.situations import situation_sheets

    return situation_sheets(
        language=language or session.settings.station.language,
        prefix=session.rules.codes.command_prefix,
        place=_place(session),
    )


def _templates(session: Session, file: Path | None) -> Templates:
    """Return the templates of the file, else of the settings, else the built-in ones."""
    named = file or session.settings.labels.template
    return read_templates(Path(named).expanduser()) if named is not None else built_in()


def _sheets(
    session: Session, kind: str, names: tuple[str, ...], templates: Templates
) -> Iterator[Sheet]:
    if kind in PAGES:
        return PAGES[kind](session, names, templates)
    return (label(content, templates) for content in LABELS[kind](session, names))


def _write(
    documents: list[bytes], kind: str, names: tuple[str, ...], form: str, out: Path | None
) -> list[Path]:
    """Write each document; a single one to `out` itself. Raises `InputError`."""
    stem = "-".join([kind, *(_plain(name) for name in names[:3])])
    folder = out if out is not None and out.is_dir() else Path()
    if out is not None and not out.is_dir():
        if len(documents) > 1:
            raise InputError(f"{len(documents)} labels as {form} need a folder. Name one: --out.")
        paths = [out]
    else:
        numbers = [""] if len(documents) == 1 else [f"-{n}" for n in range(1, len(documents) + 1)]
        paths = [folder / f"{stem}{number}.{form}" for number in numbers]
    for path, document in zip(paths, documents, strict=True):
        try:
            path.write_bytes(document)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return paths


def _plain(name: str) -> str:
    """Return a name as a part of a file's name."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    return kept[:40].lstrip(".") or "_"


def _rows(session: Session, name: str, **filters: str) -> list[Row]:
    return [msgspec.json.decode(row) for row in session.rows(name, filters)]


def _item(session: Session, item: str) -> Row:
    found = _rows(session, "items", item=item)
    if not found:
        raise InputError(f"There is no item {item!r}. mes-terminal stock lists what there is.")
    return found[0]


def _place(session: Session) -> str:
    place = f"{session.settings.station.id} · {session.settings.station.site}"
    return f"TRAINING · {place}" if session.on_training_copy else place


def _wants(names: tuple[str, ...], least: int, form: str) -> None:
    if len(names) < least:
        raise InputError(f"Write it as `labels {form}`.")


def _travellers(session: Session, names: tuple[str, ...], templates: Templates) -> Iterator[Sheet]:
    _wants(names, 1, "traveller ORDER…")
    for name in names:
        found = _rows(session, "orders", work_order=name)
        if not found:
            raise InputError(f"There is no order {name!r}. mes-terminal orders lists them.")
        order, item = found[0], _item(session, found[0]["item"])
        lines = _rows(session, "order_lines", work_order=name)
        facts = TravellerFacts(
            work_order=name,
            item=order["item"],
            description=item["description"],
            quantity=order["quantity"],
            uom=item["uom"],
            due=(order["due_at"] or "")[:10],
            operations=[
                (row["operation"], row["description"])
                for row in _rows(session, "operations", work_order=name)
            ],
            components=[
                (row["line"], row["component"], f"{row['quantity']} {row['uom']}",
                 row["supply_location"])
                for row in lines
            ],
            place=_place(session),
            prefix=session.rules.codes.command_prefix,
        )  # fmt: skip
        yield from traveller(facts, templates.traveller, templates.where("traveller"))


def _lots(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 2, "lot ITEM LOT [QUANTITY]")
    item = _item(session, names[0])
    known = _rows(session, "lots", item=names[0], lot=names[1])
    quantity = names[2] if len(names) > 2 else known[0]["on_hand"] if known else None
    expires_on = known[0]["expires_on"] if known else None
    yield contents.lot(
        names[0], item["description"], names[1], quantity, item["uom"], expires_on, _place(session)
    )


def _containers(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 2, "container NUMBER ITEM [LOT]")
    lot = names[2] if len(names) > 2 else None
    item = _item(session, names[1])["item"]
    yield contents.container(names[0], item, lot, _place(session))


def _goods(session: Session, item: str, lot: str | None, **more: Any) -> FinishedGoods:
    facts = _item(session, item)
    known = _rows(session, "lots", item=item, lot=lot) if lot else []
    more = {"quantity": known[0]["on_hand"]} | more if known else more
    return FinishedGoods(
        item=item,
        description=facts["description"],
        gtin=facts["gtin"],
        lot=lot,
        expires_on=known[0]["expires_on"] if known else None,
        uom=facts["uom"],
        place=_place(session),
        **more,
    )


def _finished(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 1, "finished ITEM [LOT]")
    yield contents.finished(_goods(session, names[0], names[1] if len(names) > 1 else None))


def _units(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 1, "unit ITEM [SERIAL…]")
    known = {row["serial"]: row for row in _rows(session, "units", item=names[0])}
    for serial in names[1:] or known:
        row = known.get(serial, {})
        goods = _goods(
            session, names[0], row.get("lot"), serial=serial, work_order=row.get("work_order")
        )
        yield contents.finished(goods)


def _boxes(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 4, "box ITEM LOT QUANTITY NUMBER…")
    for number in names[3:]:
        yield contents.box(_goods(session, names[0], names[1], quantity=names[2]), number)


def _links(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 1, "link ITEM [LOT [SERIAL]]")
    lot, serial = [*names[1:3], None, None][:2]
    yield contents.link(_goods(session, names[0], lot, serial=serial))


def _badges(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    for row in _chosen(_rows(session, "operators"), "badge", names):
        yield contents.badge(row["badge"], row["name"], row["role"], _place(session))


def _locations(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    for row in _chosen(_rows(session, "locations"), "location", names):
        yield contents.location(row["location"], row["description"], _place(session))


def _chosen(rows: list[Row], key: str, names: tuple[str, ...]) -> list[Row]:
    """Return the rows that are named; all if none is. Raises `InputError` for an unknown name."""
    unknown = [name for name in names if name not in {row[key] for row in rows}]
    if unknown:
        raise InputError(f"There is no {key} {unknown[0]!r}. Load it, or correct the name.")
    return [row for row in rows if not names or row[key] in names]


def _command_cards(session: Session, _: tuple[str, ...], templates: Templates) -> Iterator[Sheet]:
    prefix, place = session.rules.codes.command_prefix, _place(session)
    template, where = templates.card, templates.where("command-card")
    words: CardWords = template.words
    commands = [
        Card(verb, getattr(words, word), f"{prefix}{verb}") for verb, word in COMMANDS.items()
    ]
    commands += [Card(f"QTY {n}", words.qty, f"{prefix}QTY {n}") for n in QUANTITIES]
    yield from cards(words.title, commands, place, template, where)
    for kind, verb in REASON_COMMANDS.items():
        reasons = [row for row in _rows(session, "reasons") if row["kind"] == kind]
        if reasons:
            codes = [
                Card(row["code"], row["description"], f"{prefix}{verb} {row['code']}")
                for row in reasons
            ]
            title = filled(words.reasons, {"command": verb})
            yield from cards(title, codes, place, template, where)


def _texts(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 1, "text CODE…")
    return (contents.text(name, _place(session)) for name in names)


def _gs1(session: Session, names: tuple[str, ...]) -> Iterator[Content]:
    _wants(names, 1, "gs1 AI=VALUE…")
    elements = [_element(name) for name in names]
    yield contents.gs1(elements, _place(session))


def _element(text: str) -> tuple[str, str]:
    ai, found, value = text.partition("=")
    if not found or not value:
        raise InputError(f"{text!r} is no element. Write it as 10=L-77.")
    return ai, value


LABELS: Final[dict[str, Callable[[Session, tuple[str, ...]], Iterator[Content]]]] = {
    "lot": _lots,
    "container": _containers,
    "finished": _finished,
    "unit": _units,
    "box": _boxes,
    "link": _links,
    "badge": _badges,
    "location": _locations,
    "text": _texts,
    "gs1": _gs1,
}
"""Kind of label to what makes its contents."""
PAGES: Final[dict[str, Callable[[Session, tuple[str, ...], Templates], Iterator[Sheet]]]] = {
    "traveller": _travellers,
    "command-card": _command_cards,
}
"""Kind of page to what makes its sheets."""
SITUATIONS: Final = "situations"
"""Cards in the screen's own words, without a template."""
KINDS: Final = ("traveller", *LABELS, "command-card", SITUATIONS)
