"""Figures and times as the language and the wall clock write them. Pure; safe to draw."""

from datetime import tzinfo

from mes_terminal.domain.instants import to_datetime
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.words import Words


def number(text: str, words: Words) -> str:
    """Return a decimal text as `words` write it: thousands apart, a comma in German."""
    whole, point, places = safe(text).partition(".")
    if len(whole.lstrip("-")) > 4 and whole.lstrip("-").isdigit():
        whole = f"{int(whole):,}".replace(",", " ")
    comma = "," if words.language == "de" else "."
    return whole + (comma + places if point else "")


def local_time(instant: str, zone: tzinfo) -> str:
    """Return a UTC instant as day and wall time; as it is where it cannot be read."""
    try:
        moment = to_datetime(instant).astimezone(zone)
    except (ValueError, OverflowError):
        return safe(instant)
    return moment.strftime("%Y-%m-%d %H:%M")
