"""What no station alone can see (UP-9): found with the postings that make it so, ended with those
that end it, each open at most once.

Every function runs inside the transaction of the postings; those that two stations write together
(a serial, an order, a lot, a location) are locked by then, so that the second sees the first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from msgspec import Struct
from psycopg import Cursor

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.site.database import Connection
from mes_terminal.site.ledger import MaterialIds
from mes_terminal.site.rows import Rows

POSTINGS_TOLD_MAX: Final = 20
"""Postings that a conflict names: who mends it looks the others up."""


class Conflict(Struct, frozen=True, kw_only=True):
    """Something that is wrong over all stations."""

    kind: str
    subject: str
    sentence: str
    stations: list[str]
    postings: list[str] = []
    work_order: str | None = None
    item: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity_micro: int | None = None


class SameIdentity(NamedTuple):
    """A posting that came under a key that other bytes have."""

    source: str
    epoch: str
    sequence: int
    source_id: int


# A report of one life of a database may be taken back in the next: what is below zero counts too.
_UNITS: Final = """
    SELECT m.item, m.lot, m.serial, sum(u.made_micro)::bigint,
           array_agg(DISTINCT s.source ORDER BY s.source) FILTER (WHERE u.made_micro > 0),
           array_agg(e.epoch || ':' || lpad(p.sequence::text, 12, '0') ORDER BY p.posting_id)
               FILTER (WHERE u.made_micro > 0),
           array_agg(DISTINCT u.work_order) FILTER (WHERE u.made_micro > 0)
      FROM unit_made u
      JOIN material m USING (material_id)
      JOIN posting p USING (posting_id)
      JOIN epoch e ON e.epoch_id = u.epoch_id
      JOIN source s ON s.source_id = e.source_id
     WHERE u.material_id = ANY(%s)
     GROUP BY m.item, m.lot, m.serial
    HAVING sum(u.made_micro) > 1000000 AND count(*) FILTER (WHERE u.made_micro > 0) > 1
"""
_ORDERS: Final = """
    SELECT w.work_order, w.item, w.quantity_micro,
           coalesce(w.over_completion_pct_micro, i.over_completion_pct_micro, 0),
           sum(o.good_micro)::numeric,
           array_agg(DISTINCT s.source ORDER BY s.source) FILTER (WHERE o.good_micro > 0)
      FROM work_order w
      JOIN order_part o USING (work_order)
      JOIN epoch e USING (epoch_id)
      JOIN source s USING (source_id)
      LEFT JOIN item i ON i.item = w.item
     WHERE w.work_order = ANY(%s) AND w.quantity_micro IS NOT NULL
     GROUP BY w.work_order, i.item
    HAVING count(*) FILTER (WHERE o.good_micro > 0) > 1
       AND sum(o.good_micro)::numeric * 100000000 > w.quantity_micro::numeric
           * (100000000 + coalesce(w.over_completion_pct_micro, i.over_completion_pct_micro, 0))
"""
_LOTS: Final = """
    SELECT m.item, m.lot, m.serial, sum(b.quantity_micro)::bigint,
           (SELECT array_agg(DISTINCT s.source ORDER BY s.source)
              FROM movement v JOIN posting p USING (posting_id) JOIN source s USING (source_id)
             WHERE v.material_id = m.material_id),
           (SELECT array_agg(l.id ORDER BY l.posting_id)
              FROM (SELECT DISTINCT p.posting_id,
                           e.epoch || ':' || lpad(p.sequence::text, 12, '0') AS id
                      FROM movement v
                      JOIN posting p USING (posting_id)
                      JOIN epoch e USING (epoch_id)
                     WHERE v.material_id = m.material_id AND v.quantity_micro < 0
                     ORDER BY p.posting_id DESC LIMIT 20) l)
      FROM balance b JOIN material m USING (material_id)
     WHERE b.material_id = ANY(%s)
     GROUP BY m.material_id
    HAVING sum(b.quantity_micro) < 0
"""
_LOCATIONS: Final = """
    SELECT w.location, l.station, array_agg(s.source ORDER BY w.first_posting_id),
           array_agg(e.epoch || ':' || lpad(p.sequence::text, 12, '0')
                     ORDER BY w.first_posting_id)
      FROM location_writer w
      JOIN source s USING (source_id)
      JOIN posting p ON p.posting_id = w.first_posting_id
      JOIN epoch e ON e.epoch_id = p.epoch_id
      LEFT JOIN location l USING (location)
     WHERE w.location = ANY(%s)
     GROUP BY w.location, l.station
"""
_LOST: Final = """
    SELECT s.source, n.epoch, o.epoch, n.began, upper(o.received) - 1
      FROM (SELECT e.*, coalesce(e.first_sequence, lower(e.received)) AS began FROM epoch e) n
      JOIN source s USING (source_id)
      JOIN epoch o ON o.source_id = n.source_id AND o.epoch_id < n.epoch_id
     WHERE n.epoch_id = ANY(%s) AND n.began < upper(o.received)
       AND NOT EXISTS (SELECT 1 FROM conflict c
                        WHERE c.kind = 'lost_postings'
                          AND c.subject = s.source || ' ' || n.epoch)
     ORDER BY n.epoch_id, upper(o.received) DESC
"""
_OPEN: Final = """
    SELECT c.conflict_id, c.kind, c.subject, c.sentence, c.stations, c.quantity_micro
      FROM unnest(%s::text[], %s::text[]) AS n(kind, subject)
      JOIN conflict c USING (kind, subject)
     WHERE c.state = 'open'
     ORDER BY c.kind, c.subject FOR NO KEY UPDATE OF c
"""
_ACCEPTED: Final = """
    SELECT c.conflict_id, c.kind, c.subject, c.stations, c.quantity_micro
      FROM unnest(%s::text[], %s::text[]) AS n(kind, subject)
      JOIN conflict c USING (kind, subject)
     WHERE c.accepted
     ORDER BY c.kind, c.subject FOR NO KEY UPDATE OF c
"""
_NO_LONGER: Final = "UPDATE conflict SET accepted = FALSE WHERE conflict_id = ANY(%s)"
_INSERT: Final = """
    INSERT INTO conflict (kind, subject, sentence, work_order, item, lot, serial, quantity_micro,
                          stations, postings)
    VALUES (%(kind)s, %(subject)s, %(sentence)s, %(work_order)s, %(item)s, %(lot)s, %(serial)s,
            %(quantity_micro)s, %(stations)s, %(postings)s)
    ON CONFLICT (kind, subject) WHERE state = 'open' DO NOTHING
"""
_CHANGE: Final = """
    UPDATE conflict
       SET sentence = %(sentence)s, quantity_micro = %(quantity_micro)s, stations = %(stations)s,
           postings = %(postings)s, revision = revision + 1
     WHERE conflict_id = %(conflict_id)s
"""
_END: Final = """
    UPDATE conflict SET state = 'ended', ended_at = now(), revision = revision + 1
     WHERE conflict_id = ANY(%s)
"""


class _Look(Struct):
    """Subjects of one kind that a batch may have made or ended a conflict of."""

    kind: str
    subjects: Sequence[str]
    found: Cursor[tuple[Any, ...]]
    told: Callable[[tuple[Any, ...]], Conflict | None]


def find(conn: Connection, rows: Rows, ids: MaterialIds, fresh: Sequence[str]) -> None:
    """Open, change and end the conflicts that a batch may have made or ended; `fresh` are the
    locations that have a new writer."""
    with conn.pipeline():
        looks = [
            _units(conn, {ids[key]: _subject(key) for key, _ in rows.units}),
            _orders(conn, sorted({name for name, _ in rows.parts})),
            _lots(conn, {ids[k]: _subject(k) for k, _ in rows.balances if k.lot or k.serial}),
            _locations(conn, fresh),
        ]
        _compare(conn, [look for look in looks if look is not None])


def find_orders(conn: Connection, work_orders: Sequence[str]) -> None:
    """Look at orders again whose quantity may have changed."""
    look = _orders(conn, work_orders)
    _compare(conn, [look] if look is not None else [])


def find_locations(conn: Connection, locations: Sequence[str]) -> None:
    """Look at locations again whose owner may have changed."""
    look = _locations(conn, locations)
    _compare(conn, [look] if look is not None else [])


def _units(conn: Connection, subjects: Mapping[int, str]) -> _Look | None:
    """Serials that were completed more than once."""
    if not subjects:
        return None
    found = conn.execute(_UNITS, [sorted(subjects)])
    return _Look("serial_twice", sorted(subjects.values()), found, _unit_told)


def _unit_told(row: tuple[Any, ...]) -> Conflict:
    item, lot, serial, micro, sources, postings, orders = row
    return Conflict(
        kind="serial_twice",
        subject=_subject((item, lot, serial)),
        sentence=f"Serial {serial} of {item} was completed {format_quantity(micro)} times: "
        f"at {_names(sources)}. Find out which unit is real, and take the other back.",
        stations=sources,
        postings=postings[-POSTINGS_TOLD_MAX:],
        work_order=orders[0] if len(orders) == 1 else None,
        item=item,
        lot=lot or None,
        serial=serial,
        quantity_micro=micro,
    )


def _orders(conn: Connection, work_orders: Sequence[str]) -> _Look | None:
    """Orders of which the stations together made more than was ordered and may be."""
    if not work_orders:
        return None
    found = conn.execute(_ORDERS, [list(work_orders)])
    return _Look("order_over_completed", work_orders, found, _order_told)


def _order_told(row: tuple[Any, ...]) -> Conflict:
    name, item, ordered, _, good, sources = row
    return Conflict(
        kind="order_over_completed",
        subject=name,
        sentence=f"Order {name} has {format_quantity(int(good))} {item} of "
        f"{format_quantity(ordered)} ordered, from {_names(sources)}.",
        stations=sources,
        work_order=name,
        item=item,
        quantity_micro=int(good) - ordered,
    )


def _lots(conn: Connection, subjects: Mapping[int, str]) -> _Look | None:
    """Lots of which more was used than came in, over all stations."""
    if not subjects:
        return None
    found = conn.execute(_LOTS, [sorted(subjects)])
    return _Look("beyond_receipts", sorted(subjects.values()), found, _lot_told)


def _lot_told(row: tuple[Any, ...]) -> Conflict:
    item, lot, serial, micro, sources, postings = row
    return Conflict(
        kind="beyond_receipts",
        subject=_subject((item, lot, serial)),
        sentence=f"{format_quantity(-micro)} more of {item} {lot or serial} was used than came "
        f"in, over all stations: {_names(sources or [])}. Count it, and book what is missing.",
        stations=sources or [],
        postings=postings or [],
        item=item,
        lot=lot or None,
        serial=serial or None,
        quantity_micro=-micro,
    )


def _locations(conn: Connection, locations: Sequence[str]) -> _Look | None:
    """Locations that two stations write, or another one than the table of locations says."""
    if not locations:
        return None
    found = conn.execute(_LOCATIONS, [list(locations)])
    return _Look("location_two_writers", locations, found, _location_told)


def _location_told(row: tuple[Any, ...]) -> Conflict | None:
    location, owner, sources, postings = row
    others = [each for each in sources if owner is not None and station_of(each) != owner]
    if not (others or (owner is None and len(sources) > 1)):
        return None
    said = f", and the table of locations gives it to {owner}" if owner else ""
    verb = "book" if len(sources) > 1 else "books"
    return Conflict(
        kind="location_two_writers",
        subject=location,
        sentence=f"{_names(sources)} {verb} at location {location}{said}. Give each station "
        "locations of its own; the books of one do not know of the other.",
        stations=sorted(sources),
        postings=postings[:POSTINGS_TOLD_MAX],
    )


def note_same_identity(conn: Connection, doubled: Sequence[SameIdentity]) -> None:
    """Two that post as one; one conflict for each epoch, ended by a person."""
    by_epoch: dict[tuple[str, str], list[int]] = {}
    for each in doubled:
        by_epoch.setdefault((each.source, each.epoch), []).append(each.sequence)
    for (source, epoch), sequences in sorted(by_epoch.items()):
        _insert(
            conn,
            Conflict(
                kind="same_identity",
                subject=f"{source} {epoch}",
                sentence=f"Two databases post as {station_of(source)}: posting {min(sequences)} "
                "came with other content than before. Find the copy, stop it, and give it an "
                "identity of its own.",
                stations=[source],
                postings=[f"{epoch}:{n:012d}" for n in sorted(sequences)[:POSTINGS_TOLD_MAX]],
            ),
        )


def find_lost(conn: Connection, epoch_ids: Sequence[int]) -> None:
    """Postings that a restored backup no longer has: its new epoch began below the old one's
    newest. Told once; ended by a person."""
    if not epoch_ids:
        return
    told = set()
    for source, epoch, old, began, highest in conn.execute(_LOST, [list(epoch_ids)]).fetchall():
        if (source, epoch) in told:
            continue
        told.add((source, epoch))
        _insert(
            conn,
            Conflict(
                kind="lost_postings",
                subject=f"{source} {epoch}",
                sentence=f"{station_of(source)} was restored from a backup: the site has its "
                f"postings {began} to {highest} of before, and the station no longer does. "
                "Compare its stock with the site's, and book the difference.",
                stations=[source],
                postings=[
                    f"{old}:{number:012d}"
                    for number in range(began, min(highest, began + POSTINGS_TOLD_MAX - 1) + 1)
                ],
            ),
        )


def end_conflict(conn: Connection, conflict_id: int, *, person: str, reason: str) -> bool:
    """End an open conflict because a person has seen to it; tell whether there was one. As it is
    now it is not opened again."""
    cursor = conn.execute(
        "UPDATE conflict SET state = 'ended', ended_at = now(), ended_by = %s, end_reason = %s,"
        " accepted = TRUE, revision = revision + 1 WHERE conflict_id = %s AND state = 'open'",
        [person, reason, conflict_id],
    )
    return cursor.rowcount == 1


def station_of(source: str) -> str:
    """Return the station's own name of a source."""
    return unquote(source.rpartition(":")[2])


def _subject(key: Sequence[str]) -> str:
    """Return the name of a material as a conflict has it."""
    return " ".join(filter(None, key[:3]))


def _compare(conn: Connection, looks: Sequence[_Look]) -> None:
    """Open what is new, change what changed, end what is no longer so."""
    if not looks:
        return
    asked = sorted({(look.kind, subject) for look in looks for subject in look.subjects})
    columns = [[kind for kind, _ in asked], [about for _, about in asked]]
    rows, ended = conn.execute(_OPEN, columns), conn.execute(_ACCEPTED, columns)
    open_now = {(row[1], row[2]): row for row in rows}
    accepted = {(row[1], row[2]): row for row in ended}
    told = [look.told(row) for look in looks for row in look.found]
    found = {(each.kind, each.subject): each for each in told if each is not None}
    for key, each in sorted(found.items()):
        known = open_now.pop(key, None)
        if known is not None:
            _change(conn, known, each)
        elif key in accepted and not _is_worse(each, *accepted[key][3:]):
            del accepted[key]
        else:
            _insert(conn, each)
    if open_now:
        conn.execute(_END, [sorted(row[0] for row in open_now.values())])
    if accepted:  # worse by now, or no longer so: what comes next is another one
        conn.execute(_NO_LONGER, [sorted(row[0] for row in accepted.values())])


def _change(conn: Connection, known: Sequence[Any], now: Conflict) -> None:
    """Say of an open conflict what is so now; a station that was concerned hears of its end."""
    number, _, _, sentence, stations, quantity_micro = known
    every = sorted({*stations, *now.stations})
    if (now.sentence, every, now.quantity_micro) != (sentence, sorted(stations), quantity_micro):
        conn.execute(_CHANGE, _values(now) | {"conflict_id": number, "stations": every})


def _is_worse(now: Conflict, stations: Sequence[str], quantity_micro: int | None) -> bool:
    """Tell whether a conflict is more than what a person has seen to."""
    return bool({*now.stations} - {*stations}) or (now.quantity_micro or 0) > (quantity_micro or 0)


def _insert(conn: Connection, conflict: Conflict) -> None:
    conn.execute(_INSERT, _values(conflict))


def _values(conflict: Conflict) -> dict[str, Any]:
    return {name: getattr(conflict, name) for name in conflict.__struct_fields__}


def _names(sources: Sequence[str]) -> str:
    return ", ".join(sorted({station_of(each) for each in sources}))
