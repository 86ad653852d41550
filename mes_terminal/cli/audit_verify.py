"""`audit verify`: the log proved from its first byte; exit 1 at the first fault. Thin."""

from typing import Final

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session

HASH_DIGITS: Final = 64


def _anchor(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Return the hash as it is written in the log."""
    if value is None:
        return None
    digits = value.strip().lower()
    if len(digits) != HASH_DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise click.BadParameter(
            f"{value[:80]!r} is no hash of the log: it has {HASH_DIGITS} hexadecimal digits.",
            ctx,
            param,
        )
    return digits


@click.command("verify")
@click.option(
    "--anchor", callback=_anchor, metavar="HASH", help="A hash of the log that was noted earlier."
)
@pass_session
@click.pass_context
def verify(context: click.Context, session: Session, anchor: str | None) -> None:
    """Recompute every hash of the log and what it covers: scans, outcomes, movements, genealogy.

    A chain alone does not show that its end was cut off: note the head on paper or elsewhere, and
    give it as --anchor the next time.

    \b
    Examples:
      mes-terminal audit verify
      mes-terminal audit verify --anchor 1f0c…
    """
    line = next(session.rows("audit_verify", {"anchor": anchor} if anchor else {}))
    proof = msgspec.json.decode(line)
    if session.as_json:
        click.echo(line)
    elif proof["ok"]:
        click.echo(f"ok    {proof['entries']} entries, every hash recomputed")
        click.echo(f"head  {proof['head']}")
    else:
        click.echo(f"FAIL  {proof['fault']}")
        click.echo(f"      the {proof['entries']} entries before it hold")
    if not proof["ok"]:
        context.exit(1)
