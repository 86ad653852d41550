"""`load`: check a folder of master data, orders and receipts, and apply it whole or not at all.

Everything is read, merged and checked first, outside any writing transaction, and every fault is
told; then one transaction writes what differs. The same folder again changes nothing. Called by the
core for `mes-terminal load`, by the demo and by tests.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from msgspec import UNSET, Struct, UnsetType

from mes_terminal.domain.bom import Plant
from mes_terminal.domain.conversions import Conversions
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.load_changes import LoadDiff
from mes_terminal.domain.load_proposal import Agreement
from mes_terminal.domain.rules import StationRules
from mes_terminal.exchange import rows
from mes_terminal.exchange.csv_folder import ParsedFolder, parse_folder
from mes_terminal.exchange.faults import FAULTS_MAX, Fault
from mes_terminal.store import master_data, staging
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.staging import Batch
from mes_terminal.usecases import check_plant
from mes_terminal.usecases.apply_load import LoadContext, apply_plans, rows_to_set_down
from mes_terminal.usecases.load_diff import diff_of
from mes_terminal.usecases.merged_rows import Merged, MergedTable, merge
from mes_terminal.usecases.plan_orders import OrdersPlan, plan_orders
from mes_terminal.usecases.plan_reads import PlanReads
from mes_terminal.usecases.plan_stock import StockPlan, plan_stock
from mes_terminal.usecases.plant_of_rows import conversions_of, plant_of

_ITEMS_FILE = "items.csv"


class TableCounts(Struct, frozen=True):
    """What a load does to the rows of one file; a row that leaves its set is `changed`."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


class LoadResult(Struct, frozen=True):
    """`load --json`. With faults nothing was applied; `diff` only where it was asked for."""

    tables: dict[str, TableCounts]
    faults: list[Fault]
    diff: LoadDiff | UnsetType = UNSET


class Staged(Struct, frozen=True):
    """A folder checked against one state of the database, ready to be applied."""

    parsed: ParsedFolder
    merged: Merged
    plant: Plant
    orders: OrdersPlan
    stock: StockPlan
    faults: list[Fault]
    version: int
    reads: PlanReads
    batches: list[Batch]
    """What is set down beside the database before it is applied."""


def load_folder(
    db: Database,
    files: Mapping[str, bytes],
    *,
    rules: StationRules,
    now: str,
    at: str | None,
    person: str | None = None,
    dry_run: bool = False,
    diff: bool = False,
) -> LoadResult:
    """Check the files and, unless `dry_run` or `diff`, apply them in one transaction.

    `now` is the clock's reading, `at` the load time if one was given: the arrival of receipts that
    state none, and the time of the events. Faults are returned, never raised.
    """
    staged = stage(db.conn, files, rules=rules, load_time=at or now)
    if not staged.faults and not dry_run and not diff:
        for _ in set_down(db, staged):
            pass
        staged = apply(db, staged, rules=rules, now=now, load_time=at or now, person=person)
    return result_of(db.conn, staged, rules=rules, diff=diff)


def result_of(
    conn: Connection, staged: Staged, *, rules: StationRules, diff: bool = False
) -> LoadResult:
    """Return what is told of a staged or applied folder."""
    return LoadResult(
        tables={
            name: _counts(table)
            for name, table in staged.merged.tables.items()
            if name in staged.parsed.tables or table.changes
        },
        faults=staged.faults,
        diff=diff_of(conn, staged.merged, rules) if diff else UNSET,
    )


def stage(
    conn: Connection, files: Mapping[str, bytes], *, rules: StationRules, load_time: str
) -> Staged:
    """Read, merge and check everything; a reading connection will do."""
    return _stage(conn, parse_folder(files, rules.zone), rules=rules, load_time=load_time)


def set_down(db: Database, staged: Staged) -> Iterator[None]:
    """Set down what was staged beside the database, a part a step; scans may go between them."""
    staging.clear(db.conn)
    for part in staging.parts_of(staged.batches):
        staging.set_down(db.conn, part)
        yield


def apply(
    db: Database,
    staged: Staged,
    *,
    rules: StationRules,
    now: str,
    load_time: str,
    person: str | None = None,
    agreed: Agreement | None = None,
    down_version: int | None = None,
    conclude: Callable[[Connection], None] | None = None,
) -> Staged:
    """Write what was staged and set down; return what was applied, or the faults that kept it out.

    What the station did since the staging is taken into account inside the transaction. `agreed`
    is what a second person gave their word for, `down_version` the version of what came down from
    above; `conclude` is called in the same transaction where there is no fault.
    """
    with db.transaction() as conn:
        master_data.ensure_locations(conn, rules)
        if staged.version != master_data.read_version(conn) or not staged.reads.hold(conn):
            staged = _stage(conn, staged.parsed, rules=rules, load_time=load_time)
            for _ in set_down(db, staged):
                pass
        if not staged.faults and any(table.changes for table in staged.merged.tables.values()):
            context = LoadContext(
                rules=rules,
                now=now,
                load_time=load_time,
                person=person,
                version=staged.version + 1,
                agreed=agreed,
                down_version=down_version,
            )
            apply_plans(conn, staged.merged, staged.plant, staged.stock, staged.orders, context)
        if not staged.faults and conclude is not None:
            conclude(conn)
    staging.clear(db.conn)
    return staged


def _stage(
    conn: Connection, parsed: ParsedFolder, *, rules: StationRules, load_time: str
) -> Staged:
    version = master_data.read_version(conn)
    reads = PlanReads(conn)
    merged = merge(conn, parsed)
    conversions = conversions_of(merged)
    plant = plant_of(merged, conversions)
    orders = plan_orders(
        reads,
        merged,
        plant,
        conversions,
        rules=rules,
        load_time=load_time,
    )
    stock = plan_stock(reads, merged, plant, conversions, rules=rules, load_time=load_time)
    today = local_day(load_time, rules.zone)
    unread = _unread(parsed, merged)
    checked = [
        *_check_folder(parsed, merged),
        *_check_master_data(conn, reads, merged, plant, conversions, rules, today, unread),
        *(() if unread else orders.faults),
        *stock.faults,
    ]
    found = [*parsed.faults, *map(parsed.original, checked)]
    return Staged(
        parsed=parsed,
        merged=merged,
        plant=plant,
        orders=orders,
        stock=stock,
        faults=_in_order(found),
        version=version,
        reads=reads,
        batches=[] if found else rows_to_set_down(merged, plant, orders),
    )


def _unread(parsed: ParsedFolder, merged: Merged) -> set[str]:
    """Return the tables that are not known whole: what others miss in them may be there."""
    unread = {name for name, table in parsed.tables.items() if not table.whole}
    return unread | set(() if merged.tables["items"].rows else ("items",))


def _check_folder(parsed: ParsedFolder, merged: Merged) -> Iterator[Fault]:
    if "items" not in parsed.tables and not merged.tables["items"].rows:
        yield Fault(_ITEMS_FILE, None, None, "the file is missing; every plant begins with it")


def _check_master_data(
    conn: Connection,
    reads: PlanReads,
    merged: Merged,
    plant: Plant,
    conversions: Conversions,
    rules: StationRules,
    today: str,
    unread: Collection[str],
) -> Iterator[Fault]:
    locations = {
        rules.supply_location,
        rules.output_location,
        rules.scrap_location,
        *master_data.read_locations(conn),
        *(row.location for row in merged.rows("locations", rows.LocationRow).values()),
    }
    yield from check_plant.check_references(merged, locations, unread)
    yield from check_plant.check_codes(merged, conversions)
    if not merged.changed(*check_plant.PLANT_TABLES):
        return
    yield from check_plant.check_items(merged)
    yield from _check_stocked_items(reads, merged)
    yield from check_plant.check_conversions(merged, conversions)
    yield from check_plant.check_locations(merged, rules)
    yield from check_plant.check_boms(merged)
    yield from check_plant.check_bom_lines(merged, plant, conversions)
    yield from check_plant.check_routings(merged)
    if not unread:
        yield from check_plant.check_explosions(merged, plant, rules, today)


def _check_stocked_items(reads: PlanReads, merged: Merged) -> Iterator[Fault]:
    """Find items whose unit, step or tracking changes under their stock."""
    altered: dict[str, tuple[rows.ItemRow, str]] = {}
    for change in merged.tables["items"].changes:
        old, new = change.old, change.new
        if isinstance(old, rows.ItemRow) and isinstance(new, rows.ItemRow) and not new.faulty:
            for column in ("uom", "decimals", "tracking"):
                if getattr(old, column) != getattr(new, column):
                    altered[new.item] = (new, column)
    for item in reads(master_data.items_with_stock, altered.keys()):
        row, column = altered[item]
        yield Fault(
            _ITEMS_FILE,
            row.at or None,
            column,
            f"{item} has stock, so its {column} cannot change; count it to zero first",
        )


def _in_order(found: list[Fault]) -> list[Fault]:
    """Return each fault once, by file and line, as many as are told."""
    ordered = sorted(set(found), key=lambda one: (one.file, one.line or 0, one.column or ""))
    return ordered[:FAULTS_MAX]


def _counts(table: MergedTable) -> TableCounts:
    added = sum(change.old is None for change in table.changes)
    return TableCounts(added, len(table.changes) - added, table.unchanged)
