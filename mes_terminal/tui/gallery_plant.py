"""Canned orders, stock, lots and mounted containers for the desk's pictures and tests."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.delivery import SiteException
from mes_terminal.domain.desk_plant import (
    DeskLot,
    DeskMount,
    LotHeld,
    LotPlace,
    LotStock,
    PlaceStock,
    QueuedOrder,
)
from mes_terminal.domain.reconcile import Behind, Difference, Summary
from mes_terminal.domain.view import PreflightView
from mes_terminal.tui.sections.orders import OrderLine, Report


def order(number: str, **changes: Any) -> QueuedOrder:
    """Return an order of 100 chairs on the day of the pictures, with changes."""
    fields: dict[str, Any] = {
        "key": number,
        "work_order": number,
        "item": "CHAIR-4",
        "description": "Chair with four legs",
        "uom": "pcs",
        "quantity": "100",
        "completed": "0",
        "scrapped": "0",
        "remaining": "100",
        "status": "released",
        "sequence": None,
        "due_at": "2026-11-20T16:00:00.000000Z",
        "exceptions": 0,
        "stops": 0,
    }
    return QueuedOrder(**(fields | changes))


def stock(item: str, location: str, quantity: str, **changes: Any) -> PlaceStock:
    """Return what there is of an item at a place, with changes."""
    fields: dict[str, Any] = {
        "key": f"{item}|{location}",
        "item": item,
        "description": "",
        "location": location,
        "place": "line_side",
        "quantity": quantity,
        "uom": "pcs",
        "held": "0",
        "lots": 1,
        "value": None,
        "currency": None,
    }
    return PlaceStock(**(fields | changes))


def lot(item: str, name: str, on_hand: str, **changes: Any) -> DeskLot:
    """Return a lot, with changes."""
    fields: dict[str, Any] = {
        "key": f"{item}|{name}",
        "item": item,
        "description": "",
        "lot": name,
        "status": "available",
        "expires_on": None,
        "expired": False,
        "received_at": "2026-11-19T06:00:00.000000Z",
        "supplier": "Holz AG",
        "supplier_lot": None,
        "on_hand": on_hand,
        "uom": "pcs",
        "containers": 0,
        "mounted": None,
    }
    return DeskLot(**(fields | changes))


def mount(position: str, item: str, name: str | None, left: str, **changes: Any) -> DeskMount:
    """Return what hangs at a position, with changes."""
    fields: dict[str, Any] = {
        "key": position,
        "position": position,
        "item": item,
        "description": "Table leg, oak",
        "lot": name,
        "serial": None,
        "container": None,
        "location": "LINE",
        "left": left,
        "uom": "pcs",
        "mounted_at": "2026-11-20T12:40:00.000000Z",
        "status": "available",
        "expires_on": None,
        "expired": False,
        "then_lot": None,
        "then_quantity": None,
    }
    return DeskMount(**(fields | changes))


def elsewhere(
    number: int, station: str, kind: str, work_order: str | None, **changes: Any
) -> SiteException:
    """Return an exception of some station as the site has it, with changes."""
    fields: dict[str, Any] = {
        "number": number,
        "station": station,
        "source": f"urn:mes-terminal:PLANT:{station}",
        "id": 40 + number,
        "kind": kind,
        "work_order": work_order,
        "line": None,
        "item": None,
        "lot": None,
        "quantity": None,
        "opened_at": None,
        "cause": None,
    }
    return SiteException(**(fields | changes))


def difference(item: str, upstream: str, station: str, **changes: Any) -> Difference:
    """Return what of an item upstream and the station have, with changes."""
    fields: dict[str, Any] = {
        "item": item,
        "lot": None,
        "serial": None,
        "location": None,
        "uom": "pcs",
        "upstream": upstream,
        "station": station,
        "difference": "0",
        "queued": "0",
        "in_exceptions": "0",
        "unexplained": "0",
        "postings": [],
        "postings_count": 0,
    }
    return Difference(**(fields | changes))


LISTS: Final[Mapping[str, Sequence[Struct]]] = {
    "desk_orders": [
        order("WO-1001", completed="63", remaining="37", status="started", sequence=1,
              due_at="2026-11-20T13:30:00.000000Z", exceptions=2),
        order("WO-1007", completed="12", remaining="88", status="started", sequence=2,
              exceptions=1, stops=1),
        order("WO-1008", item="STOOL-3", description="Stool", quantity="40", remaining="40",
              sequence=3),
        order("WO-1009", quantity="12000", remaining="12000", status="hold",
              due_at="2026-11-21T06:00:00.000000Z"),
        order("WO-1010", item="BENCH-2", description="Bench", quantity="250", remaining="250",
              due_at="2026-11-24T06:00:00.000000Z"),
        order("WO-1011", due_at=None),
    ],
    "order_lines": [
        OrderLine("10", "LEG", "400", "pcs", "252", "12"),
        OrderLine("20", "FRAME", "100", "pcs", "63", "0"),
        OrderLine("30", "BOLT", "800", "pcs", "504", "0"),
    ],
    "order_reports": [
        Report("completion", "60", "Anna K.", "2026-11-20T13:10:00.000000Z", "standing"),
        Report("scrap", "2", "Anna K.", "2026-11-20T13:31:00.000000Z", "taken back"),
        Report("completion", "3", "Anna K.", "2026-11-20T14:04:00.000000Z", "standing"),
    ],
    "desk_stock": [
        stock("BOLT", "LINE", "-12", description="Bolt M8x40", lots=0),
        stock("CHAIR-4", "FG", "163", description="Chair with four legs", place="finished",
              lots=2, value="6520.00", currency="EUR"),
        stock("CHAIN", "LINE", "24.35", description="Chain, galvanised", uom="m", lots=3,
              value="58.44", currency="EUR"),
        stock("LEG", "LINE", "460", description="Table leg, oak", held="60", lots=3,
              value="3680.00", currency="EUR"),
        stock("LEG", "STORE", "12400", description="Table leg, oak", place="store", lots=31,
              value="99200.00", currency="EUR"),
    ],
    "desk_stock_lots": [
        LotStock(lot="L-78", serial=None, container="C-4711", quantity="400", status="available",
                 expires_on="2027-01-31", expired=False, received_at=None),
        LotStock(lot="L-79", serial=None, container=None, quantity="60", status="hold",
                 expires_on=None, expired=False, received_at=None),
    ],
    "desk_lots": [
        lot("CHAIN", "K-12", "24.35", uom="m", description="Chain, galvanised"),
        lot("GLUE", "G-3", "1.5", uom="kg", description="Wood glue", expires_on="2026-11-18",
            expired=True, supplier="Leim GmbH", supplier_lot="0815"),
        lot("LEG", "L-78", "400", description="Table leg, oak", expires_on="2027-01-31",
            containers=1, mounted="P1"),
        lot("LEG", "L-79", "60", description="Table leg, oak", status="hold"),
        lot("LEG", "L-80", "1200", description="Table leg, oak", status="rejected"),
    ],
    "desk_lot_places": [
        LotPlace(location="LINE", container="C-4711", serial=None, quantity="400"),
    ],
    "desk_lot_held": [
        LotHeld(at="2026-11-20T09:12:00.000000Z", person="Quentin Roy", reason="cracks"),
    ],
    "desk_mounts": [
        mount("P1", "LEG", "L-78", "37", container="C-4711", then_lot="L-81",
              then_quantity="400"),
        mount("P2", "FRAME", "F-12", "0", description="Frame, steel"),
        mount("P3", "GLUE", "G-3", "1.5", uom="kg", description="Wood glue",
              expires_on="2026-11-18", expired=True, then_lot="G-4", then_quantity="5"),
    ],
    "site_exceptions": [
        elsewhere(1, "LINE1-ST04", "shortage", "WO-1003", item="FRAME", quantity="4",
                  line="20", cause="no_stock", opened_at="2026-11-20T11:12:00.000000Z"),
        elsewhere(2, "LINE3-ST02", "unknown_code", None, id=None, cause="0614141123452",
                  opened_at="2026-11-20T12:40:00.000000Z"),
        elsewhere(3, "LINE3-ST02", "shortage", "WO-1007", item="LEG", quantity="12", line="10",
                  cause="no_stock", opened_at="2026-11-20T13:05:00.000000Z"),
        elsewhere(4, "PACK-ST01", "lot_on_hold", "WO-1001", item="GLUE", lot="G-3",
                  quantity="1.5", opened_at="2026-11-20T13:55:00.000000Z"),
    ],
    "desk_reconcile": [
        difference("CHAIR-4", "60", "63", difference="-3", queued="-3"),
        difference(
            "LEG", "412", "398", difference="14", queued="9", in_exceptions="3", unexplained="2",
            postings=[
                Behind(1708, "7f3a91c0d2e84b55:000000001708",
                       "io.mes-terminal.production.scrapped.v1", "WO-1007", "refused", "3"),
                Behind(1742, "7f3a91c0d2e84b55:000000001742",
                       "io.mes-terminal.production.completed.v1", "WO-1001", "waiting", "8"),
                Behind(1743, "7f3a91c0d2e84b55:000000001743",
                       "io.mes-terminal.material.scrapped.v1", "L-78", "waiting", "1"),
            ],
            postings_count=3,
        ),
    ],
    "desk_reconcile_count": [
        Summary(count=2, differing=2, unexplained=1, as_of="2026-11-20T14:04:00.000000Z"),
    ],
}  # fmt: skip
"""One shift's plant."""
ANSWERS: Final[Mapping[str, object]] = {
    "preflight": PreflightView(lines_post=2, lines_short=1, shortages=["LEG short 12 pcs"]),
}
