"""The difference between upstream's stock and the station's, explained by postings.

Upstream's figures come from a file of the ERP (`stock`), else from what the core read of the
receiver last. Whatever the outbox holds, memory grows with the stock only: postings are added up as
they are read. Called through `usecases.lists.LISTS`; the core notes the receiver's figures.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

import msgspec
from msgspec import Struct

from mes_terminal.domain.conversions import ConversionFault
from mes_terminal.domain.delivery import StockReading
from mes_terminal.domain.instants import parse_instant
from mes_terminal.domain.posting import full_type
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.domain.reconcile import (
    Comparison,
    Difference,
    FiguresTold,
    Level,
    Part,
    StockKey,
    read_posting,
    stock_key,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.sequences import Sequences
from mes_terminal.errors import InputError, TransportError
from mes_terminal.exchange.mapping import MAPPING_FILE
from mes_terminal.exchange.stock_file import StockPiece, read_stock
from mes_terminal.store import reconcile as store
from mes_terminal.store.checks import snapshot
from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_filters import check_filters
from mes_terminal.usecases.epoch import current_epoch
from mes_terminal.usecases.refused_postings import sequence_of

FILTERS: Final = ("by", "item", "stock", "mapping", "at")
MAPPING_MAX_BYTES: Final = 1 << 20
PLACES_NAMED_MAX: Final = 10
"""Locations named where figures lie elsewhere."""
FILE_MAX_BYTES: Final = 256 * 1024 * 1024
"""More is no stock of one station."""
REVERSED: Final = full_type("report.reversed")


class Figures(Struct, frozen=True, kw_only=True):
    """Upstream's stock, and which postings it includes."""

    stock: list[tuple[StockKey, int]]
    units: Mapping[str, str] = {}
    as_of: str | None
    """When they were true; `None`: they do not say."""
    first: int
    """They have what upstream has from here"""
    watermark: int
    """up to here, whether the station knows that or not,"""
    beyond: Sequences = Sequences()
    """and these,"""
    refused: Collection[int] = ()
    """but not these: they were refused then, or are."""
    before: str | None = None
    """Of that only what was delivered until then."""
    has_loaded: bool = False
    """They have the receipts that were loaded here: they came from there."""


class Compared(Struct, frozen=True, kw_only=True):
    """The whole comparison."""

    rows: list[Difference]
    as_of: str | None
    """When upstream's figures were true; `None`: a file that does not say."""
    left_out: int
    """Pieces of upstream's stock that lie elsewhere."""
    postings: int
    """Postings that were added up."""


class StockChanges(Struct, frozen=True, kw_only=True):
    """What the receiver's stock is now, against what was noted of it before."""

    since: str | None
    """When that was noted; `None`: nothing was."""
    pieces: int
    """Of all its stock."""
    differ: list[tuple[StockKey, int]]
    gone: list[StockKey]


def reconcile(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[Difference]:
    """Yield the comparison item by item, or as finely as `by` says.

    Raises `InputError` where there are no figures of upstream, for a wrong file, a wrong filter.
    """
    check_filters("reconcile", filters, FILTERS)
    yield from compare(database, filters, rules=rules, now=now).rows


def compare(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Compared:
    """Return the comparison that the filters ask for, which are those of `reconcile`."""
    level = _level(filters)
    with snapshot(database):
        figures = _figures(database, filters, rules, now)
        item = filters.get("item")
        if item is not None:
            _check_known(database, figures, item)
        return _compare(database, figures, level, item, rules)


def reconcile_figures(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[FiguresTold]:
    """Yield what is to be known of the figures of such a comparison, in one row."""
    check_filters("reconcile_figures", filters, FILTERS)
    with snapshot(database):
        figures = _figures(database, filters, rules, now)
        own = store.own_locations(database, rules.station)
    only = filters.get("item")
    places = [
        key.location
        for key, _ in figures.stock
        if only in (None, key.item) and key.location is not None and key.location not in own
    ]
    elsewhere = sorted(set(places))[:PLACES_NAMED_MAX]
    yield FiguresTold(as_of=figures.as_of, left_out=len(places), elsewhere=elsewhere)


def stock_changes(database: Database, reading: StockReading) -> StockChanges:
    """Return what is another than what the receiver said before; a reading connection will do.

    Raises `TransportError` for what is no stock.
    """
    since = store.noted_at(database)
    pieces: dict[StockKey, int] = {}
    try:
        for each in reading.stock:
            key = stock_key(each.item, each.lot, each.serial, each.location)
            pieces[key] = pieces.get(key, 0) + parse_quantity(each.quantity)
    except QuantityError as error:
        raise TransportError(f"The receiver's stock cannot be read: {error}.") from error
    before = dict(store.figures(database, None))
    return StockChanges(
        since=since,
        pieces=len(pieces),
        differ=[(key, micro) for key, micro in pieces.items() if before.get(key) != micro],
        gone=[key for key in before if key not in pieces],
    )


def note_upstream_stock(
    db: Database, reading: StockReading, *, now: str, changes: StockChanges | None = None
) -> None:
    """Keep what the receiver says of its stock, in place of what it said before. `changes` is what
    was found beforehand; it is found anew where something was noted since."""
    with db.transaction() as conn:
        if changes is None or changes.since != store.noted_at(db):
            changes = stock_changes(db, reading)
        epoch = current_epoch(conn).epoch
        beyond = msgspec.json.encode(reading.beyond).decode()
        noted = store.Reading(
            as_of=reading.as_of, watermark=reading.watermark, epoch=epoch, pieces=changes.pieces,
            beyond=beyond, noted_at=now,
        )  # fmt: skip
        store.note_reading(conn, noted, differ=changes.differ, gone=changes.gone)


def _compare(
    database: Database, figures: Figures, level: Level, item: str | None, rules: StationRules
) -> Compared:
    comparison = Comparison(level, own=store.own_locations(database, rules.station), only=item)
    comparison.add_upstream(figures.stock)
    comparison.add_station(store.stock(database, item))
    let_go = _reports_let_go(database)
    added = 0
    lacking = store.postings(
        database, watermark=figures.watermark, at=figures.before, refused=figures.refused
    )
    for each in lacking:
        if _has(figures, each):
            continue
        posting = read_posting(each.body)
        if posting.type == REVERSED and posting.data.reverses in let_go:
            continue  # accepted without effect: what it takes back never had one
        if figures.has_loaded and posting.came_down:
            continue
        part = _part(each)
        status = "let_go" if each.let_go else each.status
        comparison.add_posting(each.sequence, posting, part, status)
        added += 1
    units = {**figures.units, **store.units(database)}
    return Compared(
        rows=list(comparison.rows(units)),
        as_of=figures.as_of,
        left_out=comparison.left_out,
        postings=added,
    )


def _has(figures: Figures, posting: store.Queued) -> bool:
    """Tell whether figures have a posting though it is not delivered, or above the watermark."""
    if posting.sequence in figures.refused:
        return False
    if posting.status == "waiting" and figures.first <= posting.sequence <= figures.watermark:
        return True  # its answer was lost, or is on its way
    # it came before others of other orders
    return posting.status in ("waiting", "delivered") and posting.sequence in figures.beyond


def _check_known(database: Database, figures: Figures, item: str) -> None:
    """A name that nobody knows has no difference, and is no proof that all agrees."""
    if item not in store.units(database) and all(key.item != item for key, _ in figures.stock):
        raise InputError(
            f"There is no item {item[:64]!r}, here or in the figures of upstream. "
            "mes-terminal lots lists items and lots.",
            reason="item_unknown",
        )


def _part(posting: store.Queued) -> Part:
    if posting.let_go:
        return "let_go"
    return "in_exceptions" if posting.status in ("refused", "parked") else "queued"


def _reports_let_go(database: Database) -> set[str]:
    """Return the ids of the reports that upstream refused for good."""
    found = (read_posting(body).data.report_id for body in store.bodies_let_go(database))
    return {report_id for report_id in found if report_id is not None}


def _level(filters: Mapping[str, str]) -> Level:
    given = filters.get("by", "item")
    for level in get_args(Level):
        if given == level:
            return level  # type: ignore[no-any-return]
    raise InputError(f"It can be compared by {', '.join(get_args(Level))}, not by {given[:40]!r}.")


def _figures(
    database: Database, filters: Mapping[str, str], rules: StationRules, now: str
) -> Figures:
    at = filters.get("at")
    if "stock" in filters:
        return _of_file(database, filters, rules, now)
    if at is not None:
        raise InputError("--at says when the figures of a file were true: give --stock too.")
    if "mapping" in filters:
        raise InputError("--mapping says how the file of --stock is read: give --stock too.")
    found = store.reading(database)
    if found is None:
        raise InputError(
            "There are no figures of upstream yet. Give a file of its stock: mes-terminal "
            "reconcile --stock FILE (item, lot, serial, location, quantity, uom).",
            reason="no_figures",
        )
    epoch = current_epoch(database.conn)
    is_current = found.epoch == epoch.epoch
    has = found.watermark if is_current else 0
    beyond = msgspec.json.decode(found.beyond, type=list[tuple[int, int]]) if is_current else []
    return Figures(
        stock=list(store.figures(database, filters.get("item"))),
        as_of=found.as_of,
        first=epoch.first_sequence,
        watermark=max(epoch.first_sequence - 1, has),
        beyond=Sequences(beyond),
        refused={
            sequence_of(subject)
            for subject in store.refused_subjects(database, noted_at=found.noted_at)
        },
    )


def _of_file(
    database: Database, filters: Mapping[str, str], rules: StationRules, now: str
) -> Figures:
    """Read a file of stock; what was delivered before `at` is in it."""
    path, at = Path(filters["stock"]), filters.get("at")
    mapping = None
    if "mapping" in filters:
        mapping = _content(Path(filters["mapping"]), MAPPING_MAX_BYTES)
    content = _content(path, FILE_MAX_BYTES)
    pieces, faults = read_stock(content, path.name, mapping=mapping, zone=rules.zone)
    if faults:
        if faults[0].file == MAPPING_FILE:
            given = Path(filters["mapping"]).name
            faults = [msgspec.structs.replace(fault, file=given) for fault in faults]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InputError(f"{faults[0]}{more}.", reason="stock_file")
    _check_places(database, path.name, pieces, rules)
    instant = None if at is None else _instant(at, rules, now)
    return Figures(
        stock=list(_in_base_units(database, path.name, pieces)),
        units={piece.key.item: piece.uom for piece in pieces if piece.uom},
        as_of=instant,
        first=store.EVERYTHING,
        watermark=store.EVERYTHING,
        before=instant,
        has_loaded=True,
    )


def _check_places(
    database: Database, name: str, pieces: Sequence[StockPiece], rules: StationRules
) -> None:
    """Raise where nothing of a file lies here: its locations are called otherwise."""
    own = store.own_locations(database, rules.station)
    places = sorted({piece.key.location or "" for piece in pieces})
    if not places or "" in places or own & set(places):
        return
    there = ", ".join(place[:40] for place in places[:PLACES_NAMED_MAX])
    raise InputError(
        f"{name}: nothing of it lies at a location of this station ({', '.join(sorted(own))}): it "
        f"has {there}. Translate them by values in a mapping, or leave the column out.",
        reason="stock_file",
    )


def _in_base_units(
    database: Database, name: str, pieces: Iterable[StockPiece]
) -> Iterator[tuple[StockKey, int]]:
    """Yield each piece in its item's unit, exactly (BF-2)."""
    units, conversions = store.units(database), store.conversions(database)
    for piece in pieces:
        item, own = piece.key.item, units.get(piece.key.item)
        if piece.uom is None or own is None or piece.uom == own:
            yield piece.key, piece.quantity_micro
            continue
        factor = conversions.factor(item, piece.uom, own)
        micro = None if isinstance(factor, ConversionFault) else piece.quantity_micro * factor
        if micro is None or micro.denominator != 1:
            why = (
                f"there is no conversion from {piece.uom}; add one to unit_conversions.csv, or "
                if micro is None
                else f"its {piece.uom} have more than six decimal places in {own}; "
            )
            raise InputError(
                f"{name}:{piece.line}: {item} is counted in {own} here, and {why}export it in "
                f"{own}.",
                reason="stock_file",
            )
        yield piece.key, micro.numerator


def _instant(at: str, rules: StationRules, now: str) -> str:
    try:
        instant = parse_instant(at, rules.zone)
    except ValueError:
        raise InputError(f"--at {at[:40]!r} is no time. Write it so: 2026-11-20T13:05.") from None
    if instant > now:
        raise InputError(f"--at {at} is later than now.")
    return instant


def _content(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", reason="stock_file") from None
    if len(content) > most:
        raise InputError(f"{path} is too large: {most >> 20} MB at most.")
    return content
