"""`site`: the receiver for many stations, and what it knows (extra `site`).

Thin: the group alone runs the receiver; its commands read the site's database or say something to
it. Packages of the extra are imported when a command needs them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from mes_terminal import logs
from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.site_down import hold, load
from mes_terminal.cli.table import print_rows
from mes_terminal.cli.trace import trace_lines, trace_options
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.site.database import Connection, SiteDatabase

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "stock": ("item", "lot", "serial", "location", "quantity", "uom"),
    "orders": (
        "work_order", "item", "quantity", "completed", "scrapped", "remaining", "status",
        "stations",
    ),
    "stations": (
        "station", "last_seen_at", "watermark", "highest", "behind", "missing", "refused",
        "exceptions", "confirmed_version",
    ),
    "conflicts": ("id", "kind", "state", "opened_at", "sentence", "stations"),
    "exceptions": (
        "station", "id", "kind", "work_order", "line", "item", "lot", "quantity", "opened_at",
        "cause",
    ),
    "refused": ("source", "sequence", "type", "work_order", "event_time", "reason", "sentence"),
    "affected": ("item", "lot", "serial", "work_order", "depth", "where", "stations"),
}  # fmt: skip
"""What a table shows; `--json` has every key."""


@click.group(invoke_without_command=True)
@click.pass_context
def site(context: click.Context) -> None:
    """The receiver for many stations: runs until SIGTERM; its commands ask what it knows.

    Needs PostgreSQL (`site.database`) and the extra: pip install "mes-terminal[site]".

    \b
    Examples:
      mes-terminal --config site.toml site
      mes-terminal site stations
      mes-terminal site recall LEG L-77
      mes-terminal site hold LEG L-77 --as Quinn
    """
    if context.invoked_subcommand is None:
        _run(context.ensure_object(Session))


@site.command()
@pass_session
def migrate(session: Session) -> None:
    """Make the site's database, or bring it up to this program.

    The receiver does it by itself when it starts.

    \b
    Example:
      mes-terminal site migrate
    """
    with _database(session) as (_, applied):
        if session.as_json:
            _print(applied)
        else:
            click.echo(f"Applied: {', '.join(applied)}." if applied else "Nothing to apply.")


@site.command()
@click.option("--item", metavar="ITEM", help="Only this item.")
@click.option("--lot", metavar="LOT", help="Only this lot.")
@click.option("--location", metavar="LOCATION", help="Only this location.")
@pass_session
def stock(session: Session, item: str | None, lot: str | None, location: str | None) -> None:
    """Stock over all stations, by item, lot, serial and location.

    \b
    Example:
      mes-terminal site stock --item LEG --json
    """
    _show(session, "stock", item=item, lot=lot, location=location)


@site.command()
@click.option("--work-order", metavar="NUMBER", help="Only this work order.")
@click.option("--item", metavar="ITEM", help="Only this item.")
@pass_session
def orders(session: Session, work_order: str | None, item: str | None) -> None:
    """Orders with what all stations together reported.

    \b
    Example:
      mes-terminal site orders --work-order WO-1001
    """
    _show(session, "orders", work_order=work_order, item=item)


@site.command()
@pass_session
def stations(session: Session) -> None:
    """The stations: last seen, how far behind, what is missing, what they confirmed.

    \b
    Example:
      mes-terminal site stations --json
    """
    _show(session, "stations")


@site.command()
@click.option("--all", "show_all", is_flag=True, help="Also those that have ended.")
@pass_session
def conflicts(session: Session, show_all: bool) -> None:
    """What no station alone can see: one serial twice, too much of an order, ...

    \b
    Example:
      mes-terminal site conflicts --all
    """
    _show(session, "conflicts", only_open=not show_all)


@site.command()
@click.option("--all", "show_all", is_flag=True, help="Also those that are resolved.")
@pass_session
def exceptions(session: Session, show_all: bool) -> None:
    """The open exceptions of all stations.

    \b
    Example:
      mes-terminal site exceptions --json
    """
    _show(session, "exceptions", only_open=not show_all)


@site.command()
@pass_session
def refused(session: Session) -> None:
    """The postings that stand refused, and why.

    \b
    Example:
      mes-terminal site refused
    """
    _show(session, "refused")


@site.command()
@click.argument("item")
@click.argument("lot", required=False)
@click.option("--serial", metavar="SERIAL", help="This serial number instead of a lot.")
@trace_options
@pass_session
def trace(
    session: Session,
    item: str,
    lot: str | None,
    serial: str | None,
    direction: str,
    show_all: bool,
    form: str | None,
) -> None:
    """Genealogy over all stations: what a lot or serial was made from, or where it went.

    \b
    Examples:
      mes-terminal site trace CHAIR-4 WO-1001
      mes-terminal site trace LEG L-77 --forward --json
    """
    from mes_terminal.site import genealogy

    forward = direction == "forward"
    chosen = form or ("json" if session.as_json else "tree")
    with _reading(session) as conn:
        found = genealogy.trace(
            conn, item, lot=lot or "", serial=serial or "", forward=forward,
            show_all=show_all or chosen == "json",
        )  # fmt: skip
    if chosen == "json":
        _print(found)
        return
    for line in trace_lines(found, chosen, forward=forward):
        click.echo(line)


@site.command()
@click.argument("item")
@click.argument("lot", required=False)
@click.option("--serial", metavar="SERIAL", help="This serial number instead of a lot.")
@pass_session
def recall(session: Session, item: str, lot: str | None, serial: str | None) -> None:
    """What a lot or serial is in, where all of it is now, and what became of its quantity.

    \b
    Example:
      mes-terminal site recall LEG L-77
    """
    from mes_terminal.site import genealogy

    with _reading(session) as conn:
        found = genealogy.recall(conn, item, lot=lot or "", serial=serial or "")
    if session.as_json:
        _print(found)
        return
    mass = ", ".join(f"{name} {quantity}" for name, quantity in found["mass_balance"].items())
    click.echo(f"{item} {lot or serial}: {mass} {found['uom']}")
    for place in found["on_hand"]:
        click.echo(f"  {place['quantity']} at {place['location']}")
    rows = [each | {"where": _places(each["on_hand"])} for each in found["affected"]]
    print_rows(map(msgspec.json.encode, rows), COLUMNS["affected"], as_json=False)


@site.command("close-period")
@click.argument("day", metavar="DATE")
@click.option("--as", "person", required=True, metavar="NAME", help="Who says so.")
@pass_session
def close_period(session: Session, day: str, person: str) -> None:
    """Take nothing any more that happened before a day; `none` opens all again.

    The day begins at midnight in the time zone of `station.time_zone`.

    \b
    Examples:
      mes-terminal site close-period 2026-11-01 --as Quinn
      mes-terminal site close-period none --as Quinn
    """
    from mes_terminal.site import control

    before = None if day == "none" else _midnight(day, session)
    with _database(session) as (database, _), database.transaction() as conn:
        control.close_period(conn, before, person=person)
    said = None if before is None else before.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if session.as_json:
        _print({"closed_before": said})
    else:
        click.echo(f"Closed before {said}." if said else "No period is closed.")


@site.group()
def order() -> None:
    """Let an order take reports no more, or again."""


@order.command("close")
@click.argument("work_order")
@click.option("--cancel", is_flag=True, help="It is cancelled, not closed.")
@click.option("--as", "person", required=True, metavar="NAME", help="Who says so.")
@pass_session
def close_order(session: Session, work_order: str, cancel: bool, person: str) -> None:
    """Refuse reports of what happens from now on; what happened before is still taken.

    \b
    Example:
      mes-terminal site order close WO-1001 --as Quinn
    """
    from mes_terminal.site import control
    from mes_terminal.site.queries import instant

    with _database(session) as (database, _), database.transaction() as conn:
        since = instant(control.close_order(conn, work_order, person=person, cancelled=cancel))
    if session.as_json:
        _print({"work_order": work_order, "closed_at": since})
    else:
        click.echo(f"{work_order} takes nothing that happens after {since}.")


@order.command("open")
@click.argument("work_order")
@pass_session
def open_order(session: Session, work_order: str) -> None:
    """Let an order take reports again; what was refused is sent again by its station.

    \b
    Example:
      mes-terminal site order open WO-1001
    """
    from mes_terminal.site import control

    with _database(session) as (database, _), database.transaction() as conn:
        control.open_order(conn, work_order)
    if session.as_json:
        _print({"work_order": work_order, "closed_at": None})
    else:
        click.echo(f"{work_order} takes reports again.")


@site.command("end-conflict")
@click.argument("number", type=click.IntRange(1))
@click.option("--reason", required=True, metavar="TEXT", help="How it was mended.")
@click.option("--as", "person", required=True, metavar="NAME", help="Who says so.")
@pass_session
def end_conflict(session: Session, number: int, reason: str, person: str) -> None:
    """End a conflict that does not end by itself: one identity twice, postings lost, a location.

    \b
    Example:
      mes-terminal site end-conflict 7 --reason "copy shut down" --as Quinn
    """
    from mes_terminal.site.conflicts import end_conflict as end

    with _database(session) as (database, _), database.transaction() as conn:
        found = end(conn, number, person=person, reason=reason)
    if not found:
        raise InputError(f"There is no open conflict {number}. mes-terminal site conflicts.")
    if session.as_json:
        _print({"id": number, "state": "ended"})
    else:
        click.echo(f"Conflict {number} has ended.")


site.add_command(hold)
site.add_command(load)


def _run(session: Session) -> None:
    with _extra():
        from mes_terminal.site.serve import run_site

    logs.write_to(sys.stderr)
    try:
        run_site(session.settings.site, say=lambda words: click.echo(words, err=True))
    finally:
        logs.close()


def _show(session: Session, name: str, **filters: Any) -> None:
    with _extra():
        from mes_terminal.site import queries

    with _reading(session) as conn:
        found = getattr(queries, name)(conn, **filters)
    print_rows(map(msgspec.json.encode, found), COLUMNS[name], as_json=session.as_json)


@contextmanager
def _reading(session: Session) -> Iterator[Connection]:
    """Give one moment of the site's database; what is read together belongs together."""
    with _database(session) as (database, _), database.transaction() as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield conn


@contextmanager
def _database(session: Session) -> Iterator[tuple[SiteDatabase, list[str]]]:
    """Give the site's database, made ready, and what that took."""
    with _extra():
        from mes_terminal.site.database import open_database

    database = open_database(session.settings.site)
    try:
        yield database, database.migrate()
    finally:
        database.close()


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f'This needs the package {error.name}. Install it: pip install "mes-terminal[site]"'
        ) from error


def _midnight(day: str, session: Session) -> datetime:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise InputError(f"{day[:40]!r} is no day. Write it as 2026-11-01, or none.") from None
    return datetime.combine(found, time(), session.rules.zone).astimezone(UTC)


def _places(on_hand: list[dict[str, str]]) -> str:
    return ", ".join(f"{each['quantity']} at {each['location']}" for each in on_hand)


def _print(value: Any) -> None:
    sys.stdout.buffer.write(json_line(value) + b"\n")
    sys.stdout.buffer.flush()
