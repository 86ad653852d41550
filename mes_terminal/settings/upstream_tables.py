"""The settings of what lies beyond the station: connectors, and the site's receiver.

A secret stands in a file that is named here or in the environment, never in the settings' file: a
field that ends in `_file` names such a file, the field without it is taken from the environment
only (`MES_TERMINAL_UPSTREAM__HTTP__TOKEN`).
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]
Days = Annotated[int, Meta(ge=1, le=36_525)]
Url = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9+.-]*://\S+\Z")]

SECRETS: Final = frozenset({
    "upstream.http.token", "upstream.nats.token", "upstream.nats.password",
    "upstream.mqtt.password", "site.password", "site.nats.token", "site.nats.password",
    "site.mqtt.password", "site.tryton.password",
})  # fmt: skip
"""Settings that only the environment may say."""


_HIDDEN: Final = frozenset(path.rpartition(".")[2] for path in SECRETS)


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: only the keys named below it are allowed. Shown, it hides secrets."""

    def __repr__(self) -> str:
        told = (
            f"{name}={'***' if name in _HIDDEN and value is not None else repr(value)}"
            for name, value in ((name, getattr(self, name)) for name in self.__struct_fields__)
        )
        return f"{type(self).__name__}({', '.join(told)})"


class Tls(Part, frozen=True):
    """TLS of one connection: whom to trust, and who we are."""

    ca_file: Text | None = None
    cert_file: Text | None = None
    key_file: Text | None = None


class FileConnectorTable(Part, frozen=True):
    """The `file` connector; `folder` `None`: the folder `outbox` beside the database. `template`: a
    TOML file that says which CSV files are written besides; `seal_s`: how long a file stays open
    before readers see it."""

    folder: Text | None = None
    template: Text | None = None
    seal_s: Annotated[int, Meta(ge=1, le=86_400)] = 60


class HttpConnectorTable(Tls, frozen=True):
    """The `http` connector. `url` is the receiver's root."""

    url: Url | None = None
    token: Text | None = None
    token_file: Text | None = None


class NatsTable(Tls, frozen=True):
    """A NATS server, or several with commas between them. `domain`: the JetStream domain of the
    hub, where the server is a leaf node before it."""

    url: Url | None = None
    domain: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]+\Z")] | None = None
    creds_file: Text | None = None
    token: Text | None = None
    token_file: Text | None = None
    user: Text | None = None
    password: Text | None = None
    password_file: Text | None = None


class SiteNatsTable(NatsTable, frozen=True):
    """The NATS that the site reads. `replicas`: servers of a cluster that each keep the stream;
    `duplicate_window_s`: how long the stream itself knows a posting again."""

    replicas: Literal[1, 3, 5] = 1
    duplicate_window_s: Annotated[int, Meta(ge=1, le=86_400)] = 120


class MqttTable(Tls, frozen=True):
    """An MQTT 5 broker: `mqtt://HOST:1883` or `mqtts://HOST:8883`. `prefix` begins every topic."""

    url: Url | None = None
    user: Text | None = None
    password: Text | None = None
    password_file: Text | None = None
    prefix: Text = "mes/v1"


class SimulatedTable(Part, frozen=True):
    """The `simulated` connector, for tests and developers: how its receiver misbehaves. Of so many
    calls one fails before (`fail_every`), or after its effect (`lose_every`); 0: none. `refuse`: a
    regular expression; orders that it finds are refused."""

    delay_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    fail_every: Annotated[int, Meta(ge=0)] = 0
    lose_every: Annotated[int, Meta(ge=0)] = 0
    refuse: Text | None = None
    is_offline: bool = False
    seed: int = 0


class UpstreamTable(Part, frozen=True):
    """Where postings go: the connector's name, its own table below. `keep_days`: how long what was
    delivered stays in the list of the outbox."""

    kind: Literal["file", "http", "nats", "mqtt", "simulated"] = "file"
    keep_days: Days = 30
    file: FileConnectorTable = FileConnectorTable()
    http: HttpConnectorTable = HttpConnectorTable()
    nats: NatsTable = NatsTable()
    mqtt: MqttTable = MqttTable()
    simulated: SimulatedTable = SimulatedTable()


class TrytonTable(Part, frozen=True):
    """The Tryton server that the site posts to. `places`: the codes of the stations' locations
    whose receipts come down; `units`: the stations' names of units by which Tryton has another
    symbol (`pcs` is `u`); `serial_category`: products of it are tracked by serial number."""

    url: Url | None = None
    database: Text = "tryton"
    user: Text = "admin"
    password: Text | None = None
    password_file: Text | None = None
    poll_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 250
    places: tuple[Text, ...] = ("LINE", "FG")
    units: dict[Text, Text] = {}
    serial_category: Text = "Serial"


class SiteTable(Part, frozen=True):
    """The site's receiver (`mes-terminal site`). `database`: a PostgreSQL URL without a password;
    `tokens_file`: a line `source token` for each that may post; `folders`: outboxes of `file`
    connectors that are read too."""

    database: Text = "postgresql:///mes_site"
    password: Text | None = None
    password_file: Text | None = None
    listen: Annotated[str, Meta(pattern=r"\A\S+:\d{1,5}\Z")] = "127.0.0.1:8735"
    tokens_file: Text | None = None
    cert_file: Text | None = None
    key_file: Text | None = None
    client_ca_file: Text | None = None
    nats: SiteNatsTable = SiteNatsTable()
    mqtt: MqttTable = MqttTable()
    folders: tuple[Text, ...] = ()
    tryton: TrytonTable = TrytonTable()
