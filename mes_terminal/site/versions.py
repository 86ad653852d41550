"""Versions of what goes down, where the world is ahead of the database (UP-9).

Stations and the broker's bucket keep the newest version that they saw. One above all of this
database's says that it was made anew, or restored from a backup: what it hands out next would be
taken for old and passed over. So every document gets a new version above that, and the stations
get them all again as they stand here; to apply one twice changes nothing.
"""

from typing import Final

from mes_terminal import logs
from mes_terminal.site.database import Connection

VERSION_MAX: Final = 2**53
"""A higher one is a lie: no site hands out so many."""

_HEAD: Final = "SELECT version FROM down_head"
_AGAIN: Final = """
    UPDATE down d SET version = %s + n.place
      FROM (SELECT version, row_number() OVER (ORDER BY version) AS place FROM down) n
     WHERE d.version = n.version
"""
# Stations know the conflicts of before by their numbers, which must not mean others now.
_CONFLICTS: Final = """
    SELECT setval(s.name, greatest(nextval(s.name), extract(epoch FROM now())::bigint / 60))
      FROM pg_get_serial_sequence('conflict', 'conflict_id') AS s(name)
"""


def overtake(conn: Connection, known: int) -> None:
    """Bring the versions of all documents above one that somebody has, where it is above them."""
    row = conn.execute(_HEAD).fetchone()
    if row is None or row[0] >= known or known > VERSION_MAX:
        return
    row = conn.execute(_HEAD + " FOR UPDATE").fetchone()
    if row is None or row[0] >= known:
        return
    count = conn.execute(_AGAIN, [known]).rowcount
    conn.execute("UPDATE down_head SET version = %s", [known + count])
    conn.execute("DELETE FROM down_kept")  # of versions that nobody has any more
    conn.execute(_CONFLICTS)
    conn.execute("SELECT pg_notify('mes_down', '')")
    logs.write("site.database_anew", known=known, version=row[0], documents_again=count)
