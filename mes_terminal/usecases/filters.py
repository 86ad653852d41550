"""What the filters of lists are given: texts, checked here."""

from mes_terminal.errors import InputError


def whole_number(name: str, text: str) -> int:
    """Return a filter's number. Raises `InputError` for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InputError(f"{name} must be a whole number from 0 on, not {text[:40]!r}.")
    return int(text)
