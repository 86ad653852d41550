"""A site for a test: its database, its inbox, and what is read of it."""

from collections.abc import Iterator, Sequence

import pytest

from mes_terminal.domain.delivery import Answer
from mes_terminal.site import queries
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox

Stock = dict[tuple[str, str | None, str | None, str], str]
"""item, lot, serial, location → quantity."""


@pytest.fixture
def site(site_database: str) -> Iterator[SiteDatabase]:
    """A site's database, made and empty."""
    database = SiteDatabase(site_database)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def inbox(site: SiteDatabase) -> Inbox:
    """Its inbox."""
    return Inbox(site)


def outcomes(answers: Sequence[Answer]) -> list[tuple[str, str | None, bool]]:
    """Return what was answered, in short."""
    return [(each.outcome, each.reason, each.repeated) for each in answers]


def balances(site: SiteDatabase) -> Stock:
    """Return the stock of the site."""
    with site.transaction() as conn:
        return {
            (row["item"], row["lot"], row["serial"], row["location"]): row["quantity"]
            for row in queries.stock(conn)
        }


def conflicts(site: SiteDatabase, *, only_open: bool = True) -> list[tuple[str, str, list[str]]]:
    """Return kind, state and stations of each conflict."""
    with site.transaction() as conn:
        return [
            (row["kind"], row["state"], [each.rpartition(":")[2] for each in row["stations"]])
            for row in queries.conflicts(conn, only_open=only_open)
        ]
