"""Make the database fit the settings: called by the station each time it opens the database."""

from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database
from mes_terminal.store.master_data import ensure_locations


def prepare_station(db: Database, rules: StationRules) -> None:
    """Make the locations that the settings name."""
    with db.transaction() as conn:
        ensure_locations(conn, rules)
