"""Where the door for HTTP listens, and the certificate that it shows."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, Final

from mes_terminal.errors import InputError
from mes_terminal.upstream.connectors.credentials import load_pair, readable

if TYPE_CHECKING:
    from mes_terminal.settings.upstream_tables import SiteTable

PORT_MAX: Final = 65_535
BACKLOG: Final = 1024
"""Connections that wait to be taken: a floor of stations that comes back at once."""


def server_tls(site: SiteTable) -> ssl.SSLContext | None:
    """Return the TLS of the door, `None` if it has no certificate. Raises `InputError`."""
    client_ca = readable(site.client_ca_file, "site.client_ca_file")
    if site.cert_file is None:
        if client_ca is not None or site.key_file is not None:
            raise InputError(
                "site.client_ca_file and site.key_file need site.cert_file beside them: without a "
                "certificate of its own the site cannot speak TLS. Name it.",
                reason="settings",
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, site.cert_file, site.key_file, "site")
    if client_ca is not None:
        try:
            context.load_verify_locations(client_ca)
        except ssl.SSLError as error:
            raise InputError(
                f"site.client_ca_file: {client_ca} holds no certificate in PEM. Name a file that "
                "does.",
                reason="settings",
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def listener(site: SiteTable) -> socket.socket:
    """Return the listening socket. Raises `InputError`, also for an address beyond this machine
    at which nobody would have to say who they are."""
    host, _, port = site.listen.rpartition(":")
    host = host.strip("[]")
    try:
        if int(port) > PORT_MAX:  # the library would take its lower 16 bits
            raise OSError
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InputError(
            f"site.listen: {site.listen} is no address of this machine. Write HOST:PORT.",
            reason="settings",
        ) from error
    family, address = found[0], found[4]
    open_to_all = not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    if open_to_all and site.tokens_file is None and site.client_ca_file is None:
        raise InputError(
            f"site.listen: at {site.listen} everybody in the network could post. Set "
            "site.tokens_file or site.client_ca_file, or listen at 127.0.0.1.",
            reason="settings",
        )
    # asyncio sends without delay only where the protocol is named: 40 ms of every answer
    found_socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found_socket.bind(address[:2])
        found_socket.listen(BACKLOG)
    except OSError as error:
        found_socket.close()
        raise InputError(
            f"site.listen: cannot listen at {site.listen} ({error.strerror}). Another program may "
            "have the port: end it, or choose another.",
            reason="settings",
        ) from error
    return found_socket
