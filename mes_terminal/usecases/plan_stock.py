"""What a load does to lots and stock: every lot as it will stand, every arrival, every fault.

Reads in bulk, writes nothing. Called by the load, before its transaction and, if the log moved on
in between, again inside it.
"""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from mes_terminal.domain.bom import Plant
from mes_terminal.domain.conversions import Conversions
from mes_terminal.domain.instants import day_plus, local_day
from mes_terminal.domain.quantity import MICRO, QUANTITY_MAX_MICRO
from mes_terminal.domain.rules import StationRules
from mes_terminal.exchange import rows
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.rows import Row
from mes_terminal.store import receipts
from mes_terminal.store.receipts import Arrival, ContainerState, LotKey, LotState
from mes_terminal.usecases.check_plant import check_quantity
from mes_terminal.usecases.merged_rows import Merged, RowChange, content_text
from mes_terminal.usecases.plan_reads import PlanReads
from mes_terminal.usecases.plant_of_rows import in_base_units

NOTHING = LotState()


class StockPlan(Struct, frozen=True):
    """Lots to write, arrivals in the order of the file, faults."""

    lots: dict[LotKey, LotState]
    arrivals: list[Arrival]
    faults: list[Fault]


class _Facts(Struct, frozen=True):
    lots: Mapping[LotKey, LotState]
    serials: Mapping[LotKey, bool]
    containers: Mapping[str, ContainerState]
    held: dict[str, int]
    """Item → micro-units on hand, rounded up to whole units a balance; counts up as stock comes."""


def plan_stock(
    reads: PlanReads,
    merged: Merged,
    plant: Plant,
    conversions: Conversions,
    *,
    rules: StationRules,
    load_time: str,
) -> StockPlan:
    """Return what `lots.csv` and `receipts.csv` change; receipts without a time arrive now."""
    return _StockPlanner(reads, merged, plant, conversions, rules, load_time).plan()


class _StockPlanner:
    def __init__(
        self,
        reads: PlanReads,
        merged: Merged,
        plant: Plant,
        conversions: Conversions,
        rules: StationRules,
        load_time: str,
    ) -> None:
        self._merged = merged
        self._plant = plant
        self._conversions = conversions
        self._rules = rules
        self._load_time = load_time
        self._lot_changes = list(merged.tables["lots"].written())
        self._receipts = [
            row for row in merged.rows("receipts", rows.ReceiptRow).values() if row.at
        ]
        new = {change.key for change in merged.tables["receipts"].changes}
        self._new = [row for row in self._receipts if (row.reference,) in new]
        self._facts = self._read(reads)
        self._lots: dict[LotKey, LotState] = {}
        self._received: dict[str, LotKey] = {}
        self._faults: list[Fault] = []

    def plan(self) -> StockPlan:
        for change in self._lot_changes:
            self._take_lot(change)
        arrivals = []
        foreign = foreign_locations(self._merged, self._rules)
        for change in self._merged.tables["receipts"].changes:
            row = change.new
            assert isinstance(row, rows.ReceiptRow)
            if change.old is not None:
                if self._in_words(change.old) != self._in_words(row):
                    self._fault(
                        row, "reference",
                        f"{row.reference} was applied before with other content; a correction "
                        "needs a reference of its own",
                    )  # fmt: skip
                continue
            faults = list(self._check(row, foreign))
            self._faults += faults
            if not faults and not row.faulty and row.item in self._plant.items:
                arrivals.append(self._take_receipt(row))
                self._count_up(row, arrivals[-1])
        return StockPlan(self._lots, arrivals, self._faults)

    def _in_words(self, row: Row) -> str:
        """Return what a receipt says; naming the item's own unit says nothing."""
        assert isinstance(row, rows.ReceiptRow)
        item = self._merged.rows("items", rows.ItemRow).get((row.item,))
        same_unit = item is not None and row.uom == item.uom
        return content_text(msgspec.structs.replace(row, uom=None) if same_unit else row)

    def _count_up(self, row: rows.ReceiptRow, arrival: Arrival) -> None:
        """Refuse what would make more of an item than 64 bits can count (BF-1)."""
        held = self._facts.held.get(row.item, 0) + arrival.quantity_micro
        self._facts.held[row.item] = held
        if held > QUANTITY_MAX_MICRO:
            self._fault(
                row,
                "quantity",
                f"there would be more {row.item} than can be counted; write less",
            )

    def _read(self, reads: PlanReads) -> _Facts:
        keys = {_lot_key(row) for row in self._new}
        keys |= {(change.key[0], change.key[1], "") for change in self._lot_changes}
        return _Facts(
            reads(receipts.read_lots, keys),
            reads(
                receipts.serials_known, {(row.item, row.serial) for row in self._new if row.serial}
            ),
            reads(receipts.read_containers, {row.container for row in self._new if row.container}),
            reads.aside(receipts.read_held, {row.item for row in self._new}),
        )

    def _state(self, key: LotKey) -> LotState:
        return self._lots.get(key) or self._facts.lots.get(key, NOTHING)

    def _take_lot(self, change: RowChange) -> None:
        row = change.new
        assert isinstance(row, rows.LotRow)
        item = self._plant.items.get(row.item)
        if item is None:
            return
        if item.tracking != "lot":
            self._faults.append(
                Fault(
                    "lots.csv",
                    row.at or None,
                    "lot",
                    f"{row.item} is not tracked by lot; remove the row, or set tracking to lot",
                )
            )
        old = change.old if isinstance(change.old, rows.LotRow) else rows.LotRow(item="", lot="")
        state = self._state((row.item, row.lot, ""))
        said = {
            name: getattr(row, name)
            for name in ("status", "expires_on", "received_at", "supplier", "supplier_lot")
            if getattr(row, name) != getattr(old, name)
        }
        state = msgspec.structs.replace(state, **said)
        self._lots[row.item, row.lot, ""] = self._with_expiry(row.item, state)

    def _with_expiry(self, item: str, state: LotState) -> LotState:
        """Fill an empty expiry: the day received and the shelf life, inclusive."""
        shelf_life = self._merged.rows("items", rows.ItemRow)[(item,)].shelf_life_days
        if state.expires_on or shelf_life is None or state.received_at is None:
            return state
        expires_on = shelf_life_end(state.received_at, shelf_life, self._rules.zone)
        return msgspec.structs.replace(state, expires_on=expires_on)

    def _check(self, row: rows.ReceiptRow, foreign: Mapping[str, str]) -> Iterator[Fault]:
        item = self._plant.items.get(row.item)
        if item is None:
            return
        if row.location in foreign:
            yield _fault(
                row, "location",
                f"{row.location} is written by {foreign[row.location]} only; "
                "receive it there, or name another location",
            )  # fmt: skip
        yield from check_quantity(self._merged, self._conversions, "receipts", row, row.item)
        if item.kind == "phantom":
            yield _fault(row, "item", f"{row.item} is a phantom and has no stock; name its parts")
        if item.tracking == "lot" and not row.lot:
            yield _fault(row, "lot", f"{row.item} is tracked by lot; give the lot")
        if item.tracking == "none" and row.lot:
            yield _fault(row, "lot", f"{row.item} is not tracked by lot; leave the cell empty")
        if item.tracking == "none" and row.expires_on:
            yield _fault(row, "expires_on", f"{row.item} is not tracked; leave the cell empty")
        if item.tracking == "serial":
            yield from self._check_serial(row)
        elif row.serial:
            yield _fault(row, "serial", f"{row.item} is not tracked by serial; leave it empty")
        yield from self._check_lot(row)
        if row.container:
            yield from self._check_container(row)

    def _check_serial(self, row: rows.ReceiptRow) -> Iterator[Fault]:
        if not row.serial:
            yield _fault(row, "serial", f"{row.item} is tracked by serial; give the serial")
            return
        base = in_base_units(self._merged, self._conversions, row.item, row.quantity, row.uom)
        if not isinstance(base, str) and base != MICRO and not row.faulty:
            yield _fault(row, "quantity", "a serial is one unit; write 1")
        if row.container:
            yield _fault(row, "container", "a serial has no container; leave the cell empty")
        key = _lot_key(row)
        for known, left in self._facts.serials.items():
            if known[0] == row.item and known[2] == row.serial and (left or known != key):
                yield _fault(row, "serial", f"{row.serial} is known already; correct the serial")
        if key in self._lots:
            yield _fault(row, "serial", f"{row.serial} is received twice; remove one row")

    def _check_lot(self, row: rows.ReceiptRow) -> Iterator[Fault]:
        known = self._state(_lot_key(row)).expires_on
        if row.expires_on and known and row.expires_on != known:
            yield _fault(
                row, "expires_on",
                f"{row.item} {row.lot or row.serial} expires on {known}, not {row.expires_on}; "
                "correct it here or in lots.csv",
            )  # fmt: skip

    def _check_container(self, row: rows.ReceiptRow) -> Iterator[Fault]:
        container = row.container or ""
        key = _lot_key(row)
        known = self._facts.containers.get(container)
        held = known.key if known else self._received.setdefault(container, key)
        if held != key:
            yield _fault(
                row, "container",
                f"{container} holds {' '.join(filter(None, held))}; give another container",
            )  # fmt: skip

    def _take_receipt(self, row: rows.ReceiptRow) -> Arrival:
        key = _lot_key(row)
        effective_at = row.effective_at or self._load_time
        state = self._state(key)
        state = msgspec.structs.replace(
            state,
            received_at=state.received_at or effective_at,
            expires_on=state.expires_on or row.expires_on,
            supplier_lot=state.supplier_lot or row.supplier_lot,
        )
        tracked = self._plant.items[row.item].tracking != "none"
        state = self._with_expiry(row.item, state) if tracked else state
        if state != self._facts.lots.get(key):
            self._lots[key] = state
        base = in_base_units(self._merged, self._conversions, row.item, row.quantity, row.uom)
        assert not isinstance(base, str)
        return Arrival(
            reference=row.reference,
            content=content_text(row),
            key=key,
            container=row.container,
            location=row.location,
            quantity_micro=int(base),
            effective_at=effective_at,
            tracked=tracked,
        )

    def _fault(self, row: rows.ReceiptRow, column: str, message: str) -> None:
        self._faults.append(_fault(row, column, message))


def shelf_life_end(received_at: str, shelf_life_days: int, zone: ZoneInfo) -> str:
    """Return the last day of a shelf life that begins on the day received."""
    return day_plus(local_day(received_at, zone), shelf_life_days)


def foreign_locations(merged: Merged, rules: StationRules) -> dict[str, str]:
    """Return the locations that another station writes, with that station (BF-14)."""
    return {
        row.location: row.station
        for row in merged.rows("locations", rows.LocationRow).values()
        if row.station and row.station != rules.station
    }


def _lot_key(row: rows.ReceiptRow) -> LotKey:
    return row.item, row.lot or "", row.serial or ""


def _fault(row: rows.ReceiptRow, column: str, message: str) -> Fault:
    return Fault("receipts.csv", row.at or None, column, message)
