"""The SQLite module in use: the current one from the `pysqlite3` wheel where there is one.

sqlite-utils makes the choice; both must be the same module, since their exceptions differ.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3 as sqlite
else:
    from sqlite_utils.utils import sqlite3 as sqlite

__all__ = ["sqlite"]
