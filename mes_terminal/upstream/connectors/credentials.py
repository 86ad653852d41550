"""Who we are and whom we trust: secrets, certificates and addresses out of the settings.

Every fault is one `InputError` that names the setting and never shows a secret. Used by the
connectors and by the site's doors; `where` is the settings' table (`upstream.http`).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from mes_terminal.settings.upstream_tables import Tls

SECRET_MAX_BYTES: Final = 16_384
"""A file with more is no secret but a wrong file."""


def secret_of(value: str | None, file: str | None, where: str) -> str | None:
    """Return the secret that the environment says, else what its file holds, `None` without both.

    `where` is the setting without `_file`, as `upstream.http.token`.
    """
    if value is not None:
        return value
    if file is None:
        return None
    content = _read(file, f"{where}_file")
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        text = ""
    if len(content) > SECRET_MAX_BYTES or not text or not text.isprintable():
        raise _fault(
            f"{where}_file: {file} does not hold one line of text. Write the secret into it, and "
            "nothing else."
        )
    return text


def readable(file: str | None, setting: str) -> Path | None:
    """Return the path of a file that a setting names, once it can be read."""
    if file is None:
        return None
    _read(file, setting)
    return Path(file).expanduser()


def client_tls(tls: Tls, where: str) -> ssl.SSLContext:
    """Return the TLS of our side: trusts `ca_file`, else the machine's authorities; shows
    `cert_file` with `key_file` where the other side asks who we are."""
    ca_file = readable(tls.ca_file, f"{where}.ca_file")
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        raise _fault(
            f"{where}.ca_file: {tls.ca_file} holds no certificate in PEM. Name a file that does."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, tls.cert_file, tls.key_file, where)
    return context


def load_pair(
    context: ssl.SSLContext, cert_file: str | None, key_file: str | None, where: str
) -> None:
    """Load our own certificate and its key, where the settings name them."""
    cert = readable(cert_file, f"{where}.cert_file")
    key = readable(key_file, f"{where}.key_file")
    if cert is None:
        if key is not None:
            raise _fault(f"{where}.key_file needs {where}.cert_file beside it. Name both.")
        return
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        raise _fault(
            f"{where}.cert_file and {where}.key_file: {cert_file} and {key_file or 'no key'} are "
            f"no certificate with its key in PEM ({_ssl_words(error)}). Name a pair that belongs "
            "together."
        ) from error
    except _EncryptedKeyError as error:
        raise _fault(
            f"{where}.key_file: {key_file or cert_file} is locked with a pass phrase, and nobody "
            "is there to type it. Store the key without one, readable by this program's user only."
        ) from error


def address_of(
    url: str | None, where: str, schemes: Collection[str], *, secret: str
) -> SplitResult:
    """Return the parts of an address that the settings must name."""
    if url is None:
        raise _fault(f"{where}.url is missing. Write the address, as {_example(schemes)}.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.username is not None or parts.password is not None:
        raise _fault(
            f"{where}.url must not hold a name or password. Take them out of it, and use {secret}."
        )
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise _fault(f"{where}.url is {url!r}. It must be an address as {_example(schemes)}.")
    return parts


def transport_words(error: BaseException) -> str:
    """Say in a few words why a connection failed; never holds what was sent."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLError):
            return f"TLS: {_ssl_words(each)}"
        if isinstance(each, ConnectionRefusedError):
            return "connection refused"
        if isinstance(each, TimeoutError):
            return "no answer in time"
        if isinstance(each, OSError) and each.strerror:
            return each.strerror.lower()
    return type(error).__name__


def tls_mend(error: BaseException, where: str) -> str | None:
    """Return which setting to look at after a fault of TLS, `None` if it was another."""
    for each in _chain(error):
        text = str(each)
        if isinstance(each, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in text:
            return f"Check {where}.ca_file and the name in {where}.url."
        if "CERTIFICATE_REQUIRED" in text.upper().replace(" ", "_"):
            return f"It wants our certificate: set {where}.cert_file and {where}.key_file."
        if isinstance(each, ssl.SSLError):
            return f"Check {where}.url, {where}.cert_file and the TLS of the other side."
    return None


def closed_words(error: BaseException, where: str, *settings: str) -> str | None:
    """Return `unwelcome_words` where the other side just closed the connection: so do servers that
    do not take a certificate or a password, without a word, or with one that the end of the
    connection overtakes; `None` for another fault."""
    if any(isinstance(each, ConnectionError) and not isinstance(each, ConnectionRefusedError)
           for each in _chain(error)):  # fmt: skip
        return unwelcome_words(where, *settings)
    return None


def unwelcome_words(where: str, *settings: str) -> str:
    """Return the hint that we may not be let in, with the settings that say who we are."""
    *others, last = (f".{each}" if number else f"{where}.{each}"
                     for number, each in enumerate(settings))  # fmt: skip
    named = f"{', '.join(others)} and {last}" if others else last
    return f"If it is there, it may not take who we are: check {named}."


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what led to it, the nearest first."""
    found: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in found and len(found) < _CHAIN_MAX:
        found.append(each)
        each = each.__cause__ or each.__context__
    return found


_CHAIN_MAX: Final = 16
"""Deeper chains of causes do not come up; the bound ends a ring."""


class _EncryptedKeyError(Exception):
    """The key asks for a pass phrase."""


def _no_password() -> str:
    raise _EncryptedKeyError


def _ssl_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return (error.reason or "fault").lower().replace("_", " ")


def _read(file: str, setting: str) -> bytes:
    try:
        with Path(file).expanduser().open("rb") as stream:
            return stream.read(_FILE_MAX_BYTES)
    except OSError as error:
        raise _fault(
            f"{setting}: {file} cannot be read ({error.strerror}). Name a file that this "
            "program's user may read."
        ) from error


_FILE_MAX_BYTES: Final = 4_000_000
"""More than the certificates of all public authorities."""


def _example(schemes: Collection[str]) -> str:
    return f"{next(iter(schemes))}://HOST:PORT"


def _fault(sentence: str) -> InputError:
    return InputError(sentence, reason="settings")
