"""What a report needs to know, in few reads: the order, its lines, and the stock they may draw on.

One read a table, never one a line (BF-12 in milliseconds). Every function runs inside the caller's
transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from mes_terminal.domain.backflush import PoolKey
from mes_terminal.domain.bom import line_order
from mes_terminal.domain.instants import NO_EXPIRY
from mes_terminal.domain.operations import OperationFacts
from mes_terminal.domain.order import (
    LineFacts,
    OrderFacts,
    OutputFacts,
    OutputLot,
    Source,
    Substitute,
)
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.report_plan import OpenPart, Shortfall, Unit
from mes_terminal.store.database import Connection

_open_parts = msgspec.json.Decoder(dict[ExceptionKind, OpenPart]).decode

_ORDER = """
    SELECT w.work_order_id, w.work_order, w.status, w.quantity_micro, w.good_micro,
           w.scrapped_micro, w.replace_scrap, w.lot, w.due_at,
           i.item_id, i.item, i.uom, i.step_micro, i.tracking, i.lot_rule, i.output_status,
           i.shelf_life_days, i.inherit_expiry, i.over_completion_pct_micro,
           w.output_location_id, o.location,
           (SELECT coalesce(max(lot_id), 0) + 1 FROM lot),
           (SELECT coalesce(max(exception_id), 0) + 1 FROM exception),
           (SELECT location_id FROM location WHERE location = '@production'),
           (SELECT location_id FROM location WHERE location = '@adjustment'),
           s.location_id, s.location,
           EXISTS (SELECT 1 FROM order_operation f WHERE f.work_order_id = w.work_order_id),
           EXISTS (SELECT 1 FROM hand_issue h
                    WHERE h.work_order_id = w.work_order_id AND h.report_seq IS NULL),
           w.has_slots,
           EXISTS (SELECT 1 FROM order_output t WHERE t.work_order_id = w.work_order_id),
           CASE WHEN EXISTS (SELECT 1 FROM order_line_substitute)
                THEN EXISTS (SELECT 1 FROM order_line l JOIN order_line_substitute USING (line_id)
                              WHERE l.work_order_id = w.work_order_id) ELSE 0 END,
           w.changes,
           EXISTS (SELECT 1 FROM exception INDEXED BY exception_short
                    WHERE kind = 'shortage' AND status = 'open'),
           w.process_expires_on,
           CASE i.tracking WHEN 'lot' THEN coalesce(w.lot, :output_lot, w.work_order) ELSE '' END,
           p.lot_id, p.expires_on, p.received_at,
           (SELECT lot_id FROM lot WHERE item_id = w.item_id AND lot = '' AND serial = ''
               AND work_order_id = w.work_order_id)
      FROM work_order w
      JOIN item i USING (item_id)
      JOIN location o ON o.location_id = w.output_location_id
      JOIN location s ON s.location = :scrap_location
      LEFT JOIN lot p ON p.item_id = w.item_id AND p.serial = '' AND p.work_order_id = 0
           AND p.lot = CASE i.tracking WHEN 'lot'
                       THEN coalesce(w.lot, :output_lot, w.work_order) ELSE '' END
     WHERE w.work_order = :work_order
"""

_LINES = """
    SELECT l.line_id, l.line, i.item_id, i.item, i.uom, i.step_micro, i.tracking,
           CASE WHEN i.shortage_policy IS NOT NULL THEN i.shortage_policy
                WHEN :shortage_policy = 'negative' AND i.tracking <> 'none' THEN 'exception'
                ELSE :shortage_policy END,
           l.basis = 'per_unit', l.net_num, l.net_den, l.gross_num, l.gross_den, l.issue_method,
           l.location_id, o.location, l.location_rule, l.mount = 'required', l.erp_ref,
           l.operation_position,
           l.issued_micro + l.owed_micro + l.written_off_micro - l.carried_micro,
           l.scrapped_micro + l.owed_scrap_micro + l.written_off_scrap_micro
               - l.carried_scrap_micro,
           l.since_micro, u.sole_lot_id,
           coalesce(b.quantity_micro, 0), b.balance_id, b.lot_id, b.container_id, b.lot,
           b.expires_on, i.under_tolerance_pct_micro, i.over_tolerance_pct_micro, l.mount_position
      FROM order_line l
      JOIN item i ON i.item_id = l.component_id
      JOIN location o ON o.location_id = l.location_id
      LEFT JOIN item_location u ON u.item_id = l.component_id AND u.location_id = l.location_id
      LEFT JOIN balance b ON b.balance_id = (
           SELECT balance_id FROM balance
            WHERE item_id = l.component_id AND location_id = l.location_id AND pickable = 1
              AND expires_on >= :usable_from AND arrived_at <= :event_time
              AND o.kind NOT IN ('hold', 'scrap')
            ORDER BY expires_on, received_at, lot, container_id LIMIT 1)
     WHERE l.work_order_id = :work_order_id
     ORDER BY l.position
"""

_OPERATIONS = """
    SELECT o.position, o.operation, o.description, o.backflush_point, o.overlap, o.good_micro,
           o.scrapped_micro, c.work_centre, o.setup_minutes_micro, o.run_minutes_micro,
           o.run_basis_micro
      FROM order_operation o LEFT JOIN work_centre c USING (work_centre_id)
     WHERE o.work_order_id = ? ORDER BY o.position
"""

# Their lots are named as the product's is; an untracked one hangs on this order (BF-37).
_OUTPUTS = """
    SELECT t.line, i.item_id, i.item, i.uom, i.step_micro, i.tracking, i.output_status,
           i.shelf_life_days, t.basis = 'per_unit', t.net_num, t.net_den,
           iif(i.tracking = 'none', '', :lot),
           (SELECT lot_id FROM lot l WHERE l.item_id = i.item_id AND l.serial = ''
               AND l.work_order_id = 0 AND l.lot = iif(i.tracking = 'none', '', :lot)),
           (SELECT lot_id FROM lot l WHERE l.item_id = i.item_id AND l.lot = '' AND l.serial = ''
               AND l.work_order_id = t.work_order_id), t.ahead_micro
      FROM order_output t JOIN item i USING (item_id)
     WHERE t.work_order_id = :work_order_id
     ORDER BY t.line
"""

# Those that may be mounted in the line's position are told with what is in it: where approval is
# required, only if a supervisor scanned it there or somebody let that pass (BF-24, BF-29).
_SUBSTITUTES = """
    SELECT l.line_id, i.item_id, i.item, i.uom, i.step_micro, i.tracking, t.ratio_num, t.ratio_den,
           t.choice = 'automatic' AND t.approval = 'none', i.mount = 'required', u.sole_lot_id,
           m.lot_id, m.container_id, t.approval = 'required'
           AND (m.approved_by IS 'matrix' OR m.approved_by IS 'permit')
      FROM order_line l
      CROSS JOIN order_line_substitute t USING (line_id)
      JOIN item c ON c.item_id = l.component_id
      JOIN item i ON i.item_id = t.substitute_id
      LEFT JOIN item_location u ON u.item_id = i.item_id AND u.location_id = l.location_id
      LEFT JOIN mount m ON m.position = coalesce(l.mount_position, c.item)
           AND m.item_id = i.item_id AND m.location_id = l.location_id
           AND (t.approval = 'none' OR m.approved_by IS NOT NULL)
     WHERE l.work_order_id = ? AND l.issue_method = 'backflush' AND i.tracking <> 'serial'
     ORDER BY l.position, t.priority IS NULL, t.priority, i.item
"""

# Empty ones too: a container may hold more than its books (BF-17). What is held or expired is there
# where somebody let that pass (BF-24); while the clock is in doubt nothing with an expiry (BF-33).
_MOUNTED = """
    SELECT b.item_id, b.location_id,
           b.balance_id, b.lot_id, b.container_id, b.lot, b.expires_on, b.quantity_micro,
           m.position, b.expires_on < :usable_from, n.status <> 'available',
           NOT EXISTS (SELECT 1 FROM mount k
                        WHERE k.position <> m.position
                          AND (k.position = i.item
                               OR (k.item_id = m.item_id AND k.location_id = m.location_id)))
      FROM mount m
      JOIN item i ON i.item_id = m.item_id
      JOIN balance b ON b.lot_id = m.lot_id AND b.location_id = m.location_id
                    AND (m.container_id = 0 OR b.container_id = m.container_id)
      JOIN location o ON o.location_id = b.location_id
      JOIN lot n ON n.lot_id = m.lot_id
     WHERE b.quantity_micro >= 0
       AND (n.status = 'available' OR (n.status = 'hold' AND m.may_be_held = 1))
       AND (b.expires_on >= :usable_from OR (m.may_expire = 1 AND :usable_from < '9999'))
       AND b.arrived_at <= :event_time
       AND o.kind NOT IN ('hold', 'scrap')
     ORDER BY b.expires_on, b.received_at, b.lot, b.container_id
"""

_POOLS = """
    SELECT b.item_id, b.location_id,
           b.balance_id, b.lot_id, b.container_id, b.lot, b.expires_on, b.quantity_micro
      FROM json_each(:pools) p
      CROSS JOIN balance b ON b.item_id = p.value ->> 0 AND b.location_id = p.value ->> 1
      JOIN location o ON o.location_id = b.location_id
     WHERE b.pickable = 1 AND b.expires_on >= :usable_from AND b.arrived_at <= :event_time
       AND o.kind NOT IN ('hold', 'scrap')
     ORDER BY b.expires_on, b.received_at, b.lot, b.container_id
"""

# Why a line found too little, by the best stock that is there and may not be picked.
_SHORTFALLS = """
    SELECT l.line_id,
           (SELECT lot_id FROM lot WHERE item_id = l.component_id AND lot = '' AND serial = ''
               AND work_order_id = 0),
           CASE WHEN o.kind IN ('hold', 'scrap') THEN 'location_on_hold'
                WHEN l.mount = 'required' AND NOT EXISTS (
                    SELECT 1 FROM mount m
                     WHERE m.item_id = l.component_id AND m.location_id = l.location_id)
                    THEN 'not_mounted'
                ELSE coalesce((
               SELECT CASE WHEN b.pickable = 0 THEN 'lot_on_hold'
                           WHEN b.expires_on < :today THEN 'lot_expired'
                           WHEN b.arrived_at > :event_time THEN 'not_arrived'
                           WHEN b.expires_on < :usable_from THEN 'clock' END
                 FROM balance b
                WHERE ((b.item_id = l.component_id AND b.location_id = l.location_id
                        AND b.pickable = 0 AND b.quantity_micro > 0)
                    OR (b.item_id = l.component_id AND b.location_id = l.location_id
                        AND b.pickable = 1
                        AND (b.expires_on < :usable_from OR b.arrived_at > :event_time)))
                  AND (l.mount <> 'required' OR EXISTS (
                       SELECT 1 FROM mount m
                        WHERE m.lot_id = b.lot_id AND m.container_id = b.container_id
                          AND m.location_id = b.location_id))
                ORDER BY b.expires_on DESC LIMIT 1),
                iif(l.mount = 'required', 'mounted_empty', 'no_stock')) END,
           (SELECT json_group_object(kind, json_array(exception_id, quantity_micro)) FROM exception
             WHERE kind IN ('shortage', 'lot_overdrawn', 'lot_expired', 'lot_on_hold',
                            'substitution', 'component_serial', 'consumption')
               AND subject = 'line:' || l.line_id AND status = 'open')
      FROM order_line l JOIN location o USING (location_id)
     WHERE l.line_id IN (SELECT value FROM json_each(:lines))
"""


def usable_from(today: str, *, clock_in_doubt: bool) -> str:
    """Return the earliest expiry day that may be used: today, or none while the clock is in doubt
    (BF-16, BF-33)."""
    return NO_EXPIRY if clock_in_doubt else today


def read_order(
    conn: Connection, work_order: str, *, scrap_location: str, output_lot: str | None = None
) -> OrderFacts | None:
    """Return the order with the lot its output goes to: `output_lot` if the item's rule says so."""
    row = conn.execute(
        _ORDER,
        {"work_order": work_order, "scrap_location": scrap_location, "output_lot": output_lot},
    ).fetchone()
    return None if row is None else OrderFacts(*(*row[:-5], OutputLot(*row[-5:])))


def read_lines(
    conn: Connection,
    work_order_id: int,
    *,
    shortage_policy: str,
    event_time: str,
    usable_from: str,
) -> list[LineFacts]:
    """Return the order's lines, each with the first balance that may be picked for it (BF-15)."""
    rows = conn.execute(
        _LINES,
        {
            "work_order_id": work_order_id,
            "shortage_policy": shortage_policy,
            "event_time": event_time,
            "usable_from": usable_from,
        },
    ).fetchall()
    return [LineFacts(*row) for row in rows]


def read_operations(conn: Connection, order: OrderFacts) -> list[OperationFacts]:
    """Return the order's operations with what each has delivered; none if it has no routing."""
    return operations_of(conn, order.work_order_id) if order.has_operations else []


def operations_of(conn: Connection, work_order_id: int) -> list[OperationFacts]:
    """Return the operations of the order of that id."""
    rows = conn.execute(_OPERATIONS, [work_order_id]).fetchall()
    return [OperationFacts(*row) for row in rows]


def read_outputs(conn: Connection, order: OrderFacts) -> list[OutputFacts]:
    """Return the order's by- and co-products; their lot is the product's, or the order's number."""
    if not order.has_outputs:
        return []
    rows = conn.execute(
        _OUTPUTS,
        {
            "work_order_id": order.work_order_id,
            "lot": order.output.lot or order.order_lot or order.work_order,
        },
    )
    found = [OutputFacts(*row) for row in rows]
    return sorted(found, key=lambda each: line_order(each.line))


def read_substitutes(conn: Connection, order: OrderFacts) -> dict[int, list[Substitute]]:
    """Return, by line id, what may stand in for its component, in the order of choice (BF-29)."""
    found: dict[int, list[Substitute]] = {}
    if order.has_substitutes:
        for line_id, *row in conn.execute(_SUBSTITUTES, [order.work_order_id]):
            found.setdefault(line_id, []).append(Substitute(*row))
    return found


def read_mounted(
    conn: Connection, *, event_time: str, usable_from: str
) -> dict[PoolKey, list[Source]]:
    """Return what is mounted at the station and may be picked."""
    rows = conn.execute(_MOUNTED, {"event_time": event_time, "usable_from": usable_from})
    return _pools(rows)


def read_pools(
    conn: Connection,
    keys: Iterable[PoolKey],
    mounted: dict[PoolKey, list[Source]],
    *,
    event_time: str,
    usable_from: str,
) -> dict[PoolKey, list[Source]]:
    """Return all that may be picked of these items at these locations: mounted first (BF-15)."""
    rows = conn.execute(
        _POOLS,
        {
            "pools": msgspec.json.encode(sorted(keys)).decode(),
            "event_time": event_time,
            "usable_from": usable_from,
        },
    )
    pools = _pools(rows)
    for key, sources in mounted.items():
        taken = {source.balance_id for source in sources}
        others = [each for each in pools.get(key, ()) if each.balance_id not in taken]
        pools[key] = sources + others
    return pools


def read_shortfalls(
    conn: Connection, line_ids: Sequence[int], *, today: str, event_time: str, usable_from: str
) -> dict[int, Shortfall]:
    """Return, for each line that somebody must look at, why it lacks stock, its open exceptions,
    and its item's nameless lot."""
    if not line_ids:
        return {}
    rows = conn.execute(
        _SHORTFALLS,
        {
            "lines": msgspec.json.encode(list(line_ids)).decode(),
            "today": today,
            "event_time": event_time,
            "usable_from": usable_from,
        },
    )
    return {row[0]: Shortfall(row[1], row[2], _open_parts(row[3])) for row in rows}


def read_units(conn: Connection, order: OrderFacts, *, limit: int) -> list[Unit]:
    """Return the first planned units of the order that no report has made yet, none of those that
    were named here."""
    rows = conn.execute(
        """
        SELECT u.unit_id, u.serial, l.lot_id FROM unit u
          LEFT JOIN lot l ON l.item_id = u.item_id AND l.lot = '' AND l.serial = u.serial
                         AND l.work_order_id = 0
         WHERE u.work_order_id = ? AND u.report_seq IS NULL AND u.origin = 'planned'
         ORDER BY u.position LIMIT ?
        """,
        [order.work_order_id, limit],
    )
    return [Unit(*row) for row in rows]


def _pools(rows: Iterable[Sequence[Any]]) -> dict[PoolKey, list[Source]]:
    pools: dict[PoolKey, list[Source]] = {}
    for item_id, location_id, *source in rows:
        pools.setdefault((item_id, location_id), []).append(Source(*source))
    return pools
