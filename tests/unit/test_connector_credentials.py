"""Secrets, certificates and addresses out of the settings: one sentence for every mistake, and a
secret in none of them."""

import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mes_terminal.errors import InputError
from mes_terminal.settings.reading import read_settings
from mes_terminal.settings.upstream_tables import (
    HttpConnectorTable,
    MqttTable,
    NatsTable,
    SiteTable,
    UpstreamTable,
)
from mes_terminal.site.doors.listening import listener, server_tls
from mes_terminal.site.doors.tokens import Tokens, may_speak
from mes_terminal.upstream.connector import StationIdentity
from mes_terminal.upstream.connectors import connector_of

SECRET = "correct-horse-battery"


def identity(folder: Path) -> StationIdentity:
    return StationIdentity(
        source="urn:mes-terminal:PLANT:ST-1", site="PLANT", station="ST-1",
        database=folder / "station.db",
    )  # fmt: skip


def fault_of(work: Callable[[], object]) -> str:
    """Return the sentence of the mistake; it must be one line that ends as a sentence."""
    with pytest.raises(InputError) as raised:
        work()
    sentence = raised.value.sentence
    assert raised.value.reason == "settings"
    assert "\n" not in sentence
    assert sentence.endswith((".", '"'))
    assert SECRET not in sentence
    return sentence


def http(**said: str) -> UpstreamTable:
    return UpstreamTable(kind="http", http=HttpConnectorTable(**({"url": "https://mes"} | said)))


def nats(**said: str) -> UpstreamTable:
    return UpstreamTable(kind="nats", nats=NatsTable(**({"url": "nats://mes"} | said)))


def mqtt(**said: str) -> UpstreamTable:
    return UpstreamTable(kind="mqtt", mqtt=MqttTable(**({"url": "mqtts://mes"} | said)))


@pytest.mark.parametrize(
    ("upstream", "setting"),
    [
        (UpstreamTable(kind="http"), "upstream.http.url"),
        (UpstreamTable(kind="nats"), "upstream.nats.url"),
        (UpstreamTable(kind="mqtt"), "upstream.mqtt.url"),
        (http(url="ftp://mes"), "upstream.http.url"),
        (http(url="http://:80"), "upstream.http.url"),
        (http(url="http://mes:99999"), "upstream.http.url"),
        (http(token_file="nowhere"), "upstream.http.token_file"),
        (http(ca_file="nowhere"), "upstream.http.ca_file"),
        (http(cert_file="nowhere"), "upstream.http.cert_file"),
        (http(key_file="tests"), "upstream.http.key_file"),
        (nats(url="nats://a,http://b"), "upstream.nats.url"),
        (nats(creds_file="nowhere"), "upstream.nats.creds_file"),
        (nats(token_file="nowhere"), "upstream.nats.token_file"),
        (nats(user="me"), "upstream.nats.password_file"),
        (nats(password=SECRET), "upstream.nats.user"),
        (nats(ca_file="nowhere"), "upstream.nats.ca_file"),
        (mqtt(url="mqtt://mes", ca_file="x"), "upstream.mqtt.url"),
        (mqtt(password=SECRET), "upstream.mqtt.user"),
        (mqtt(user="me", password_file="nowhere"), "upstream.mqtt.password_file"),
        (mqtt(key_file="pyproject.toml"), "upstream.mqtt.key_file"),
    ],
)
def test_a_wrong_setting_of_a_connector_is_named(
    tmp_path: Path, upstream: UpstreamTable, setting: str
) -> None:
    assert setting in fault_of(lambda: connector_of(upstream, identity(tmp_path)))


@pytest.mark.parametrize(
    "upstream",
    [
        http(url=f"https://me:{SECRET}@mes"),
        nats(url=f"nats://mes,nats://me:{SECRET}@mes"),
        mqtt(url=f"mqtt://me:{SECRET}@mes"),
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(
    tmp_path: Path, upstream: UpstreamTable
) -> None:
    assert ".url must not hold" in fault_of(lambda: connector_of(upstream, identity(tmp_path)))


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"one\ntwo", b"\xff\xfe", b"x" * 20_000],
    ids=["empty", "blank", "two lines", "no text", "too large"],
)
def test_a_file_that_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    told = fault_of(lambda: connector_of(http(token_file=str(file)), identity(tmp_path)))
    assert "upstream.http.token_file" in told


def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "some.pem"
    file.write_text("no certificate")
    for setting in ("ca_file", "cert_file"):
        upstream = http(**{setting: str(file)})
        told = fault_of(partial(connector_of, upstream, identity(tmp_path)))
        assert f"upstream.http.{setting}" in told


def test_a_secret_is_shown_nowhere(tmp_path: Path) -> None:
    """In no text of the settings, of a connector, or of what it holds."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    settings = read_settings(
        _empty(tmp_path),
        environment={
            "MES_TERMINAL_UPSTREAM__HTTP__TOKEN": SECRET,
            "MES_TERMINAL_UPSTREAM__NATS__PASSWORD": SECRET,
            "MES_TERMINAL_SITE__PASSWORD": SECRET,
            "MES_TERMINAL_SITE__TRYTON__PASSWORD": SECRET,
        },
    )
    assert settings.upstream.http.token == SECRET
    shown = [repr(settings), str(settings.upstream), f"{settings.site}"]
    for upstream in (
        http(token_file=str(file)),
        nats(user="me", password_file=str(file)),
        mqtt(user="me", password_file=str(file)),
    ):
        connector = connector_of(upstream, identity(tmp_path))
        shown += [repr(connector), repr(vars(connector))]
    assert not any(SECRET in each for each in shown)


def _empty(folder: Path) -> Path:
    file = folder / "station.toml"
    file.write_text("")
    return file


@pytest.mark.parametrize(
    ("site", "setting"),
    [
        (SiteTable(listen="0.0.0.0:0"), "site.tokens_file"),
        (SiteTable(listen="[::]:0"), "site.client_ca_file"),
        (SiteTable(listen="192.0.2.1:80", tokens_file="x"), "site.listen"),
        (SiteTable(listen="nobody.invalid:80"), "site.listen"),
        (SiteTable(listen="127.0.0.1:99999"), "site.listen"),
    ],
)
def test_where_a_site_may_not_listen_is_said(site: SiteTable, setting: str) -> None:
    """Beyond its own machine nobody is let in without saying who they are."""
    assert setting in fault_of(lambda: listener(site))


def test_a_site_with_tokens_may_listen_to_all() -> None:
    with listener(SiteTable(listen="0.0.0.0:0", tokens_file="x")) as found:
        assert found.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize(
    ("site", "setting"),
    [
        (SiteTable(key_file="pyproject.toml"), "site.cert_file"),
        (SiteTable(client_ca_file="pyproject.toml"), "site.cert_file"),
        (SiteTable(cert_file="nowhere"), "site.cert_file"),
        (SiteTable(cert_file="pyproject.toml"), "site.cert_file"),
    ],
)
def test_a_wrong_certificate_of_a_site_is_named(site: SiteTable, setting: str) -> None:
    assert setting in fault_of(lambda: server_tls(site))


def test_a_token_speaks_for_its_sources_only(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("# stations\nurn:a one # the first\nurn:b two\n\nurn:b one\n* all\n")
    tokens = Tokens(str(file))
    assert tokens.sources_of("Bearer one") == {"urn:a", "urn:b"}
    assert tokens.sources_of("bearer two") == {"urn:b"}
    for nobody in (None, "", "Bearer", "Bearer ", "Basic one", "Bearer three", "one"):
        assert tokens.sources_of(nobody) == frozenset()
    assert may_speak(tokens.sources_of("Bearer all"), "urn:c")
    assert not may_speak(tokens.sources_of("Bearer two"), "urn:a")


def test_a_tokens_file_that_changes_is_read_again_and_kept_while_it_is_wrong(
    tmp_path: Path,
) -> None:
    file = tmp_path / "tokens"
    file.write_text("urn:a one\n")
    tokens = Tokens(str(file))
    file.write_text("urn:a other-than-that\n")
    assert tokens.sources_of("Bearer one") == frozenset()
    assert tokens.sources_of("Bearer other-than-that") == {"urn:a"}
    file.write_text("urn:a other-than-that and more\n")
    assert tokens.sources_of("Bearer other-than-that") == {"urn:a"}
    file.unlink()
    assert tokens.sources_of("Bearer other-than-that") == {"urn:a"}
    assert "other-than-that" not in repr(vars(tokens))


def test_a_wrong_line_of_tokens_is_named_without_its_token(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"urn:a one\nurn:b {SECRET} x\n")
    assert "line 2" in fault_of(lambda: Tokens(str(file)))
    file.chmod(stat.S_IRUSR)
    assert "site.tokens_file" in fault_of(lambda: Tokens(str(tmp_path / "none")))
