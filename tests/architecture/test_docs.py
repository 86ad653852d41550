"""What the program can do is written down, and what is written down the program can do."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import click
import msgspec
import pytest

from mes_terminal.barcodes.commands import COMMANDS as CODES
from mes_terminal.domain.outcome import ExceptionKind, OutcomeKind
from mes_terminal.settings.tables import Settings
from tests.architecture.source import ROOT

DOCS: Final = ROOT / "docs"
COMMANDS: Final = (DOCS / "commands.md").read_text(encoding="utf-8")
RULES: Final = (DOCS / "rules.md").read_text(encoding="utf-8")
PAGES: Final = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
RULES_LAST: Final = 39
COMMON: Final = {"--help", "--json", "--config", "--db", "--debug", "--version"}


def program() -> click.Group:
    """Return the root of the command line."""
    from mes_terminal.cli.main import cli

    return cli


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words; a hidden one is nobody's business."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if command.hidden:
            continue
        words = f"{before} {name}".strip()
        yield words, command
        if isinstance(command, click.Group):
            yield from commands(command, words)


def options(command: click.Command) -> set[str]:
    """Return the long options of a command, without those every command has."""
    found = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in parameter.opts
    }
    return {name for name in found if name.startswith("--")} - COMMON


def section(words: str) -> str:
    """Return what docs/commands.md says below the heading of a command."""
    match = re.search(
        rf"^### `mes-terminal {re.escape(words)}\b[^\n]*\n(.*?)(?=^##)",
        COMMANDS,
        re.MULTILINE | re.DOTALL,
    )
    return match.group(1) if match else ""


def test_every_command_and_each_of_its_options_is_documented() -> None:
    missing = []
    for words, command in commands(program()):
        told = section(words) or section(words.rpartition(" ")[0])
        if not told or f"mes-terminal {words.split()[0]}" not in COMMANDS:
            missing.append(words)
        missing += [f"{words} {option}" for option in options(command) if option not in told]
    assert missing == []


def test_every_documented_command_exists() -> None:
    known = {words for words, _ in commands(program())}
    told = re.findall(r"^### `mes-terminal ([a-z ]+?)(?: [A-Z[].*)?`$", COMMANDS, re.MULTILINE)
    assert told
    assert set(told) <= known


@pytest.mark.parametrize("word", [*get_args(OutcomeKind), *get_args(ExceptionKind)])
def test_every_outcome_and_exception_kind_is_documented(word: str) -> None:
    assert f"`{word}`" in COMMANDS


def test_every_reason_the_program_gives_is_documented() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("domain", "usecases")
        for path in (ROOT / "mes_terminal" / folder).rglob("*.py")
    )
    given = set(re.findall(r"(?:rejected|refusal|refused|needs)\(\s*\"([a-z_]+)\"", sources))
    given |= set(re.findall(r"\breason=\"([a-z_]+)\"", sources))
    listed = set(re.findall(r"`([a-z_]+)`", COMMANDS.split("### Reasons of")[1]))
    listed |= set(re.findall(r"`([a-z_]+)`", COMMANDS.split("## Exceptions")[0]))
    assert given - listed - {"database", "damaged", "settings", "order_unknown"} == set()


def test_every_command_code_is_among_what_can_be_scanned() -> None:
    """Each has an effect, so each is explained."""
    table = COMMANDS.split("## What can be scanned")[1]
    told = set(re.findall(r"`%([A-Z]+)", table))
    assert told == CODES.keys()


def keys(table: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """Yield the path of every key of the settings; `<name>` where the user names the table."""
    for field in msgspec.structs.fields(table):
        path = f"{before}{field.encode_name}"
        inner = table_within(field.type)
        if inner is None:
            yield path
        else:
            yield from keys(inner, f"{path}.")


def table_within(kind: Any) -> type[msgspec.Struct] | None:
    """Return the table that a field's type is, or is a mapping to."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    found = [table_within(argument) for argument in get_args(kind)]
    return next((table for table in found if table is not None), None)


@pytest.mark.parametrize("path", list(keys(Settings)))
def test_every_setting_is_documented(path: str) -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    last = path.rpartition(".")[2]
    assert re.search(rf"`[^`\n]*\b{re.escape(last)}\b[^`\n]*`", text), path


def marked_rules() -> list[tuple[int, str]]:
    """Return the number of each rule of the rules page and how far it is built."""
    marked = re.compile(r"^### BF-(\d+) [^\n]+\n\n\*\*(Now|In part|Later)\.\*\*", re.MULTILINE)
    return [(int(number), built) for number, built in marked.findall(RULES)]


def test_every_rule_is_in_the_rules_page_with_how_far_it_is_built() -> None:
    found = re.findall(
        r"^### BF-(\d+) [^\n]+\n\n\*\*(Now|In part|Later)\.\*\*", RULES, re.MULTILINE
    )
    assert [int(number) for number, _ in found] == list(range(1, RULES_LAST + 1))


@pytest.mark.parametrize("number", [n for n, built in marked_rules() if built != "Later"])
def test_every_built_rule_is_named_by_a_test(number: int) -> None:
    named = [
        path.name
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__)
        and re.search(rf"\bBF-{number}\b", path.read_text(encoding="utf-8"))
    ]
    assert named


def shown_commands() -> list[tuple[str, str]]:
    """Return each line of the pages that shows a call of the program or of make."""
    shown = re.compile(r"^(?: {4}|\$ )((?:mes-terminal|make) .+)$", re.MULTILINE)
    return [
        (page.relative_to(ROOT).as_posix(), call)
        for page in PAGES
        for call in shown.findall(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_every_call_that_a_page_shows_can_be_made(page: str, line: str) -> None:
    words = shlex.split(line.partition(" #")[0])
    if words[0] == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        asked = {word for word in words[1:] if "=" not in word}
        assert asked <= targets
        return
    command: click.Command = program()
    rest = [word for word in words[1:] if word not in {"--json", "--debug"}]
    while isinstance(command, click.Group) and rest:
        if rest[0] in {"--db", "--config"}:
            rest = rest[2:]
            continue
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            break
        command, rest = inner, rest[1:]
    assert command is not program(), f"{line}: no such command"
    asked = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert asked <= options(command) | COMMON


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = [
        target
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if not target.startswith(("http:", "https:")) and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_that_the_source_names_exists() -> None:
    named = {
        page
        for folder in ("mes_terminal", "hardware", "config", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".toml", ".sql", ".service"}
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert sorted(page for page in named if not (ROOT / page).exists()) == []


def test_the_readme_shows_the_two_commands_of_a_newcomer() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^    (make [a-z-]+)", text, re.MULTILINE)[:2] == ["make demo", "make test"]


def test_the_calls_that_the_readme_shows_do_what_it_says(tmp_path: Path) -> None:
    """In the order shown, on a database of their own; `run` needs a terminal and is left out."""
    environment = {**os.environ, "MES_TERMINAL_DATABASE__PATH": str(tmp_path / "station.db")}
    ran = []
    for page, line in shown_commands():
        words = shlex.split(line)
        if page != "README.md" or words[0] == "make" or words[1] == "run":
            continue
        done = subprocess.run(
            [sys.executable, "-m", "mes_terminal", *words[1:]],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        ran.append(words[1])
    assert ran == ["load", "scan", "stock", "doctor"]


def test_every_dependency_has_a_page_that_gives_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = [
        re.split(r"[<>=!; ]", wanted)[0]
        for wanted in project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    ]
    pages = "".join(p.read_text(encoding="utf-8") for p in (DOCS / "decisions").glob("*.md"))
    assert [name for name in named if f"`{name}`" not in pages] == []


def test_the_lock_files_hold_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        assert not re.search(
            r"https?:|file:|--(extra-)?index|--find-links|(^|\s)/", text, re.MULTILINE
        )
        assert text.count("==") <= text.count("--hash=sha256:")
