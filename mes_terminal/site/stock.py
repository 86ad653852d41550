"""The stock that the site has where a station works: what the station compares its own with."""

from typing import Final

from mes_terminal.domain.delivery import StockReading, UpstreamStock
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.site.database import Connection, SiteDatabase
from mes_terminal.site.queries import instant
from mes_terminal.site.stations import read_stand

_EPOCH: Final = "SELECT epoch, now() FROM source WHERE source = %s"
_STOCK: Final = """
    SELECT m.item, nullif(m.lot, ''), nullif(m.serial, ''), b.location, b.quantity_micro, i.uom
      FROM location_writer w
      JOIN source s USING (source_id)
      JOIN balance b USING (location)
      JOIN material m USING (material_id)
      JOIN item i USING (item)
     WHERE s.source = %s AND b.quantity_micro <> 0
     ORDER BY m.item COLLATE "C", m.lot COLLATE "C", m.serial COLLATE "C", b.location COLLATE "C"
"""


class Stock:
    """Answers what a station asks about stock."""

    def __init__(self, database: SiteDatabase) -> None:
        self._database = database

    def reading(self, source: str) -> StockReading:
        """Return the stock at the locations that a source wrote to. Raises `SiteBusyError`."""
        with self._database.transaction() as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return read_stock(conn, source)


def read_stock(conn: Connection, source: str) -> StockReading:
    """Return the same inside a transaction, which should see one moment only."""
    epoch, now = conn.execute(_EPOCH, [source]).fetchone() or ("", None)
    if now is None:
        row = conn.execute("SELECT now()").fetchone()
        assert row is not None
        now = row[0]
    stand = read_stand(conn, source, epoch or "")
    return StockReading(
        as_of=instant(now),
        watermark=stand.watermark,
        beyond=stand.beyond,
        stock=[
            UpstreamStock(
                item=item, lot=lot, serial=serial, location=location,
                quantity=format_quantity(micro), uom=uom,
            )
            for item, lot, serial, location, micro, uom in conn.execute(_STOCK, [source])
        ],
    )  # fmt: skip
