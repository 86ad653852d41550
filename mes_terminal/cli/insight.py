"""`insight`: the key figures of production days, and the supervisor's morning. Thin."""

import click
import msgspec

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session, print_json_array


@click.group()
def insight() -> None:
    """Key figures, and what the supervisor has to see to in the morning.

    \b
    Examples:
      mes-terminal insight morning
      mes-terminal insight figures --day 2026-11-20
    """


@insight.command("figures")
@click.option("--day", metavar="DAY", help="The last production day (default: today).")
@click.option("--days", type=click.IntRange(1, 92), default=1, help="How many days (default 1).")
@pass_session
def figures(session: Session, day: str | None, days: int) -> None:
    """Throughput, yield, the backflush error rate and exceptions, by production day and shift.

    One day is told beside the one before; several are a table. docs/figures.md says what each
    figure is exactly.

    \b
    Examples:
      mes-terminal insight figures
      mes-terminal insight figures --day 2026-11-20 --days 14 --json
    """
    asked = {"day": day} if day is not None else {}
    if session.as_json:
        print_json_array(session.rows("figures", asked | {"days": str(days)}))
        return
    from mes_terminal.cli.figures_text import day_text, days_text
    from mes_terminal.domain.figures import DayFigures

    rows = session.rows("figures", asked | {"days": str(max(2, days))})
    told = [msgspec.json.decode(row, type=DayFigures) for row in rows]
    zone = session.rules.zone
    for line in day_text(told[-1], told[-2], zone) if days == 1 else days_text(told):
        click.echo(line)


@insight.command("morning")
@pass_session
def morning(session: Session) -> None:
    """What stops today, what is open, yesterday against the day before, and what else is due.

    The open orders are closed in their sequence by the real posting code and taken back: nothing
    of it stays.

    \b
    Examples:
      mes-terminal insight morning
      mes-terminal insight morning --json
    """
    with session.existing_desk() as desk:
        told = desk.morning()
    if session.as_json:
        click.echo(json_line(told))
        return
    from mes_terminal.cli.morning_text import morning_text

    for line in morning_text(told, session.rules.zone):
        click.echo(line)
