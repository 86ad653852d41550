"""`load --mapping`: a file of one's own in the place of the folder's `mapping.toml`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "config" / "mappings" / "sap"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Exports without their mapping, which lies beside as sap.toml."""
    shutil.copytree(EXAMPLE, tmp_path / "erp")
    (tmp_path / "erp" / "mapping.toml").rename(tmp_path / "sap.toml")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    words = ["--db", str(folder / "line.db"), "load", *arguments]
    return CliRunner().invoke(cli, words, obj=Session(), standalone_mode=False)


def told(folder: Path, *arguments: str, code: int = 0) -> Any:
    result = run(folder, str(folder / "erp"), *arguments, "--json")
    assert result.exception is None, result.exception
    assert result.return_value == code, result.stdout
    return json.loads(result.stdout)


def test_without_a_mapping_the_exports_are_unknown_files(folder: Path) -> None:
    found = told(folder, code=2)
    assert {"MATERIAL.txt", "MB51.txt"} <= {fault["file"] for fault in found["faults"]}
    assert "say in mapping.toml how it is read" in found["faults"][0]["message"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_mapping_is_given_by_name(folder: Path, inside: bool) -> None:
    """It may lie among the exports under a name of its own."""
    mapping = folder / "sap.toml"
    if inside:
        mapping = mapping.rename(folder / "erp" / "sap.toml")
    checked = told(folder, "--mapping", str(mapping), "--dry-run")
    assert checked["tables"]["items"] == {"added": 6, "changed": 0, "unchanged": 0}
    diff = told(folder, "--mapping", str(mapping), "--diff")["diff"]
    assert diff["total"] == sum(one["added"] for one in checked["tables"].values())
    assert told(folder, "--mapping", str(mapping))["tables"] == checked["tables"]
    again = told(folder, "--mapping", str(mapping))["tables"]
    assert all(one["added"] == one["changed"] == 0 for one in again.values())


def test_a_fault_names_the_mapping_that_was_given_and_the_export(folder: Path) -> None:
    mapping = folder / "sap.toml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text.replace("thousands", "thousand"), encoding="utf-8")
    assert told(folder, "--mapping", str(mapping), code=2)["faults"] == [
        {"file": str(mapping), "line": None, "column": "defaults.thousand",
         "message": "there is no such key; did you mean thousands?"}
    ]  # fmt: skip
    mapping.write_text(text.replace('KG = "kg"', 'KGM = "kg"'), encoding="utf-8")
    found = told(folder, "--mapping", str(mapping), code=2)["faults"]
    assert ("MB51.txt", 9, "EME") in [(one["file"], one["line"], one["column"]) for one in found]


def test_a_mapping_that_is_not_there_or_goes_with_nothing_is_refused(folder: Path) -> None:
    missing = run(folder, str(folder / "erp"), "--mapping", str(folder / "none.toml"))
    assert isinstance(missing.exception, InputError)
    assert "none.toml. Name a file like mapping.toml." in missing.exception.sentence
    alone = run(folder, "--proposals", "--mapping", str(folder / "sap.toml"))
    assert isinstance(alone.exception, InputError)
    assert "--mapping go with a folder" in alone.exception.sentence
