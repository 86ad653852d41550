"""The lists: `orders`, `stock`, `lots`, `exceptions`, `movements`, `journal`, `outbox`,
`audit`.

Thin: options become filters, rows come from the running core or the database, and go out as one
JSON array or as a table. Long lists stream both ways.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Final, get_args

import click
import msgspec

from mes_terminal.cli.all_stations import show_all_stations
from mes_terminal.cli.audit_verify import verify
from mes_terminal.cli.order_costs import render_costs
from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import print_rows
from mes_terminal.domain.outcome import ExceptionKind, OutcomeKind

Filters = dict[str, Any]
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "orders": (
        "work_order", "item", "revision", "quantity", "completed", "scrapped", "remaining",
        "status", "due_at",
    ),
    "order_lines": (
        "line", "component", "quantity", "uom", "basis", "scrap_pct", "operation",
        "issue_method", "supply_location", "issued", "owed", "decided_by",
    ),
    "order_reports": (
        "report_id", "kind", "quantity", "reversed", "lot", "serials", "person", "event_time",
        "status",
    ),
    "order_yield": (
        "work_order", "item", "good", "scrapped", "reworked", "yield_pct", "first_pass_pct",
        "scrap",
    ),
    "stock": ("item", "lot", "serial", "location", "quantity", "uom"),
    "lots": ("item", "lot", "status", "expires_on", "received_at", "supplier", "on_hand"),
    "stays": (
        "sequence", "position", "item", "lot", "container", "location", "mounted_at", "ended_at",
        "ended_by", "left", "gained", "units",
    ),
    "exceptions": (
        "id", "kind", "status", "severity", "work_order", "line", "item", "lot", "quantity",
        "opened_at", "cause", "suggestions", "resolution",
    ),
    "movements": (
        "sequence", "event_time", "kind", "item", "lot", "serial", "from", "to", "quantity", "uom",
        "source_rule",
    ),
    "journal": ("sequence", "received_at", "device", "code", "status", "outcome", "reason"),
    "outbox": (
        "sequence", "type", "subject", "status", "attempts", "queued_at", "delivered_at",
        "last_error",
    ),
    "audit": ("sequence", "event_time", "type", "person", "second_person", "reason", "hash"),
}  # fmt: skip
"""What a table shows of each list; `--json` has every key."""

_FILTERS: Final[dict[str, Any]] = {
    "item": click.option("--item", metavar="ITEM", help="Only this item."),
    "lot": click.option("--lot", metavar="LOT", help="Only this lot."),
    "serial": click.option("--serial", metavar="SERIAL", help="Only this serial."),
    "location": click.option("--location", metavar="LOCATION", help="Only this location."),
    "work_order": click.option("--work-order", metavar="NUMBER", help="Only this work order."),
    "type": click.option(
        "--type", metavar="TYPE", help="Only this type of event: production.completed."
    ),
    "person": click.option("--person", metavar="BADGE", help="Only what this person did."),
    "open": click.option("--open", is_flag=True, help="Only what is not finished."),
    "since": click.option(
        "--since", type=click.IntRange(0), metavar="SEQUENCE", help="Only what comes after it."
    ),
    "limit": click.option(
        "--limit", type=click.IntRange(0), metavar="N", help="At most so many rows."
    ),
}


def filter_options(*names: str) -> _Decorator:
    """Add the options of these filters to a command."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            function = _FILTERS[name](function)
        return function

    return add


def choice(name: str, *words: str, text: str) -> _Decorator:
    """Return the option of a filter that has few words."""
    return click.option(f"--{name}", type=click.Choice(words), help=text)


def show(
    session: Session, name: str, filters: Filters, told: Callable[[bytes], bytes] | None = None
) -> None:
    """Print a list as the caller asked for it; in a table each row as it is `told`."""
    asked = {key: "yes" if value is True else str(value) for key, value in filters.items()
             if value is not None and value is not False}  # fmt: skip
    rows = _begun(session.rows(name, asked))
    if told and not session.as_json:
        rows = map(told, rows)
    print_rows(rows, COLUMNS[name], as_json=session.as_json)


def _begun(rows: Iterator[bytes]) -> Iterator[bytes]:
    """Fetch the first row now, so that an error comes before anything is printed."""
    first = next(rows, None)
    return rows if first is None else chain([first], rows)


@click.group(invoke_without_command=True)
@filter_options("work_order", "item", "open", "limit")
@choice(
    "status", "planned", "released", "started", "hold", "closed", "cancelled",
    text="Only orders in this status.",
)  # fmt: skip
@click.pass_context
def orders(context: click.Context, /, **filters: Any) -> None:
    """Work orders by number: ordered, completed, what remains.

    \b
    Examples:
      mes-terminal orders
      mes-terminal orders --open --item CHAIR-4
      mes-terminal orders lines WO-1001
      mes-terminal orders reports WO-1001
      mes-terminal orders cost WO-1001
      mes-terminal orders yield
    """
    if context.invoked_subcommand is None:
        show(context.ensure_object(Session), "orders", filters)


@orders.command("lines")
@click.argument("number")
@pass_session
def order_lines(session: Session, number: str) -> None:
    """The snapshot of one order: each line, and what decided each policy.

    \b
    Example:
      mes-terminal orders lines WO-1001 --json
    """
    show(session, "order_lines", {"work_order": number})


@orders.command("reports")
@click.argument("number")
@pass_session
def order_reports(session: Session, number: str) -> None:
    """What was reported of one order, and how much of it was taken back.

    \b
    Example:
      mes-terminal orders reports WO-1001
    """
    show(session, "order_reports", {"work_order": number})


@orders.command("cost")
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@pass_session
def order_costs(session: Session, numbers: tuple[str, ...]) -> None:
    """What orders cost: material, labour, overhead, scrap, and what more was used than planned.

    Without numbers every order that something was reported of.

    \b
    Examples:
      mes-terminal orders cost WO-1001
      mes-terminal orders cost --json
    """
    currency = {"currency": session.settings.costs.currency}
    if numbers:  # all of them first: an unknown one must print nothing
        asked = [currency | {"work_order": number} for number in numbers]
        rows = iter([row for filters in asked for row in session.rows("order_costs", filters)])
    else:
        rows = _begun(session.rows("order_costs", currency))
    if session.as_json:
        print_json_array(rows)
        return
    for line in render_costs(rows):
        click.echo(line)


@orders.command("yield")
@click.argument("number", required=False)
@pass_session
def order_yield(session: Session, number: str | None) -> None:
    """Of the units that ended, how many are good, how many went to rework, and why others did not.

    \b
    Examples:
      mes-terminal orders yield
      mes-terminal orders yield WO-1003 --json
    """
    show(session, "order_yield", {"work_order": number}, told=_reasons_in_words)


def _reasons_in_words(row: bytes) -> bytes:
    """Return a yield as a table shows it: its reasons as `SCRATCH 3`."""
    told = msgspec.json.decode(row)
    told["scrap"] = [f"{each['reason'] or 'none'} {each['quantity']}" for each in told["scrap"]]
    return msgspec.json.encode(told)


@click.command()
@filter_options("item", "lot", "serial", "location", "limit")
@pass_session
def stock(session: Session, /, **filters: Any) -> None:
    """What lies where, by item, lot, serial and location.

    \b
    Examples:
      mes-terminal stock --location LINE
      mes-terminal stock --item LEG --json
    """
    show(session, "stock", filters)


@click.group(invoke_without_command=True)
@filter_options("item", "lot", "limit")
@choice("status", "available", "hold", "rejected", text="Only lots in this status.")
@click.pass_context
def lots(context: click.Context, /, **filters: Any) -> None:
    """Lots by item and number: status, expiry, what is on hand.

    \b
    Examples:
      mes-terminal lots --item PAINT
      mes-terminal lots --status hold --json
      mes-terminal lots containers CHAIN
    """
    if context.invoked_subcommand is None:
        show(context.ensure_object(Session), "lots", filters)


@lots.command("containers")
@click.argument("item")
@click.argument("lot", required=False)
@filter_options("since", "limit")
@pass_session
def lot_containers(session: Session, /, **filters: Any) -> None:
    """What was mounted where and how long, and which units each container covered.

    Of an item, or of one lot of it; oldest first.

    \b
    Examples:
      mes-terminal lots containers CHAIN
      mes-terminal lots containers LEG L-77 --json
    """
    show(session, "stays", filters, told=_units_in_words)


def _units_in_words(row: bytes) -> bytes:
    """Return a stay as a table shows it: its units as `WO-1 after 10 up to 40`."""
    stay = msgspec.json.decode(row)
    stay["units"] = [
        f"{each['work_order']} after {each['after']} up to {each['through']}"
        for each in stay["units"]
    ]
    return msgspec.json.encode(stay)


@click.command()
@filter_options("open", "work_order", "item", "since", "limit")
@choice("status", "open", "resolved", "voided", text="Only exceptions in this status.")
@choice("kind", *get_args(ExceptionKind), text="Only exceptions of this kind.")
@click.option("--all-stations", is_flag=True, help="What is open at any station, from the site.")
@pass_session
def exceptions(session: Session, /, all_stations: bool, **filters: Any) -> int:
    """Deviations that need a person, oldest first.

    \b
    Examples:
      mes-terminal exceptions --open
      mes-terminal exceptions --kind shortage --work-order WO-1102 --json
      mes-terminal exceptions --all-stations
    """
    if all_stations:
        return show_all_stations(session, filters)
    show(session, "exceptions", filters)
    return 0


@click.command()
@filter_options("item", "lot", "serial", "location", "work_order", "since", "limit")
@choice(
    "kind", "receipt", "issue", "production", "scrap", "move", "adjustment", "reversal",
    text="Only movements of this kind.",
)  # fmt: skip
@pass_session
def movements(session: Session, /, **filters: Any) -> None:
    """The ledger: every movement of stock, oldest first.

    \b
    Examples:
      mes-terminal movements --item LEG --lot L-77
      mes-terminal movements --since 1200 --limit 100 --json
    """
    show(session, "movements", filters)


@click.command()
@filter_options("since", "limit")
@choice("status", "waiting", "done", "failed", text="Only scans in this status.")
@choice("outcome", *get_args(OutcomeKind), text="Only scans that ended so.")
@pass_session
def journal(session: Session, /, **filters: Any) -> None:
    """Every scan as it was received, and what became of it.

    \b
    Examples:
      mes-terminal journal --outcome rejected
      mes-terminal journal --status waiting --json
    """
    show(session, "journal", filters)


@click.command()
@filter_options("open", "type", "since", "limit")
@choice("status", "waiting", "delivered", "refused", "parked", text="Only postings in this status.")
@pass_session
def outbox(session: Session, /, **filters: Any) -> None:
    """What goes upstream, in order, with the exact documents that are sent.

    \b
    Examples:
      mes-terminal outbox --open
      mes-terminal outbox --since 1742 --json
    """
    show(session, "outbox", filters)


@click.group(invoke_without_command=True)
@filter_options("type", "person", "since", "limit")
@click.pass_context
def audit(context: click.Context, /, **filters: Any) -> None:
    """Everything that happened, oldest first: who, when, why, and its hash.

    \b
    Examples:
      mes-terminal audit --person OP-0417
      mes-terminal audit --since 100 --json
    """
    if context.invoked_subcommand is None:
        show(context.ensure_object(Session), "audit", filters)


audit.add_command(verify)
