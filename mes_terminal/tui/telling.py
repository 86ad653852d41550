"""How the desk tells a person something: in which words, by which wall clock, at what moment. Pure.

Made by `desk_control` for every drawing; read by the presenters of the sections and by the forms.
"""

from collections.abc import Sequence
from datetime import tzinfo

from msgspec import Struct

from mes_terminal.domain.instants import seconds_between, to_datetime
from mes_terminal.tui.figures import local_time, number
from mes_terminal.tui.present_view import Trouble, age_text
from mes_terminal.tui.words import Words


class Telling(Struct, frozen=True, kw_only=True):
    """The words, the zone of the terminal, the core's clock (UTC text)."""

    words: Words
    zone: tzinfo
    now: str
    upstream_trouble: str | None = None
    """Why nothing at all is sent, in the core's words, where a person has to mend that."""
    troubles: Sequence[Trouble] = ()
    """What a person has to see to at the station."""

    def number(self, text: str | int) -> str:
        """Return a decimal text as the language writes it."""
        return number(str(text), self.words)

    def age(self, instant: str) -> str:
        """Return how long ago an instant was; `?` where it cannot be read."""
        try:
            return age_text(seconds_between(instant, self.now), self.words)
        except ValueError:
            return "?"

    def moment(self, instant: str | None) -> str:
        """Return an instant short: today with the time, else with the day; nothing for none."""
        if instant is None:
            return ""
        try:
            moment = to_datetime(instant).astimezone(self.zone)
            today = to_datetime(self.now).astimezone(self.zone).date()
        except (ValueError, OverflowError):
            return local_time(instant, self.zone)[:5]
        return moment.strftime("%H:%M" if moment.date() == today else "%m-%d")

    def time(self, instant: str | None) -> str:
        """Return an instant as day and wall time; nothing for none."""
        return "" if instant is None else local_time(instant, self.zone)

    def is_past(self, instant: str | None) -> bool:
        """Tell whether an instant is over; one that cannot be read is not."""
        try:
            return instant is not None and to_datetime(instant) < to_datetime(self.now)
        except ValueError:
            return False
