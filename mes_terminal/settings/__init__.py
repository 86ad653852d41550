"""`station.toml`: TOML to frozen values. Read by the command line and the station only."""

from mes_terminal.settings.reading import ENVIRONMENT_PREFIX, find_file, read_settings
from mes_terminal.settings.tables import ScannerTable, Settings, time_zone

__all__ = [
    "ENVIRONMENT_PREFIX",
    "ScannerTable",
    "Settings",
    "find_file",
    "read_settings",
    "time_zone",
]
