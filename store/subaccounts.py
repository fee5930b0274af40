"""Numbers of sub-accounts for accounting programs, which know digits only: given once, never changed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table, UniqueConstraint, select

from store.database import Database
from store.tables import agency_column, id_column, metadata

journal_subaccounts = Table(
    "journal_subaccounts",
    metadata,
    agency_column(),
    Column("account", String(20), nullable=False),
    id_column("sub"),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("agency", "account", "sub"),
    UniqueConstraint("agency", "account", "number"),
)


class Subaccounts:
    """Running numbers per account: 0 for an account that is not divided, 1, 2, … for its sub-accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def numbers(self, agency: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The number of every (account, sub) pair; pairs seen for the first time get the next ones, in their order."""
        of_agency = journal_subaccounts.c.agency == agency
        with self._database.begin() as connection:
            rows = connection.execute(select(journal_subaccounts).where(of_agency))
            given = {(row.account, row.sub): int(row.number) for row in rows}
            last: dict[str, int] = {}
            for (account, _), number in given.items():
                last[account] = max(last.get(account, 0), number)
            new = []
            for account, sub in dict.fromkeys(wanted):
                if (account, sub) in given:
                    continue
                number = (last.get(account, 0) + 1) if sub else 0
                last[account] = max(last.get(account, 0), number)
                given[account, sub] = number
                new.append({"agency": agency, "account": account, "sub": sub, "number": number})
            if new:
                connection.execute(journal_subaccounts.insert(), new)
        return given
