"""The bridge as the settings say it: the server, who logs in, and what goes down."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mes_terminal.errors import InputError
from mes_terminal.site.tryton.bridge import Bridge
from mes_terminal.site.tryton.catalogue import UNITS
from mes_terminal.site.tryton.client import TrytonClient
from mes_terminal.site.tryton.pull import Puller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.settings.upstream_tables import TrytonTable
    from mes_terminal.site.database import SiteDatabase
    from mes_terminal.site.down import DownRoad

MS_PER_S = 1000


@contextmanager
def bridge_of(database: SiteDatabase, road: DownRoad, table: TrytonTable) -> Iterator[Bridge]:
    """Give the bridge of the settings, which hands down by `road` what changed in Tryton.

    Raises `InputError` where the server or the password is missing; calls nobody yet.
    """
    if table.url is None:
        raise InputError("site.tryton.url is missing: write the root of the Tryton server.")
    units = UNITS | table.units
    client = TrytonClient(table.url, table.database, table.user, _password(table))
    puller = Puller(
        client, places=table.places, units=units, serial_category=table.serial_category,
        told=road.orders,
    )  # fmt: skip
    try:
        yield Bridge(
            database,
            client,
            poll_s=table.poll_ms / MS_PER_S,
            units=units,
            pull=lambda: road.publish_tables(puller.pull()),
        )
    finally:
        client.close()


def _password(table: TrytonTable) -> str:
    if table.password is not None:
        return table.password
    if table.password_file is None:
        raise InputError(
            "The password of site.tryton.user is missing: name a file in site.tryton.password_file,"
            " or set MES_TERMINAL_SITE__TRYTON__PASSWORD."
        )
    try:
        return Path(table.password_file).expanduser().read_text().strip()
    except OSError as error:
        raise InputError(
            f"site.tryton.password_file: {error.strerror} ({table.password_file})."
        ) from error
