"""The connectors, one file each: adding one is a file here and a line in `CONNECTORS`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.settings.upstream_tables import UpstreamTable
    from mes_terminal.upstream.connector import Connector, StationIdentity

CONNECTORS: Final[dict[str, tuple[str, str | None]]] = {
    "file": ("mes_terminal.upstream.connectors.file", None),
    "http": ("mes_terminal.upstream.connectors.http", None),
    "nats": ("mes_terminal.upstream.connectors.nats", "nats"),
    "mqtt": ("mes_terminal.upstream.connectors.mqtt", "mqtt"),
    "simulated": ("mes_terminal.upstream.connectors.simulated", None),
}
"""Kind to its module, whose `connect` makes it, and the extra it needs."""


def connector_of(upstream: UpstreamTable, identity: StationIdentity) -> Connector:
    """Return the connector that the settings name; it is not opened yet.

    Raises `InputError` where its extra is not installed, or a setting of it is missing.
    """
    module, extra = CONNECTORS[upstream.kind]
    try:
        connect: Callable[[UpstreamTable, StationIdentity], Connector] = import_module(
            module
        ).connect
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("mes_terminal"):
            raise
        raise InputError(
            f'upstream.kind = "{upstream.kind}" needs the package {error.name}. '
            f'Install it: pip install "mes-terminal[{extra}]"',
            reason="settings",
        ) from error
    return connect(upstream, identity)
