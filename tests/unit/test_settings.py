"""`station.toml`: defaults, overrides, and a clear sentence for every mistake."""

from decimal import Decimal
from pathlib import Path

import pytest

from mes_terminal.errors import InputError
from mes_terminal.settings import Settings, read_settings, time_zone

Lines = str


def read(folder: Path, text: Lines, **environment: str) -> Settings:
    file = folder / "station.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file, environment=environment)


def test_no_key_is_needed(tmp_path: Path) -> None:
    settings = read(tmp_path, "")
    assert settings.station.id == "STATION-1"
    assert settings.stock.lot_overrun_pct == 3
    assert settings.rules().codes.command_prefix == "%"
    assert [pattern.name for pattern in settings.rules().codes.patterns] == [
        "badge",
        "location",
        "lot",
    ]


def test_the_example_in_the_source_tree_is_read() -> None:
    example = Path(__file__).parents[2] / "config" / "station.example.toml"
    settings = read_settings(example, environment={})
    assert settings.policy == {"implausible_close": {"default": "confirm"}}


def test_the_example_shows_the_defaults() -> None:
    example = read_settings(Path("config/station.example.toml"), environment={})
    plain = Settings()
    for table in (
        "database",
        "stock",
        "report",
        "labels",
        "costs",
        "people",
        "load",
        "alarms",
        "backup",
    ):
        assert getattr(example, table) == getattr(plain, table)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[station]\nidd = 'x'", "station.idd is no setting. Did you mean station.id?"),
        ("[statoin]\nid = 'x'", "statoin is no setting. Did you mean station?"),
        ("[station]\nid = 1", "station.id is 1. It must be text in quotes, not empty."),
        ("[station]\nmode = 'prod'", "station.mode is 'prod'. It must be one of live, test."),
        ("[scanner.hand]\nbaude = 9", "scanner.hand.baude is no setting. Did you mean"),
        ("[scanner.hand]\nbaud = '9'", "scanner.hand.baud is '9'. It must be a whole number"),
        ("[scanner.approval]\nbaud = 9600", "scanner.approval: the station itself is called so"),
        ("[report]\nrequire_sign_in = 'true'", "is 'true'. It must be true or false."),
        ("[report]\nundo_grace_s = -1", "report.undo_grace_s is -1. It must be a whole number"),
        ("[report]\nundo_grace_s = true", "is true. It must be a whole number"),
        ("[stock]\nlot_overrun_pct = '3'", "stock.lot_overrun_pct is '3'. It must be a number"),
        ("[stock]\nlot_overrun_pct = nan", "stock.lot_overrun_pct is NaN. It must be a number"),
        ("[stock]\nlot_overrun_pct = 0.0000001", "at most six decimal places"),
        ("[policy.shortage]\nD = 'allow'", "policy.shortage.D is no setting. Known here: A, B"),
        ("[policy.shortages]\nA = 'allow'", "Did you mean policy.shortage?"),
        ("[policy.shortage]\nA = 'forbid'", "must be one of allow, reason, confirm, approve"),
        (
            "[policy.implausible_close]\nB = 'block'",
            "B is 'block', which this station cannot do there. Write allow or reason or confirm or",
        ),
        ("[exceptions.shortage]\nowners = 'x'", "Did you mean exceptions.shortage.owner?"),
        ("[codes.patterns]\nlot = '('", "codes.patterns.lot is no regular expression"),
        ("[station]\ntime_zone = 'Mars/Base'", "'Mars/Base' is no time zone"),
        ("stock = 1", "stock is 1. It must be a table."),
        ("[station", "is no valid TOML"),
    ],
)
def test_a_mistake_names_its_key_and_the_mend(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert sentence in caught.value.sentence
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "none.toml", environment={})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "[station]\nid = 'A'\n[scanner.st10-hand]\nbaud = 1200\n[policy.shortage]\nA = 'block'",
        MES_TERMINAL_STATION__ID="1234",
        MES_TERMINAL_REPORT__REQUIRE_SIGN_IN="true",
        MES_TERMINAL_STOCK__LOT_OVERRUN_PCT="2.5",
        MES_TERMINAL_SCANNER__ST10_HAND__BAUD="9600",
        MES_TERMINAL_SCANNER__ST10_HAND__NOREAD='["NR"]',
        MES_TERMINAL_POLICY__SHORTAGE__B="allow",
        HOME="/elsewhere",
    )
    assert settings.station.id == "1234"
    assert settings.report.require_sign_in is True
    assert settings.stock.lot_overrun_pct == Decimal("2.5")
    assert settings.scanner["st10-hand"].baud == 9600
    assert settings.scanner["st10-hand"].noread == ("NR",)
    assert settings.policy == {"shortage": {"A": "block", "B": "allow"}}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MES_TERMINAL_STATION__IDD", "x", "station.idd is no setting"),
        ("MES_TERMINAL_REPORT__REQUIRE_SIGN_IN", "yes", "must be true or false"),
        ("MES_TERMINAL_REPORT__UNDO_GRACE_S", "2.5", "must be a whole number"),
        ("MES_TERMINAL_STATION__ID__X", "1", "names no setting"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "[station]\nid = 'A'", **{name: value})
    assert sentence in caught.value.sentence
    assert name in caught.value.sentence


def test_percentages_reach_the_rules_exactly(tmp_path: Path) -> None:
    """BF-1: no float touches a percentage; 0.1 is a tenth."""
    rules = read(
        tmp_path, "[stock]\nlot_overrun_pct = 0.1\n[report]\nover_completion_pct = 2"
    ).rules()
    assert rules.lot_overrun_pct_micro == 100_000
    assert rules.over_completion_pct_micro == 2_000_000


def test_a_pattern_replaces_the_default_of_its_name_and_others_are_added(tmp_path: Path) -> None:
    rules = read(
        tmp_path, "[codes.patterns]\nbadge = 'P-(?P<badge>.+)'\nbox = 'X(?P<container>.+)'"
    ).rules()
    found = {pattern.name: pattern.expression.pattern for pattern in rules.codes.patterns}
    assert found["badge"] == "P-(?P<badge>.+)"
    assert found["box"] == "X(?P<container>.+)"
    assert found["location"] == "L:(?P<location>.+)"


def test_without_a_zone_the_machines_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert time_zone(None).key == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "no such zone")
    assert time_zone(None).key  # the link /etc/localtime, or UTC


def test_the_file_of_the_working_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    assert read_settings(environment={}) == Settings()
    personal = tmp_path / "home" / "mes-terminal"
    personal.mkdir(parents=True)
    (personal / "station.toml").write_text("[station]\nid = 'PERSONAL'")
    assert read_settings(environment={}).station.id == "PERSONAL"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "station.toml").write_text("[station]\nid = 'HERE'")
    assert read_settings(environment={}).station.id == "HERE"
