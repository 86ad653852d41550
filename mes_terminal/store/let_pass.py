"""What is drawn from although it is held, expired or not approved: somebody let that pass (BF-24).

That stands with what is mounted, and ends with its stay.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.store.database import Connection


class LetPass(Struct, frozen=True):
    """What is let pass of what is mounted, or put into a slot (BF-24)."""

    expired: bool = False
    held: bool = False
    approved_by: Literal["supervisor", "matrix", "permit"] | None = None
    """Who approved that it stands in for a component (BF-29): `permit`, report by report."""


class Barred(Struct, frozen=True):
    """A mounted lot that nothing is drawn from, because it is held or expired."""

    position: str
    lot_id: int
    item: str
    lot: str
    is_held: int
    is_expired: int
    expires_on: str


def allow(conn: Connection, position: str, found: LetPass) -> None:
    """Let what is mounted be used in spite of these things too."""
    conn.execute(
        """
        UPDATE mount SET may_expire = max(may_expire, :expired),
               may_be_held = max(may_be_held, :held),
               approved_by = coalesce(:approved_by, approved_by)
         WHERE position = :position
        """,
        {
            "expired": found.expired,
            "held": found.held,
            "approved_by": found.approved_by,
            "position": position,
        },
    )


def read_barred(conn: Connection, work_order_id: int, *, today: str) -> list[Barred]:
    """Return what is mounted for lines of an order and became held or expired since, unless that
    was let pass. A rejected lot stays barred (BF-16)."""
    rows = conn.execute(
        """
        SELECT DISTINCT m.position, m.lot_id, s.item, l.lot,
               l.status = 'hold' AND m.may_be_held = 0,
               coalesce(l.expires_on < :today, 0) AND m.may_expire = 0, coalesce(l.expires_on, '')
          FROM mount m
          JOIN lot l USING (lot_id)
          JOIN item s ON s.item_id = m.item_id
          JOIN order_line n ON n.work_order_id = :work_order_id AND n.location_id = m.location_id
          JOIN item i ON i.item_id = n.component_id
         WHERE l.status <> 'rejected'
           AND ((l.status = 'hold' AND m.may_be_held = 0)
                OR (l.expires_on < :today AND m.may_expire = 0))
           AND (n.component_id = m.item_id OR coalesce(n.mount_position, i.item) = m.position)
         ORDER BY m.position
        """,
        {"work_order_id": work_order_id, "today": today},
    )
    return [Barred(*row) for row in rows]


def bar_again(conn: Connection, barred: Barred) -> None:
    """Take back that a mounted lot is let pass."""
    conn.execute(
        """
        UPDATE mount SET may_expire = iif(:is_expired, 0, may_expire),
               may_be_held = iif(:is_held, 0, may_be_held)
         WHERE position = :position
        """,
        {
            "is_expired": barred.is_expired,
            "is_held": barred.is_held,
            "position": barred.position,
        },
    )
