"""`policy` as a user calls it: the matrix in force, and what another would have done (BF-24)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.station_process import Station

OTHER = '[policy.over_completion]\nA = "approve"\ndefault = "allow"\n'


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    """The small plant and another station's settings in `other.toml`."""
    station = Station(tmp_path)
    station.load_plant()
    (tmp_path / "other.toml").write_text(OTHER)
    yield station
    station.close()


def test_the_matrix_says_what_decided_each_cell(tmp_path: Path) -> None:
    """BF-24: without a database, for it comes from the settings alone."""
    (tmp_path / "other.toml").write_text(OTHER)
    rows = Station(tmp_path).rows("policy", "--config", "other.toml")
    assert len(rows) == 44
    over = [row for row in rows if row["situation"] == "over_completion"]
    assert [(row["class"], row["level"], row["decided_by"]) for row in over] == [
        ("A", "approve", "policy.over_completion.A"),
        ("B", "allow", "policy.over_completion.default"),
        ("C", "allow", "policy.over_completion.default"),
        ("default", "allow", "policy.over_completion.default"),
    ]
    assert {row["decided_by"] for row in rows if row not in over} == {"built-in"}


def test_the_example_of_the_source_tree_asks_before_an_implausible_close(tmp_path: Path) -> None:
    """BF-24."""
    for name in ("station.example.toml", "simulated.toml"):
        file = Path(__file__).parents[2] / "config" / name
        rows = Station(tmp_path).rows("policy", "--config", str(file))
        closes = {row["level"] for row in rows if row["situation"] == "implausible_close"}
        assert closes == {"confirm"}


def test_a_level_that_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    """BF-24: it is never taken as another one."""
    (tmp_path / "bad.toml").write_text('[policy.implausible_close]\nA = "block"\n')
    done = Station(tmp_path).run("policy", "--config", "bad.toml", code=2)
    assert done.stderr.decode().splitlines() == [
        "mes-terminal: bad.toml: policy.implausible_close.A is 'block', which this station cannot "
        "do there. Write allow or reason or confirm or approve."
    ]


@pytest.mark.parametrize("with_core", [False, True])
def test_a_replay_lists_what_would_have_differed(plant: Station, with_core: bool) -> None:
    """BF-24: the core need not stop, and nothing is written."""
    plant.scan("%QTY 11", "WO-1", code=1)
    core = plant.start_core() if with_core else None
    before = plant.rows("audit")
    assert plant.rows("policy", "--replay", "1d") == []
    (row,) = plant.rows("policy", "--replay", "1d", "--config", "other.toml")
    assert {key: row[key] for key in row if key not in ("scan_id", "received_at")} == {
        "sequence": 2, "code": "WO-1", "situation": "over_completion", "item": "CHAIR",
        "class": None, "level": "block", "outcome": "rejected", "reason": "over_tolerance",
        "would_level": "allow", "would_outcome": "completed", "would_reason": None,
    }  # fmt: skip
    told = plant.run("policy", "--replay", "8h", "--config", "other.toml").stdout.decode()
    assert "over_completion" in told
    assert plant.rows("audit") == before
    if core is not None:
        plant.run("core", "--stop")
        core.wait(30)


@pytest.mark.parametrize("span", ["30", "d", "-1d", "1w", "9999999d", "99999d"])
def test_a_time_that_is_none_is_one_sentence(plant: Station, span: str) -> None:
    done = plant.run("policy", f"--replay={span}", code=2)
    assert b"Write one like 30d, 8h or 90m." in done.stderr


def test_a_replay_needs_a_database(tmp_path: Path) -> None:
    assert b"no database" in Station(tmp_path).run("policy", "--replay", "1d", code=2).stderr


def test_an_approval_survives_from_one_call_to_the_next(plant: Station) -> None:
    """BF-24: question and answer in processes of their own."""
    plant.scan("--config", "other.toml", "%QTY 11", "WO-1")
    (report,) = plant.rows("audit", "--type", "production.completed")
    assert report["reason"] is None
    (accepted,) = plant.rows("audit", "--type", "deviation.accepted")
    assert accepted["event"]["data"]["detail"]["level"] == "allow"
    (plant.folder / "strict.toml").write_text('[policy.over_completion]\ndefault = "approve"\n')
    asked = plant.scan("--config", "strict.toml", "%QTY 6", "WO-2", "--as", "OP-1", code=1)
    assert asked[-1]["reason"] == "approval"
    (done,) = plant.scan("--config", "strict.toml", "B:SUP-1")
    assert (done["outcome"], done["work_order"], done["quantity"]) == ("completed", "WO-2", "6")
    newest = plant.rows("audit", "--type", "deviation.accepted")[-1]
    assert (newest["person"], newest["second_person"]) == ("OP-1", "SUP-1")
