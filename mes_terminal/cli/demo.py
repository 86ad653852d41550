"""`demo`: a sample plant being scanned, on the real screens. The first thing a newcomer runs.

Everything is real but the hand: a temporary database with the sample plant, a core in a process of
its own, a simulated scanner that speaks through a pseudo-terminal to the serial driver.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from mes_terminal.cli.ending import end_in_order
from mes_terminal.cli.run import terminal_is_there
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import CoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.cli.child import CoreChild

SETTINGS: Final = "simulated.toml"
PLANT: Final = "sample-plant"
SCENARIOS: Final = ("demo", "assembly", "good-shift", "bad-shift")
LATE_PAPERS: Final = "late-papers"
"""What the good shift has before it begins; the bad one goes without."""
SUPERVISOR: Final = ("sofia", "2580")
"""Who can end exceptions here, with badge and PIN."""
SCANNER: Final = "simulated"
SCANNER_KEY: Final = "MES_TERMINAL_SCANNER__SIMULATED__"
HEADLESS_SPEED: Final = 200.0
"""Without a screen nobody has to follow: the script's own pauses are shortened so many times,"""
HEADLESS_APART_MS: Final = 60
"""and the scanner tells two reads apart after this time already."""
SECOND_PAUSE_S: Final = 4.0
"""How long the second station of `--site` takes from one code to the next."""
READY_MAX_S: Final = 10.0
"""How long the scanner may take to be found by the core."""


@click.command(
    epilog="Examples: mes-terminal demo · mes-terminal demo --headless · "
    "mes-terminal demo --scenario bad-shift · mes-terminal demo --site"
)
@click.option("--headless", is_flag=True, help="No screen: print each outcome, then a summary.")
@click.option(
    "--site", "with_site", is_flag=True,
    help="Also a site on PostgreSQL and NATS of its own, and a second station.",
)  # fmt: skip
@click.option(
    "--scenario",
    type=click.Choice(SCENARIOS),
    default=SCENARIOS[0],
    show_default=True,
    help="What is scanned.",
)
@pass_session
def demo(session: Session, headless: bool, with_site: bool, scenario: str) -> int:
    """Watch the sample plant being scanned. Nothing is kept."""
    end_in_order()
    with tempfile.TemporaryDirectory(prefix="mes-terminal-demo-") as folder, ExitStack() as stack:
        streams = (sys.stdin, sys.stdout, sys.stderr)  # the screens are drawn on the last
        headless = headless or not all(each.isatty() for each in streams)
        site = None
        if with_site:
            from mes_terminal.cli.demo_site import demo_site

            click.echo("Starting PostgreSQL, NATS and the site …", err=True)
            site = stack.enter_context(demo_site(Path(folder)))
            os.environ.update(site.upstream())
        if not headless:
            click.echo("Loading the sample plant …", err=True)
        plant = _prepare(session, Path(folder), scenario, in_haste=headless)
        with plant.core() as core:
            if site is not None:
                site.start_second(pause_s=0.1 if headless else SECOND_PAUSE_S)
            code = plant.play_to_output(core) if headless else plant.play_to_screen(core)
            end_in_order()
            if site is not None and not session.as_json and (headless or terminal_is_there()):
                click.echo("Asking the site what it knows …", err=True)
                click.echo(site.told(at_once=not headless))
        return code


def _prepare(session: Session, folder: Path, scenario: str, *, in_haste: bool) -> DemoPlant:
    """Load the sample plant into a new database, and give its supervisor a PIN."""
    from mes_terminal.cli.shipped import shipped
    from mes_terminal.station.desk_requests import PeopleOrder

    port = folder / "scanner"
    os.environ[f"{SCANNER_KEY}PORT"] = str(port)
    if in_haste:
        os.environ[f"{SCANNER_KEY}DUPLICATE_MS"] = str(HEADLESS_APART_MS)
        os.environ[f"{SCANNER_KEY}INCOMPLETE_MS"] = str(HEADLESS_APART_MS)
    config = shipped(SETTINGS)
    inner = Session(config, folder / "demo.db", session.as_json, session.debug)
    badge, pin = SUPERVISOR
    with inner.desk() as desk:
        for name in (PLANT, *([LATE_PAPERS] if scenario == "good-shift" else [])):
            result = desk.load(shipped(name), dry_run=False, diff=False, at=None)
            if result["faults"]:
                raise click.ClickException(f"{name} has a fault: {result['faults'][0]}")
        desk.change_people(PeopleOrder(change="pin", badge=badge, new_pin=pin))
    if not in_haste:
        click.echo(f"F7 is the supervisor's desk: badge {badge}, PIN {pin}.", err=True)
    return DemoPlant(inner, config, port, shipped(f"scenarios/{scenario}.scan"))


class DemoPlant:
    """A plant in a temporary folder, its scanner and what will be scanned."""

    def __init__(self, session: Session, config: Path, port: Path, scenario: Path) -> None:
        self._session = session
        self._config = config
        self._port = port
        self._scenario = scenario
        self._stopping = threading.Event()

    @contextmanager
    def core(self) -> Iterator[CoreChild]:
        """Run the core for the block."""
        from hardware.drivers.simulated import PtyLine
        from mes_terminal.cli.child import start_core

        self._line = PtyLine(self._port)
        child = start_core(self._session.database_path, self._config, os.environ)
        try:
            yield child
        finally:
            self._stopping.set()
            child.stop()
            self._line.close()

    def play_to_screen(self, core: CoreChild) -> int:
        """Show the operator's screen while the scenario is played."""
        from mes_terminal.tui.app import run_screen

        player = self._start_player(core, speed=1.0, ended=lambda: None)
        code = run_screen(core.holder.socket)
        self._stopping.set()
        player.join()
        return code

    def play_to_output(self, core: CoreChild) -> int:
        """Print each outcome while the scenario is played, then what came of it."""
        from mes_terminal.cli.scan import outcome_line, safe_code
        from mes_terminal.domain.outcome import Outcome
        from mes_terminal.link.blocking import Client

        with Client(core.holder.socket) as client:
            player = self._start_player(core, speed=HEADLESS_SPEED, ended=client.unfollow)
            for kind, data in client.follow():
                if kind == "outcome":
                    outcome = msgspec.json.decode(data, type=Outcome)
                    line = f"{safe_code(outcome.code):<18} {outcome_line(outcome)}"
                    click.echo(bytes(data) if self._session.as_json else line)
            player.join()
        return 0 if self._session.as_json else self._print_summary()

    def _start_player(self, core: CoreChild, *, speed: float, ended: Any) -> threading.Thread:
        def play() -> None:
            try:
                self._play(core, speed)
            finally:
                with suppress(CoreError):  # nobody listens any more
                    ended()

        player = threading.Thread(target=play, name="player", daemon=True)
        player.start()
        return player

    def _play(self, core: CoreChild, speed: float) -> None:
        from hardware.player import perform
        from hardware.script import actions, parse
        from mes_terminal.station.scanners import config_of

        script = parse(self._scenario.read_text(encoding="utf-8"), self._scenario.name)
        assert not script.faults, script.faults
        self._wait_for_scanner(core)
        scanner = config_of(SCANNER, self._session.settings.scanner[SCANNER])
        planned = actions(script.steps, scanner.framing)
        try:
            perform(planned, self._line, speed=speed, sleep=self._sleep)
        except _StoppedError:
            return

    def _wait_for_scanner(self, core: CoreChild) -> None:
        """Wait until the core has opened the scanner: what is sent before is lost."""
        from mes_terminal.domain.view import StationView
        from mes_terminal.link.blocking import Client

        with Client(core.holder.socket) as client:
            for _ in range(int(READY_MAX_S / 0.05)):
                states = [one.state for one in client.ask("view", StationView).scanners]
                if states == ["ready"] or self._stopping.wait(0.05):
                    break

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise _StoppedError

    def _print_summary(self) -> int:
        rows = [msgspec.json.decode(row) for row in self._session.rows("orders")]
        click.echo("\nOrders")
        for row in rows:
            done = f"{row['completed']} of {row['quantity']} {row['item']}"
            click.echo(f"  {row['work_order']:<10} {done:<24} {row['status']}")
        movements = [msgspec.json.decode(row) for row in self._session.rows("movements")]
        touched = {row["item"] for row in movements if row["kind"] != "receipt"}
        click.echo("Stock of what was touched")
        for row in (msgspec.json.decode(row) for row in self._session.rows("stock")):
            if row["item"] not in touched:
                continue
            name = f"{row['item']} {row['lot'] or row['serial'] or ''}"
            click.echo(f"  {name:<32} {row['location']:<8} {row['quantity']:>10} {row['uom']}")
        filters = {"open": "yes"}
        opened = [msgspec.json.decode(row) for row in self._session.rows("exceptions", filters)]
        kinds = len({row["kind"] for row in opened})
        click.echo(f"Exceptions: {len(opened)} open, of {kinds} kinds")
        checks = [msgspec.json.decode(row) for row in self._session.checks()]
        failed = [check for check in checks if not check["ok"]]
        click.echo(f"Ledger: {len(movements)} movements")
        click.echo(f"Doctor: {len(checks)} checks, {len(failed)} failed")
        for check in failed:
            click.echo(f"  {check['check']}: {check['detail']}")
        return int(bool(failed))


class _StoppedError(Exception):
    """The demo ends while its scanner waits."""
