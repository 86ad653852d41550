"""A small plant as files, for tests of the load: a case states only the files that differ.

CHAIR (by lot) is made of 4 LEG (by lot), 1.5 m of TAPE (to the millimetre) and a SEAT phantom of
one PAD. WO-1, released, asks for 10.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.load_master_data import LoadResult, load_folder

NOW = "2026-11-20T13:00:00.000000Z"
LATER = "2026-11-21T13:00:00.000000Z"
RULES = StationRules()

BASE = {
    "items": """
        item,uom,decimals,tracking,kind
        CHAIR,pcs,0,lot,
        LEG,pcs,0,lot,
        TAPE,m,3,none,
        SEAT,pcs,0,none,phantom
        PAD,pcs,0,none,
        MOTOR,pcs,0,serial,
    """,
    "boms": """
        item,revision
        CHAIR,A
        SEAT,A
    """,
    "bom_lines": """
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        CHAIR,A,20,TAPE,1.5
        CHAIR,A,30,SEAT,1
        SEAT,A,10,PAD,1
    """,
    "work_orders": """
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
    """,
}


def table(text: str) -> bytes:
    """Return the lines of a readable text as a file."""
    return "\n".join(line.strip() for line in text.strip().splitlines()).encode()


def files(changes: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """Return the plant with some tables replaced or added; an empty text takes one away."""
    texts = {**BASE, **(changes or {})}
    return {f"{name}.csv": table(text) for name, text in texts.items() if text}


def load(
    db: Database,
    changes: Mapping[str, str] | None = None,
    *,
    rules: StationRules = RULES,
    now: str = NOW,
    at: str | None = None,
    dry_run: bool = False,
    diff: bool = False,
) -> LoadResult:
    """Load the plant with changes."""
    return load_folder(db, files(changes), rules=rules, now=now, at=at, dry_run=dry_run, diff=diff)


def loaded(db: Database, changes: Mapping[str, str] | None = None, **how: object) -> LoadResult:
    """Load the plant with changes, which must have no fault."""
    result = load(db, changes, **how)  # type: ignore[arg-type]
    assert [str(fault) for fault in result.faults] == []
    return result


def rows(db: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    return [tuple(row) for row in db.conn.execute(query, values)]


@pytest.fixture
def db(tmp_path: Path) -> Database:
    """An empty database."""
    return open_database(tmp_path / "station.db")
