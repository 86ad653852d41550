"""What stations need to know of Tryton, as rows of the master-data tables (UP-9).

Products, units, the BOM that a product is made by, lots, orders with their planned material, and
what was brought to the stations' places. Read anew since the last time by the date of change; only
what says something else than before is returned, an order or a BOM with all its lines.
Ids of Tryton's stand in `erp_ref`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from mes_terminal.exchange.down_tables import Rows, key_of, rows_of
from mes_terminal.site.tryton.catalogue import UNKNOWN_LOT
from mes_terminal.site.tryton.client import Domain, Row, TrytonClient, instant
from mes_terminal.site.tryton.goods import Cells, Goods, plain
from mes_terminal.site.tryton.movements import FROM_ERP, REFERENCE
from mes_terminal.site.tryton.order_plan import MODEL as PRODUCTION

OVERLAP_S: Final = 300
"""How far back each reading begins before the newest change seen: transactions that began earlier
may have been committed later."""
STATUS: Final = {
    "request": "planned",
    "draft": "planned",
    "waiting": "released",
    "assigned": "released",
    "running": "hold",  # its material was consumed in Tryton: nobody may consume it again
    "done": "closed",
    "cancelled": "cancelled",
}
"""What an order's state is called at the stations."""
OPEN: Final = ("planned", "released", "hold")
LINE_STEP: Final = 10


class Puller:
    """Reads what changed. `places` are the codes of the stations' locations, `units` the stations'
    names of units by Tryton's symbols, `serial_category` the product category of what is tracked by
    serial number (Tryton itself knows lots only); `told` returns the orders that stations were told
    before, and is asked at the first reading."""

    def __init__(
        self,
        client: TrytonClient,
        *,
        places: Collection[str],
        units: Mapping[str, str],
        serial_category: str = "Serial",
        told: Callable[[], Iterable[Rows]] = list,
    ) -> None:
        self._client = client
        self._told = told
        self._places = sorted(places)
        self._goods = Goods({symbol: name for name, symbol in units.items()}, serial_category)
        self._since: datetime | None = None
        self._newest: datetime | None = None
        self._sent: dict[str, Rows] = {}
        self._revisions: set[tuple[str, str]] = set()
        self._beside: dict[tuple[int, int], dict[int, Decimal]] = {}
        """What a unit takes by a BOM and its product, of those with other outputs."""
        self._lots: dict[tuple[int, str], int] = {}
        """The oldest lot of each product and number: what the stations mean by it."""

    def pull(self) -> list[Rows]:
        """Return what changed since the last call, a thing with its parts each, in an order in
        which each refers to what stands before it; everything at the first call."""
        self._newest = self._since
        if self._since is None:
            self._sent |= {key_of(each): each for each in self._told()}
        self._goods.read(self._client, self._read)
        boms, lines = self._read_boms()
        self._revisions |= {(row["item"], row["revision"]) for row in boms}
        orders, order_lines = self._read_orders()
        documents = self._gone() + rows_of(
            {
                "items": self._goods.items(),
                "unit_conversions": self._goods.conversions([*lines, *order_lines]),
                "boms": boms,
                "bom_lines": lines,
                "lots": self._read_lots(),
                "receipts": self._read_receipts(),
                "work_orders": orders,
                "work_order_lines": order_lines,
            }
        )
        changed = [each for each in map(self._whole, documents) if self._is_news(each)]
        self._since = self._newest
        return changed

    def _whole(self, document: Rows) -> Rows:
        """Return an order with the lines that it was sent with: a begun one has none any more."""
        before = self._sent.get(key_of(document), {})
        if "work_orders" in document and "work_order_lines" not in document:
            lines = {"work_order_lines": before.get("work_order_lines", [])}
            return dict(document) | {name: rows for name, rows in lines.items() if rows}
        return document

    def _gone(self) -> list[Rows]:
        """Return the open orders whose production was deleted in Tryton, as cancelled ones."""
        heads = [each["work_orders"][0] for each in self._sent.values() if "work_orders" in each]
        numbers = {
            int(head["erp_ref"].removeprefix(f"{PRODUCTION},")): head["work_order"]
            for head in heads
            if head["status"] in OPEN and head.get("erp_ref", "").startswith(f"{PRODUCTION},")
        }
        there = self._client.search(PRODUCTION, [("id", "in", list(numbers))], ["id"])
        gone = numbers.keys() - {row["id"] for row in there}
        if gone and not self._client.search(PRODUCTION, [], ["id"], limit=1):
            return []  # somebody took from the bridge's user what it may see
        return [
            before | {"work_orders": [dict(before["work_orders"][0]) | {"status": "cancelled"}]}
            for number in sorted(gone)
            if (before := dict(self._sent[f"work_orders:{numbers[number]}"]))
        ]

    def _is_news(self, document: Rows) -> bool:
        key = key_of(document)
        if self._sent.get(key) == document:
            return False
        self._sent[key] = document
        return True

    def _read(self, model: str, domain: Domain, fields: list[str], *more: str) -> list[Row]:
        """Return the records that fit and changed; `more` are what changes with them."""
        whole: Domain = [domain] if domain else []
        if self._since is not None:
            since = instant(self._since - timedelta(seconds=OVERLAP_S))
            dates = [f"{name}{kind}_date" for name in ("", *more) for kind in ("create", "write")]
            whole.append(["OR", *((name, ">=", since) for name in dates)])
        rows = self._client.search(model, whole, [*fields, "create_date", "write_date"])
        for row in rows:
            stamps = [row["create_date"], row["write_date"], self._newest]
            self._newest = max((each for each in stamps if each is not None), default=None)
        return rows

    def _read_boms(self) -> tuple[list[Cells], list[Cells]]:
        """Return the first BOM of each product and its lines. One with a phantom in it is left out:
        the orders bring their exploded lines."""
        first: dict[int, int] = {}
        link = "product.product-production.bom"
        for row in self._client.search(
            link, [], ["product", "bom"], order=[("sequence", "ASC NULLS FIRST"), ("id", "ASC")]
        ):
            first.setdefault(row["product"], row["bom"])
        fields = ["code", "inputs", "outputs"]
        domain = [("phantom", "!=", True), ("inputs.phantom_bom", "=", None)]
        boms = {row["id"]: row for row in self._read("production.bom", domain, fields, "inputs.")}
        parts = self._parts(boms.values())
        heads: list[Cells] = []
        lines: list[Cells] = []
        for product_id, bom_id in first.items():
            bom = boms.get(bom_id)
            parts_of = [*parts.get((bom_id, "inputs"), ()), *parts.get((bom_id, "outputs"), ())]
            if bom is None or not self._goods.knows([{"product": product_id}, *parts_of]):
                continue
            own = [row for row in parts[bom_id, "outputs"] if row["product"] == product_id]
            made = sum((self._goods.in_own_unit(row) for row in own), Decimal(0))
            key = {"item": self._goods.code(product_id), "revision": revision_of(bom)}
            self._beside.pop((bom_id, product_id), None)
            if len(own) < len(parts[bom_id, "outputs"]):
                self._beside[bom_id, product_id] = {
                    each: quantity / (made or 1)
                    for each, quantity in self._sums(parts[bom_id, "inputs"]).items()
                }
            heads.append(key | {"output_quantity": plain(made or Decimal(1))})
            lines += [key | line for line in self._bom_lines(parts, bom_id, product_id)]
        return heads, lines

    def _parts(self, boms: Iterable[Row]) -> dict[tuple[int, str], list[Row]]:
        ids = [row["id"] for row in boms]
        found: dict[tuple[int, str], list[Row]] = {}
        for side, model in (("inputs", "input"), ("outputs", "output")):
            fields = ["bom", "product", "quantity", "unit"]
            domain = [("bom", "in", ids)]
            for row in self._client.search(f"production.bom.{model}", domain, fields):
                found.setdefault((row["bom"], side), []).append(row)
            for bom_id in ids:
                found.setdefault((bom_id, side), [])
        return found

    def _bom_lines(
        self, parts: Mapping[tuple[int, str], list[Row]], bom_id: int, product_id: int
    ) -> list[Cells]:
        others = [row for row in parts[bom_id, "outputs"] if row["product"] != product_id]
        rows = [*((row, "component") for row in parts[bom_id, "inputs"]),
                *((row, "by_product") for row in others)]  # fmt: skip
        return [
            {
                "line": str(LINE_STEP * number),
                "component": self._goods.code(row["product"]),
                "quantity": plain(row["quantity"]),
                "uom": self._goods.unit_name(row["unit"]),
                "role": role,
            }
            for number, (row, role) in enumerate(rows, 1)
        ]

    def _read_lots(self) -> list[Cells]:
        fields = ["product", "number"]
        known = self._client.call("model.stock.lot.fields_get", ["shelf_life_expiration_date"])
        fields += list(known)
        rows = self._read("stock.lot", [("number", "!=", UNKNOWN_LOT)], fields)
        for row in rows:
            self._lots.setdefault((row["product"], row["number"]), row["id"])
        return [
            {
                "item": self._goods.code(row["product"]),
                "lot": row["number"],
                "expires_on": _day(row.get("shelf_life_expiration_date")),
            }
            for row in rows
            if self._goods.knows([row])
            and not self._goods.has_serials(row["product"])
            and self._lots[row["product"], row["number"]] == row["id"]
        ]

    def _read_receipts(self) -> list[Cells]:
        """Return what others than the stations brought to their places: a move is a receipt."""
        places = self._client.search("stock.location", [("code", "in", self._places)], ["code"])
        ids = [row["id"] for row in places]
        codes = {row["id"]: row["code"] for row in places}
        fields = ["product", "lot.number", "quantity", "unit", "to_location", "effective_date",
                  "shipment", "production_output.reference"]  # fmt: skip
        domain = [
            ("state", "=", "done"), ("to_location", "in", ids), ("from_location", "not in", ids),
        ]  # fmt: skip
        rows = [row for row in self._read("stock.move", domain, fields)
                if not _reference(row, "production_output").startswith(REFERENCE)]  # fmt: skip
        ours = self._own_shipments(rows)
        return [
            self._receipt(row, codes)
            for row in rows
            if row["shipment"] not in ours and self._goods.knows([row])
        ]

    def _own_shipments(self, rows: Iterable[Row]) -> set[str]:
        model = "stock.shipment.internal"
        named = {row["shipment"] for row in rows if (row["shipment"] or "").startswith(model)}
        domain = [
            ("id", "in", sorted(int(each.partition(",")[2]) for each in named)),
            ("reference", "like", f"{REFERENCE}%"),
        ]
        found = self._client.search(model, domain, ["id"]) if named else []
        return {f"{model},{row['id']}" for row in found}

    def _receipt(self, row: Row, codes: Mapping[int, str]) -> Cells:
        number = (row["lot."] or {}).get("number", "") if row.get("lot.") else ""
        is_serial = self._goods.has_serials(row["product"])
        return {
            "reference": f"{FROM_ERP}{row['id']}",
            "item": self._goods.code(row["product"]),
            "lot": "" if is_serial else number,
            "serial": number if is_serial else "",
            "location": codes[row["to_location"]],
            "quantity": plain(self._goods.in_own_unit(row)),
            "uom": self._goods.own_unit_name(row["product"]),
            "effective_at": _day(row["effective_date"]),
        }

    def _read_orders(self) -> tuple[list[Cells], list[Cells]]:
        fields = ["number", "product", "quantity", "unit", "bom", "state", "inputs",
                  "planned_start_date", "planned_date"]  # fmt: skip
        domain = [
            ("number", "!=", None), ("product", "!=", None), ("type", "=", "assembly"),
            ["OR", ("reference", "=", None), ("reference", "not like", f"{REFERENCE}%")],
        ]  # fmt: skip
        rows = [row for row in self._read(PRODUCTION, domain, fields, "inputs.")
                if self._goods.knows([row])]  # fmt: skip
        boms = self._client.search(
            "production.bom", [("id", "in", [row["bom"] for row in rows if row["bom"]])], ["code"]
        )
        revisions = {row["id"]: revision_of(row) for row in boms}
        heads: list[Cells] = []
        for row in rows:
            item = self._goods.code(row["product"])
            revision = revisions.get(row["bom"], "")
            heads.append({
                "work_order": row["number"],
                "item": item,
                "revision": revision if (item, revision) in self._revisions else "",
                "quantity": plain(self._goods.in_own_unit(row)),
                "start_at": _day(row["planned_start_date"]),
                "due_at": _day(row["planned_date"]),
                "status": STATUS[row["state"]],
                "erp_ref": f"{PRODUCTION},{row['id']}",
            })  # fmt: skip
        return heads, self._order_lines(rows)

    def _order_lines(self, rows: Iterable[Row]) -> list[Cells]:
        """Return the planned material of orders of which nothing has been reported: afterwards the
        plan is only what is left of it. Not where the BOM says the same and has other outputs:
        lines of an order take the place of those too (BF-7)."""
        of_id = {row["id"]: row for row in rows}
        open_ones = {row["id"]: row["number"] for row in of_id.values()
                     if STATUS[row["state"]] in ("planned", "released")}  # fmt: skip
        begun = self._begun(open_ones.values())
        domain = [
            ("production_input", "in", [key for key, one in open_ones.items() if one not in begun]),
            ("state", "!=", "cancelled"),
        ]
        fields = ["production_input", "product", "quantity", "unit"]
        merged: dict[tuple[int, int, int], Row] = {}
        for row in self._client.search("stock.move", domain, fields):
            key = (row["production_input"], row["product"], row["unit"])
            before = merged.get(key)
            merged[key] = row if before is None else before | {
                "quantity": before["quantity"] + row["quantity"]
            }  # fmt: skip
        lines: list[Cells] = []
        for production, each in _grouped(merged.values(), "production_input"):
            if not self._goods.knows(each) or self._as_bom_says(of_id[production], each):
                continue
            lines += [
                {
                    "work_order": open_ones[production],
                    "line": str(LINE_STEP * number),
                    "component": self._goods.code(row["product"]),
                    "quantity": plain(row["quantity"]),
                    "uom": self._goods.unit_name(row["unit"]),
                    "erp_ref": f"stock.move,{row['id']}",
                }
                for number, row in enumerate(each, 1)
            ]
        return lines

    def _as_bom_says(self, order: Row, planned: Iterable[Row]) -> bool:
        """Tell whether an order, whose BOM has other outputs, takes what the BOM says."""
        by_bom = self._beside.get((order["bom"], order["product"]))
        if by_bom is None:
            return False
        sums, quantity = self._sums(planned), self._goods.in_own_unit(order)
        return sums.keys() == by_bom.keys() and all(
            abs(sums[each] - quantity * by_bom[each]) <= self._goods.step(each) for each in sums
        )

    def _sums(self, rows: Iterable[Row]) -> dict[int, Decimal]:
        """Return quantities by product, in its own unit."""
        sums: dict[int, Decimal] = {}
        for row in rows:
            before = sums.get(row["product"], Decimal(0))
            sums[row["product"]] = before + self._goods.in_own_unit(row)
        return sums

    def _begun(self, numbers: Iterable[str]) -> set[str]:
        """Return those orders of which something has been reported."""
        either: Domain = ["OR", *(("number", "like", f"{number}/%") for number in numbers)]
        if len(either) == 1:
            return set()
        domain = [("reference", "like", f"{REFERENCE}%"), either]
        rows = self._client.search(PRODUCTION, domain, ["number"])
        return {row["number"].rpartition("/")[0] for row in rows}


def revision_of(bom: Row) -> str:
    """Return what a BOM is called at the stations: its code, else Tryton's id."""
    return str(bom["code"] or f"T{bom['id']}")


def _reference(row: Row, name: str) -> str:
    related = row.get(f"{name}.") or {}
    return str(related.get("reference") or "")


def _grouped(rows: Iterable[Row], name: str) -> list[tuple[Any, list[Row]]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return list(groups.items())


def _day(value: date | None) -> str:
    return "" if value is None else value.isoformat()
