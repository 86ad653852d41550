"""The line-side station of a factory: scan, backflush, genealogy, exceptions, sync."""

from typing import Final

__version__ = "0.1.0"

RELEASED_AT: Final = "2026-01-01T00:00:00.000000Z"
"""No true clock reads earlier than this: the program did not exist (BF-33)."""
