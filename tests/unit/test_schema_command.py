"""`mes-terminal schema`: every type of posting has a schema, and the page of postings tells it."""

import ast
import json
import os
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import fastjsonschema
import msgspec
import pytest
from click.testing import CliRunner, Result

from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.domain.posting import full_type
from mes_terminal.domain.report_told import EVENT_TYPES
from mes_terminal.exchange.posting_schemas import (
    DIALECT,
    POSTINGS,
    posting_schema,
    posting_schemas,
)
from tests.posting_checks import fault_of
from tests.posting_examples import examples, play

ROOT: Final = Path(__file__).parent.parent.parent
PAGE: Final = ROOT / "docs" / "postings.md"
WIDTH: Final = 100
HASH: Final = re.compile("[0-9a-f]{64}")
STAYS: Final = frozenset(
    {
        "clock.confirmed", "count.dropped", "count.ended", "count.started", "epoch.begun",
        "exception.assigned", "loaded", "lot.mounted", "lot.unmounted", "operator.pin_refused",
        "order.started", "output_lot.named", "permit.given_back",
        "posting.sent_again", "signed_in", "signed_out", "slot.filled",
    }
)  # fmt: skip
"""Types of entries that stay in the log of the station."""
NAMED_ELSEWHERE: Final = frozenset(
    {"apply_policy.py", "context.py", "count_stock.py", "grant_permit.py", "material_event.py",
     "people.py", "propose_load.py"}
)  # fmt: skip
"""Modules that are told the type by who calls them, or that post nothing upstream."""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), obj=Session())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    station = play(tmp_path_factory.mktemp("played"))
    yield examples(station)
    station.db.close()


@pytest.mark.parametrize("kind", POSTINGS)
def test_a_posting_of_each_type_keeps_its_schema(kind: str, played: dict[str, Any]) -> None:
    """UP-1: as it stands, taken from a run at the sample plant."""
    fastjsonschema.compile(posting_schema(kind))(deepcopy(played[kind]))


def test_no_posting_of_a_type_keeps_the_schema_of_another(played: dict[str, Any]) -> None:
    for kind, document in played.items():
        if kind in POSTINGS:
            other = next(each for each in POSTINGS if each != kind)
            with pytest.raises(fastjsonschema.JsonSchemaException):
                fastjsonschema.compile(posting_schema(other))(deepcopy(document))


def wrong(document: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    """Return a document with another value at a place; `...` takes the key away."""
    made = deepcopy(document)
    place = made
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("type",), "io.mes-terminal.production.scrapped.v1"),
        (("id",), "7f3a91c0d2e84b55"),
        (("sequence",), ...),
        (("sequence",), 12),
        (("epoch",), "x"),
        (("source",), "LINE3-ST02"),
        (("time",), "2026-11-20T08:00:05Z"),
        (("datahash",), "x"),
        (("data", "report_id"), "scan-00001"),
        (("data", "work_order"), None),
        (("data", "work_order"), ...),
        (("data", "final"), "yes"),
        (("data", "scrapped_quantity"), 0),
        (("data", "scrapped_quantity"), "1.50"),
        (("data", "material_actuals", 0, "use"), "Eaten"),
        (("data", "material_actuals", 0, "quantity"), "1,5"),
        (("data", "material_actuals", 0, "location"), ...),
        (("data", "material_actuals", 1, "certainty"), "sure"),
        (("data", "exceptions"), [{"id": 1}]),
    ],
)
def test_a_schema_refuses_what_is_wrong(
    path: tuple[Any, ...], value: Any, played: dict[str, Any]
) -> None:
    check = fastjsonschema.compile(posting_schema("production.completed"))
    good = played["production.completed"]
    check(deepcopy(good))
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check(wrong(good, *path, value=value))


def test_a_key_that_nobody_knows_yet_breaks_no_reader(played: dict[str, Any]) -> None:
    for kind in POSTINGS:
        document = deepcopy(played[kind]) | {"later": 1}
        document["data"]["later"] = {"x": 1}
        for actual in document["data"].get("material_actuals", []):
            actual["later"] = None
        fastjsonschema.compile(posting_schema(kind))(document)


def test_every_posting_of_every_test_is_checked(played: dict[str, Any]) -> None:
    """What `conftest.py` asks of each body is not nothing: it tells a broken one."""
    good = played["line.stopped"]
    assert fault_of(msgspec.json.encode(good)) is None
    broken = wrong(good, "data", "detail", "reason", value=7)
    assert "line.stopped: data.data.detail.reason" in (fault_of(msgspec.json.encode(broken)) or "")
    unknown = wrong(good, "type", value="io.mes-terminal.line.painted.v1")
    assert "none of POSTINGS" in (fault_of(msgspec.json.encode(unknown)) or "")


def drafts() -> Iterator[tuple[str, str]]:
    """Yield (module, type) of every place that makes an event, as it stands in the code."""
    for folder in ("domain", "usecases", "station", "upstream"):
        for path in sorted((ROOT / "mes_terminal" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                kind = _type_of(node) if isinstance(node, ast.Call) else None
                if kind is not None:
                    for each in _texts(kind):
                        yield path.name, each


def _type_of(call: ast.Call) -> ast.expr | None:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "EventDraft":
        return next(each.value for each in call.keywords if each.arg == "type")
    place = {"fact": 1, "stock_event": 0, "material_event": 0}.get(name)
    return None if place is None or len(call.args) <= place else call.args[place]


def _texts(kind: ast.expr) -> list[str]:
    """Return what a type may be; the name of what it is taken from, in brackets."""
    if isinstance(kind, ast.Constant):
        return [str(kind.value)]
    if isinstance(kind, ast.IfExp):
        return [*_texts(kind.body), *_texts(kind.orelse)]
    text = ast.unparse(kind)
    if text.startswith("EVENT_TYPES["):
        return sorted(set(EVENT_TYPES.values()))
    return ["signature.given"] if text == "GIVEN" else [f"<{text}>"]


def test_every_type_that_the_code_can_post_is_registered() -> None:
    """UP-1: nothing goes upstream that no schema tells."""
    made = set(drafts())
    assert {kind for _, kind in made} >= POSTINGS.keys()
    unknown = {
        (module, kind)
        for module, kind in made
        if kind not in POSTINGS
        and kind not in STAYS
        and not (kind.startswith("<") and module in NAMED_ELSEWHERE)
    }
    assert unknown == set()


def test_the_command_prints_one_object_of_schemas_by_type() -> None:
    result = run("schema", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert list(printed) == [full_type(kind) for kind in POSTINGS]
    for kind, schema in printed.items():
        assert schema["$schema"] == DIALECT
        assert schema["properties"]["type"] == {"const": kind}


def test_the_command_needs_no_database_and_tells_each_type_in_a_line(tmp_path: Path) -> None:
    result = run("schema", "--db", str(tmp_path / "none.db"))
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(POSTINGS)
    assert list(tmp_path.iterdir()) == []


def test_one_type_is_asked_for_by_either_of_its_names() -> None:
    short, whole = run("schema", "line.stopped"), run("schema", full_type("line.stopped"))
    assert short.stdout == whole.stdout
    assert json.loads(short.stdout) == posting_schema("line.stopped")
    asked = json.loads(run("schema", "line.stopped", "--json").stdout)
    assert list(asked) == [full_type("line.stopped")]


def test_an_unknown_type_is_wrong_input() -> None:
    result = run("schema", "line.painted")
    assert result.exit_code != 0
    assert "line.painted is no type of posting" in str(getattr(result.exception, "sentence", ""))


def test_one_file_a_type_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "schemas"
    result = run("schema", "--to", str(folder))
    assert result.exit_code == 0
    written = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
    schemas = posting_schemas()
    assert written == {f"{full_type(kind)}.schema.json": schemas[kind] for kind in POSTINGS}
    again = json.loads(run("schema", "shift.ended", "--to", str(folder), "--json").stdout)
    assert again == {
        full_type("shift.ended"): str(folder / f"{full_type('shift.ended')}.schema.json")
    }


def shown(value: Any, indent: int = 0) -> str:
    """Return JSON as the page shows it: on one line where it fits, else a line for each part."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent < WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    inner = " " * (indent + 1)
    if isinstance(value, list):
        parts = [inner + shown(each, indent + 1) for each in value]
        return "[\n" + ",\n".join(parts) + "]"
    lines: list[str] = []
    for key, each in value.items():
        part = f"{json.dumps(key)}: {shown(each, indent + 1)}"
        if lines and len(lines[-1]) + len(part) < WIDTH and "\n" not in lines[-1] + part:
            lines[-1] += f", {part}"
        else:
            lines.append(inner + part)
    return "{\n" + ",\n".join(lines) + "}"


def example(kind: str, document: dict[str, Any]) -> str:
    """Return what the page shows of a posting: the first one whole."""
    if kind == next(iter(POSTINGS)):
        return shown(document)
    return shown({key: document[key] for key in ("subject", "partitionkey", "data")})


def test_the_page_of_postings_shows_one_of_each_type(played: dict[str, Any]) -> None:
    """Taken from a run; `MES_TERMINAL_GOLDEN=write` writes them anew."""
    page = PAGE.read_text(encoding="utf-8")
    sections = re.compile(
        r"(^### `([a-z._]+)`\n.*?^```json\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL
    )
    assert [name for _, name, _, _ in sections.findall(page)] == list(POSTINGS)
    told = sections.sub(lambda one: f"{one[1]}{example(one[2], played[one[2]])}\n{one[4]}", page)
    if os.environ.get("MES_TERMINAL_GOLDEN") == "write":
        PAGE.write_text(told, encoding="utf-8")
    else:
        assert HASH.sub("…", page) == HASH.sub("…", told)


def test_the_page_of_postings_tells_every_type_and_every_key() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = page.split("## Types")[1].split("\n## ")[0]
    for kind, posting in POSTINGS.items():
        assert f"| [`{kind}`](#{kind.replace('.', '')}) | {posting.said} |" in table
    named = set(re.findall(r"`([a-z_]+)`", page))
    keys = {key for schema in posting_schemas().values() for key in _keys(schema)}
    assert keys - named == set()


def _keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from _keys(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _keys(each)
