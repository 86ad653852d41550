#!/usr/bin/env python3
"""Verify the records of a station: one file, nothing but Python's standard library.

An auditor copies this file and the station's database (or a backup of it) and runs

    python verifier.py station.db [--anchor HASH]

It only reads, shares no code with the program that wrote the records, and proves:

- the log is one chain: every entry's hash is that of its bytes and of the entry before, and what
  stands in its columns is what its bytes say;
- every scan, its outcome, every movement, genealogy edge and report is as it was when it was
  written; none was added or taken away;
- what leaves the plant's books somewhere arrives somewhere else, balances are the sums of their
  movements, no lot or serial is below zero;
- what was consumed of a lot is what genealogy says went out of it;
- the parts of an order make the whole; postings have no gap; what is signed is in the log;
- with `--anchor`, a hash noted elsewhere earlier (a shift report, an acknowledgement): nothing was
  cut off since. A chain alone cannot show that.

Exit 0: all of it holds; 1: the first fault of each kind is printed; 2: it cannot be read.
How the hashes are made stands with each function below.
"""

import argparse
import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

FIRST_HASH = "0" * 64
TYPE = "io.mes-terminal.{}.v1"
MICRO = 1_000_000

Row = tuple[Any, ...]


class RecordsError(Exception):
    """The first thing that does not hold."""


def sha256(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """Return rows as the bytes that are hashed: JSON without spaces, in UTF-8, bytes as base64."""
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=_base64
    ).encode()  # fmt: skip


def _base64(value: Any) -> str:
    return base64.b64encode(value).decode()


def verify_log(db: sqlite3.Connection, anchor: str | None) -> str:
    """Recompute the chain: hash = SHA-256(hash of the entry before, as text + stored bytes).

    The bytes carry SHA-256 of the data, of the journal row that caused the entry, and of its rows
    in the ledger (movements by sequence, edges and reports by key); and the newest hash of the
    journal, whose own chain is recomputed beside.
    """
    previous, seen_anchor, count = FIRST_HASH, anchor is None, 0
    ledger = _Ledger(db)
    journal = _Journal(db)
    for row in db.execute(
        "SELECT event_seq, type, event_time, recorded_at, scan_seq, person, second_person, reason, "
        "outbox_seq, hash, body FROM event ORDER BY event_seq"
    ):
        count += 1
        seq, body = row[0], row[10].encode()
        if seq != count:
            raise RecordsError(f"entry {seq} stands where {count} is expected")
        if sha256(previous.encode() + body) != row[9]:
            raise RecordsError(f"entry {seq} has a hash that is not that of its bytes")
        _verify_entry(db, row, body, previous, ledger, journal)
        previous = row[9]
        seen_anchor = seen_anchor or previous == anchor
    ledger.end()
    journal.end()
    if not seen_anchor:
        raise RecordsError("the anchored entry is not in the log: its end was cut off or rewritten")
    return f"{count} entries, every hash recomputed; head {previous}"


def _verify_entry(
    db: sqlite3.Connection,
    row: Row,
    body: bytes,
    previous: str,
    ledger: "_Ledger",
    journal: "_Journal",
) -> None:
    seq, kind, event_time, recorded_at, scan_seq, person, second, reason, outbox_seq = row[:9]
    told, data = _envelope(body.decode())
    expected = {
        "type": TYPE.format(kind),
        "time": event_time,
        "recordedtime": recorded_at,
        "person": person,
        "secondperson": second,
        "reason": reason,
        "sequence": None if outbox_seq is None else f"{outbox_seq:012d}",
        "logsequence": f"{seq:012d}",
        "previoushash": previous,
        "datahash": sha256(data),
        "scanhash": None if scan_seq is None else _scan_hash(db, scan_seq),
        "ledgerhash": ledger.hash_of(seq),
    }
    for name, value in expected.items():
        if told.get(name) != value:
            raise RecordsError(f"entry {seq}: {name} is not what the records say")
    if not journal.reaches(told.get("journalhash")):
        raise RecordsError(f"entry {seq} names a journal that is not this one")


def _envelope(text: str) -> tuple[dict[str, Any], bytes]:
    """Return an entry, and its data as the exact bytes that stand in it."""
    told: dict[str, Any] = {}
    data = b""
    read = json.JSONDecoder().raw_decode
    at = 1
    while text[at - 1] != "}":
        name, at = read(text, at)
        value, end = read(text, at + 1)
        if name == "data":
            data = text[at + 1 : end].encode()
        told[name], at = value, end + 1
    return told, data


def _scan_hash(db: sqlite3.Connection, scan_seq: int) -> str | None:
    row = db.execute("SELECT * FROM scan_journal WHERE scan_seq = ?", [scan_seq]).fetchone()
    return None if row is None else sha256(canonical(row))


class _Ledger:
    """The rows of the ledger, entry by entry."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._of = {
            "movement": _grouped(db, "movement", 1, "movement_seq"),
            "genealogy edge": _grouped(db, "edge", 2, "report_seq, child_id, parent_id, line_id"),
            "report": _grouped(db, "report", 0, "report_seq"),
        }
        self._next = {name: next(rows, None) for name, rows in self._of.items()}

    def hash_of(self, event_seq: int) -> str | None:
        rows = [self._take(name, event_seq) for name in self._of]
        return sha256(canonical(rows)) if any(rows) else None

    def end(self) -> None:
        for name, left in self._next.items():
            if left is not None:
                raise RecordsError(f"a {name} belongs to entry {left[0]}, which is not its own")

    def _take(self, name: str, event_seq: int) -> list[Row]:
        following = self._next[name]
        if following is None or following[0] > event_seq:
            return []
        if following[0] < event_seq:
            raise RecordsError(f"a {name} of entry {following[0]} is not where it was written")
        self._next[name] = next(self._of[name], None)
        return following[1]


def _grouped(
    db: sqlite3.Connection, table: str, column: int, order: str
) -> Iterator[tuple[int, list[Row]]]:
    rows = db.execute(f"SELECT * FROM {table} ORDER BY {order}")  # noqa: S608
    for key, group in groupby(rows, lambda row: row[column]):
        yield key, list(group)


class _Journal:
    """The journal's chain: hash = SHA-256(hash before + SHA-256 of the journal row + outcome)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._rows = db.execute(
            "SELECT o.*, j.* FROM scan_outcome o LEFT JOIN scan_journal j USING (scan_seq) "
            "ORDER BY o.scan_seq"
        )
        self._hash = FIRST_HASH

    def reaches(self, digest: str | None) -> bool:
        while self._hash != digest:
            if self._step() is None:
                return False
        return True

    def end(self) -> None:
        while self._step() is not None:
            pass

    def _step(self) -> Row | None:
        row: Row | None = next(self._rows, None)
        if row is None:
            return None
        entry = canonical([sha256(canonical(row[8:])), row[:7]])
        self._hash = sha256(self._hash.encode() + entry)
        if row[7] != self._hash:
            raise RecordsError(f"scan {row[0]} is not as it was journalled and concluded")
        return row


def verify_journal(db: sqlite3.Connection) -> str:
    """Every scan has its outcome but the newest, and no number is missing."""
    concluded = _one(db, "SELECT coalesce(max(scan_seq), 0) FROM scan_outcome")
    scans = _one(db, "SELECT count(*) FROM scan_journal")
    last = _one(db, "SELECT coalesce(max(scan_seq), 0) FROM scan_journal")
    outcomes = _one(db, "SELECT count(*) FROM scan_outcome")
    if scans != last:
        raise RecordsError(f"{last} scans were numbered and {scans} are there")
    if outcomes != concluded:
        raise RecordsError(f"{concluded} scans were concluded and {outcomes} outcomes are there")
    return f"{scans} scans, {scans - outcomes} of them waiting"


def verify_balances(db: sqlite3.Connection) -> str:
    """Every balance at a real place is the sum of its movements; no lot or serial is below zero;
    per item all places together, the world outside included, hold nothing."""
    fault = db.execute(
        """
        SELECT lot_id, location_id, sum(whole), sum(rest) FROM (
            SELECT lot_id, to_location_id AS location_id, container_id,
                   quantity_micro / 1000000 AS whole, quantity_micro % 1000000 AS rest
              FROM movement UNION ALL
            SELECT lot_id, from_location_id, container_id, -(quantity_micro / 1000000),
                   -(quantity_micro % 1000000) FROM movement UNION ALL
            SELECT lot_id, location_id, container_id, -(quantity_micro / 1000000),
                   -(quantity_micro % 1000000) FROM balance)
         WHERE location_id NOT IN (SELECT location_id FROM location WHERE kind = 'virtual')
         GROUP BY lot_id, location_id, container_id
        HAVING sum(whole) * 1000000 + sum(rest) <> 0 LIMIT 1
        """
    ).fetchone()
    if fault:
        raise RecordsError(f"{_lot(db, fault[0])}: the balance is not the sum of its movements")
    below = db.execute(
        "SELECT b.lot_id FROM balance b JOIN lot l USING (lot_id) "
        "WHERE b.quantity_micro < 0 AND (l.lot <> '' OR l.serial <> '') LIMIT 1"
    ).fetchone()
    if below:
        raise RecordsError(f"{_lot(db, below[0])} is below zero")
    return f"{_count(db, 'balance')} balances are the sums of their movements"


def verify_genealogy(db: sqlite3.Connection) -> str:
    """What was consumed of a lot is what genealogy says went out of it, lot by lot.

    What was issued by hand counts from the report that takes it in until it comes back; extra
    outputs of an order have the same inputs once more, so only those of its own product are added
    up. Nameless lots stand for what is missing, or is in process.
    """
    fault = db.execute(
        """
        SELECT lot_id FROM (
            SELECT m.lot_id,
                   iif(t.location = '@production', m.quantity_micro, -m.quantity_micro) AS micro
              FROM movement m
              JOIN location f ON f.location_id = m.from_location_id
              JOIN location t ON t.location_id = m.to_location_id
             WHERE (t.location = '@production' AND (m.line_id IS NOT NULL OR m.kind = 'issue'))
                OR (f.location = '@production' AND (m.line_id IS NOT NULL OR m.kind = 'reversal'))
            UNION ALL
            SELECT lot_id, -quantity_micro FROM hand_issue WHERE report_seq IS NULL
            UNION ALL
            SELECT e.parent_id, -e.quantity_micro FROM edge e JOIN lot c ON c.lot_id = e.child_id
              LEFT JOIN healing h ON h.event_seq = e.report_seq
              LEFT JOIN healing u ON u.undone_seq = e.report_seq
              LEFT JOIN hand_return b ON b.event_seq = e.report_seq
              JOIN report r ON r.report_seq = coalesce(h.report_seq, u.report_seq, b.report_seq,
                                                       e.report_seq)
              JOIN work_order w ON w.work_order_id = r.work_order_id
             WHERE c.item_id = w.item_id)
          JOIN lot l USING (lot_id) JOIN item i USING (item_id)
         WHERE i.tracking <> 'none' AND l.lot || l.serial <> ''
         GROUP BY lot_id HAVING sum(micro) <> 0 LIMIT 1
        """
    ).fetchone()
    if fault:
        raise RecordsError(f"{_lot(db, fault[0])}: genealogy does not say what was consumed of it")
    return f"{_count(db, 'edge')} genealogy edges agree with the ledger"


def verify_orders(db: sqlite3.Connection) -> str:
    """The reports of an order, with what was made before the station, are what it says was made."""
    fault = db.execute(
        """
        SELECT w.work_order FROM work_order w
          LEFT JOIN loaded_row r ON r.table_name = 'work_orders'
               AND r.key = json_array(w.work_order)
          LEFT JOIN (SELECT work_order_id, sum(good_micro) AS good, sum(scrapped_micro) AS scrapped
                       FROM report GROUP BY work_order_id) p USING (work_order_id)
         WHERE r.table_name IS NOT NULL
           AND coalesce(r.content ->> 'completed_so_far', 0) = 0
           AND coalesce(r.content ->> 'scrapped_so_far', 0) = 0
           AND (w.good_micro <> coalesce(p.good, 0) OR w.scrapped_micro <> coalesce(p.scrapped, 0))
         LIMIT 1
        """
    ).fetchone()
    if fault:
        raise RecordsError(f"{fault[0]}: its reports are not what it says was made")
    return f"{_count(db, 'report')} reports make up their orders"


def verify_outbox(db: sqlite3.Connection) -> str:
    """Postings are numbered from 1 without a gap, and each is in the queue."""
    count, last = db.execute(
        "SELECT count(outbox_seq), coalesce(max(outbox_seq), 0) FROM event"
    ).fetchone()
    if count != last:
        raise RecordsError(f"{last} postings were numbered and {count} are there")
    return f"{count} postings without a gap"


def verify_signatures(db: sqlite3.Connection) -> str:
    """Every signature is its person's, and of the hash of an entry that stands before it."""
    given = "SELECT event_seq, person, body FROM event WHERE type = 'signature.given'"
    hash_of = "SELECT hash FROM event WHERE event_seq = ? AND event_seq < ?"
    for seq, person, text in (rows := db.execute(given).fetchall()):
        signed = json.loads(text)["data"]["detail"]
        found = db.execute(hash_of, [int(signed["signed_sequence"]), seq]).fetchone()
        if found != (signed["signed_hash"],) or person != signed["badge"]:
            raise RecordsError(f"entry {seq} signs what is not in the log, or for somebody else")
    return f"{len(rows)} signatures, each of an entry of the log"


CHECKS = (
    ("log", verify_log),
    ("journal", verify_journal),
    ("balances", verify_balances),
    ("genealogy", verify_genealogy),
    ("orders", verify_orders),
    ("outbox", verify_outbox),
    ("signatures", verify_signatures),
)


def verify(path: Path, anchor: str | None = None) -> list[tuple[str, bool, str]]:
    """Return (check, whether it holds, what was found) of each check. Raises `sqlite3.Error`."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        db.execute("BEGIN")
        return [(name, *_answer(check, db, anchor)) for name, check in CHECKS]
    finally:
        db.close()


def _answer(check: Any, db: sqlite3.Connection, anchor: str | None) -> tuple[bool, str]:
    try:
        return True, check(db, anchor) if check is verify_log else check(db)
    except RecordsError as fault:
        return False, str(fault)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        return False, f"a record cannot be read: {error}"


def _one(db: sqlite3.Connection, statement: str) -> int:
    return int(db.execute(statement).fetchone()[0])


def _count(db: sqlite3.Connection, table: str) -> int:
    return _one(db, f"SELECT count(*) FROM {table}")  # noqa: S608


def _lot(db: sqlite3.Connection, lot_id: int) -> str:
    row = db.execute(
        "SELECT trim(i.item || ' ' || l.lot || l.serial) FROM lot l JOIN item i USING (item_id) "
        "WHERE l.lot_id = ?",
        [lot_id],
    ).fetchone()
    return row[0] if row else f"lot {lot_id}"


def main() -> int:
    """Verify the file that the command line names."""
    parser = argparse.ArgumentParser(description="Verify the records of a station.")
    parser.add_argument("database", type=Path)
    parser.add_argument("--anchor", metavar="HASH", help="a hash of the log noted earlier")
    asked = parser.parse_args()
    try:
        found = verify(asked.database, asked.anchor)
    except sqlite3.Error as error:
        print(f"{asked.database} cannot be read: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for name, holds, detail in found:
        print(f"{'ok  ' if holds else 'FAIL'}  {name:<10} {detail}")  # noqa: T201
    return 0 if all(holds for _, holds, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
