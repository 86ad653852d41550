"""How long what stayed mounted, what it gained, and which units of each order it covered (BF-17).

A row a stay: begun when a container is mounted, ended when it leaves its position. Nothing here is
touched by a report; the units follow from the reports between the two events.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from mes_terminal.domain.overrun import Filling
from mes_terminal.store.database import Connection, Database

EndedBy = Literal["next", "empty", "aside", "unmount", "move", "hold"]

_COVERED_FROM: Final = """
    SELECT w.work_order_id, w.good_micro + w.scrapped_micro - sum(r.good_micro + r.scrapped_micro)
               AS before_micro, w.good_micro + w.scrapped_micro AS through_micro
      FROM report r JOIN work_order w USING (work_order_id)
     WHERE r.report_seq > {mounted_seq}
       AND r.kind <> 'rework' AND r.kind <> 'reworked'
       AND (r.reverses IS NULL OR r.reverses > {mounted_seq})
       AND EXISTS (SELECT 1 FROM order_line l
                    WHERE l.work_order_id = w.work_order_id AND l.location_id = {location_id}
                      AND (l.component_id = {item_id}
                           AND coalesce(l.mount_position, {position}) = {position}
                           OR EXISTS (SELECT 1 FROM order_line_substitute t
                                        JOIN item c ON c.item_id = l.component_id
                                       WHERE t.line_id = l.line_id AND t.substitute_id = {item_id}
                                         AND coalesce(l.mount_position, c.item) = {position})))
     GROUP BY w.work_order_id HAVING before_micro < through_micro
"""
"""The units of each order that were reported since, where it takes the item from that place, or
lets it stand in for the component of that position (BF-29)."""

_SPAN_COLUMNS: Final = ("mounted_seq", "item_id", "location_id", "position")
_COVERED: Final = _COVERED_FROM.format(**{name: f":{name}" for name in _SPAN_COLUMNS})

# A stay that has ended has its units set down; those of an open one follow from the reports.
_STAYS: Final = f"""
    SELECT s.mount_span_id, s.position, i.item, nullif(l.lot, ''), c.container, o.location,
           s.mounted_at, s.ended_at, s.ended_by, s.left_micro, s.gained_micro, i.uom,
           (SELECT json_group_array(json_array(work_order, before_micro, through_micro))
              FROM (SELECT w.work_order, v.before_micro, v.through_micro
                      FROM mount_cover v JOIN work_order w USING (work_order_id)
                     WHERE v.mount_span_id = s.mount_span_id
                     UNION ALL
                    SELECT w.work_order, v.before_micro, v.through_micro
                      FROM ({_COVERED_FROM.format(**{name: f"s.{name}" for name in _SPAN_COLUMNS})}
                           ) v JOIN work_order w USING (work_order_id)
                     WHERE s.ended_seq IS NULL
                     ORDER BY 1))
      FROM mount_span s
      JOIN item i USING (item_id)
      JOIN lot l USING (lot_id)
      JOIN location o USING (location_id)
      LEFT JOIN container c USING (container_id)
     WHERE i.item = :item AND (:lot IS NULL OR l.lot = :lot) AND s.mount_span_id > :since
     ORDER BY s.mount_span_id LIMIT :limit
"""  # noqa: S608

_OPEN = """
    SELECT s.mount_span_id, s.position, s.item_id, i.item, i.uom, s.lot_id, nullif(l.lot, ''),
           s.container_id, c.container, s.location_id, o.location, s.is_sized, s.base_micro,
           s.gained_micro, coalesce(i.lot_overrun_pct_micro, :station_pct_micro), i.step_micro
      FROM mount_span s
      JOIN item i USING (item_id)
      JOIN lot l USING (lot_id)
      JOIN location o USING (location_id)
      LEFT JOIN container c USING (container_id)
     WHERE s.ended_seq IS NULL
     ORDER BY s.position
"""


class OpenStay(Struct, frozen=True):
    """What is in a position now."""

    mount_span_id: int
    position: str
    item_id: int
    item: str
    uom: str
    lot_id: int
    lot: str | None
    container_id: int
    container: str | None
    location_id: int
    location: str
    is_sized: bool
    """A label says how much it holds, so it ends where the next one begins."""
    filling: Filling

    @property
    def name(self) -> str:
        """What people call it."""
        return self.container or self.lot or self.item


class Covered(Struct, frozen=True, array_like=True):
    """The units of an order that were made while something was mounted."""

    work_order: str
    before_micro: int
    """Units of the order that were reported when the stay began."""
    through_micro: int
    """And when it ended, or now: its units are those after the former, up to this."""


class Stay(Struct, frozen=True):
    """A stay of a lot or container in a position, and the units it covered."""

    mount_span_id: int
    position: str
    item: str
    lot: str | None
    container: str | None
    location: str
    mounted_at: str
    ended_at: str | None
    ended_by: str | None
    left_micro: int | None
    gained_micro: int
    uom: str
    covered: list[Covered]


def begin(
    conn: Connection,
    position: str,
    *,
    item_id: int,
    lot_id: int,
    container_id: int,
    location_id: int,
    label_micro: int | None,
    book_micro: int,
    event_seq: int,
    at: str,
) -> None:
    """Open a stay. A container goes on with what it gained in earlier ones.

    Its tolerance is a percentage of what the container received, else of what the books have. A lot
    whose label says just what they have is one box, and sized like a container.
    """
    conn.execute(
        """
        INSERT INTO mount_span (position, item_id, lot_id, container_id, location_id, base_micro,
                                is_sized, gained_micro, mounted_seq, mounted_at)
        SELECT :position, :item_id, :lot_id, :container_id, :location_id,
               coalesce(c.received_micro, :book_micro),
               c.received_micro IS NOT NULL OR :label_micro IS :book_micro,
               coalesce((SELECT gained_micro FROM mount_span
                          WHERE lot_id = :lot_id AND container_id = :container_id
                            AND container_id <> 0
                          ORDER BY mount_span_id DESC LIMIT 1), 0),
               :event_seq, :at
          FROM (SELECT 1) LEFT JOIN container c ON c.container_id = :container_id
        """,
        {
            "position": position,
            "item_id": item_id,
            "lot_id": lot_id,
            "container_id": container_id,
            "location_id": location_id,
            "label_micro": label_micro or None,
            "book_micro": max(0, book_micro),
            "event_seq": event_seq,
            "at": at,
        },
    )


def end(
    conn: Connection,
    mount_span_id: int,
    *,
    by: EndedBy,
    left_micro: int,
    event_seq: int,
    at: str,
) -> None:
    """Close a stay, with the units of each order that it covered."""
    conn.execute(
        """
        UPDATE mount_span SET ended_seq = :event_seq, ended_at = :at, ended_by = :by,
               left_micro = :left_micro
         WHERE mount_span_id = :mount_span_id
        """,
        {
            "event_seq": event_seq,
            "at": at,
            "by": by,
            "left_micro": left_micro,
            "mount_span_id": mount_span_id,
        },
    )
    span = conn.execute(
        """
        SELECT mounted_seq, item_id, location_id, position FROM mount_span WHERE mount_span_id = ?
        """,
        [mount_span_id],
    ).fetchone()
    conn.executemany(
        "INSERT INTO mount_cover VALUES (?, ?, ?, ?)",
        [(mount_span_id, *covered) for covered in _covered(conn, *span)],
    )


def open_stays(conn: Connection, *, station_pct_micro: int) -> list[OpenStay]:
    """Return what is mounted, by position; `station_pct_micro` counts where the item says none."""
    rows: Any = conn.execute(_OPEN, {"station_pct_micro": station_pct_micro})
    return [OpenStay(*(*row[:11], bool(row[11]), Filling(*row[12:]))) for row in rows]


def add_gain(conn: Connection, lot_id: int, container_id: int, gained_micro: int) -> None:
    """Add to what the newest stay of a lot or container has gained; a loss is below zero."""
    conn.execute(
        """
        UPDATE mount_span SET gained_micro = gained_micro + :gained_micro
         WHERE mount_span_id = (SELECT max(mount_span_id) FROM mount_span
                                 WHERE lot_id = :lot_id AND container_id IN (0, :container_id))
        """,
        {"gained_micro": gained_micro, "lot_id": lot_id, "container_id": container_id},
    )


def note_gain(
    conn: Connection, lot_id: int, container_id: int, gained_micro: int, *, report_seq: int
) -> None:
    """Add what a report found beyond the books to the stay it was found in, and to later ones of
    the same container, which go on from there. Below zero: the report is taken back."""
    conn.execute(
        """
        WITH stay AS (
            SELECT mount_span_id, container_id FROM mount_span
             WHERE lot_id = :lot_id AND container_id IN (0, :container_id)
               AND mounted_seq < :report_seq AND (ended_seq IS NULL OR ended_seq > :report_seq)
               AND is_sized = 1
             ORDER BY container_id DESC, position DESC LIMIT 1)
        UPDATE mount_span SET gained_micro = gained_micro + :gained_micro
         WHERE mount_span_id = (SELECT mount_span_id FROM stay)
            OR (mount_span_id > (SELECT mount_span_id FROM stay) AND lot_id = :lot_id
                AND container_id <> 0 AND container_id = (SELECT container_id FROM stay))
        """,
        {
            "gained_micro": gained_micro,
            "lot_id": lot_id,
            "container_id": container_id,
            "report_seq": report_seq,
        },
    )


def read_overruns(conn: Connection, *, station_pct_micro: int) -> dict[int, Filling]:
    """Return, by balance id, what mounted containers of a known size may give beyond their books.

    A lot that was mounted by a label has its gain on the last of its balances.
    """
    rows = conn.execute(
        """
        SELECT (SELECT b.balance_id FROM balance b
                 WHERE b.lot_id = s.lot_id AND b.location_id = s.location_id
                   AND (s.container_id = 0 OR b.container_id = s.container_id)
                 ORDER BY b.container_id DESC LIMIT 1) AS balance_id,
               s.base_micro, s.gained_micro,
               coalesce(i.lot_overrun_pct_micro, :station_pct_micro), i.step_micro
          FROM mount_span s JOIN item i USING (item_id)
         WHERE s.ended_seq IS NULL AND s.is_sized = 1 AND balance_id IS NOT NULL
         ORDER BY s.container_id, s.position
        """,
        {"station_pct_micro": station_pct_micro},
    )
    return {row[0]: Filling(*row[1:]) for row in rows}


def read_stays(
    database: Database, item: str, lot: str | None, *, since: int, limit: int | None
) -> Iterator[Stay]:
    """Yield the stays of an item, or of one lot of it, from one on, oldest first."""
    rows: Any = database.conn.execute(
        _STAYS, {"item": item, "lot": lot, "since": since, "limit": -1 if limit is None else limit}
    )
    for row in rows:
        yield Stay(*(*row[:-1], _decode_covered(row[-1])))


_decode_covered = msgspec.json.Decoder(list[Covered]).decode


def _covered(
    conn: Connection, mounted_seq: int, item_id: int, location_id: int, position: str
) -> list[tuple[int, int, int]]:
    rows = conn.execute(
        _COVERED,
        {
            "mounted_seq": mounted_seq,
            "item_id": item_id,
            "location_id": location_id,
            "position": position,
        },
    )
    return [(row[0], row[1], row[2]) for row in rows]
