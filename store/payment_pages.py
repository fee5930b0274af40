"""Pages on which customers of deals pay: kept with a sealed secret, lost ones too (contracts: easycount 3, 5)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from domain.deals import page_token
from domain.money import Money
from store.clock import Clock
from store.database import Database
from store.payment_request_records import Link, link_of, secret_name
from store.payment_request_tables import payment_links
from store.vault import Vault


class PaymentPages:
    """Every method is one transaction; the secret of a page is in the vault."""

    def __init__(self, database: Database, clock: Clock, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault

    def made(
        self,
        agency: str,
        deal_id: int,
        revision: int,
        ordinal: int,
        url: str,
        secret: str,
        amount: Money,
        expires_at: datetime,
        token: str = "",
    ) -> Link:
        """Keep a page and seal its secret; a second call for the same place gives the first page."""
        number = self._number(agency, deal_id)
        self._vault.seal(agency, secret_name(deal_id, number), secret)
        return self._insert(agency, deal_id, number, revision, ordinal, url, token, amount, expires_at, orphan=False)

    def lost(self, agency: str, deal_id: int, revision: int, ordinal: int, amount: Money) -> None:
        """A page may have been made of which we know nothing but the amount: it was never sent to anybody."""
        number = self._number(agency, deal_id)
        self._insert(agency, deal_id, number, revision, ordinal, "", "", amount, self._clock(), orphan=True)

    def new_token(self, agency: str, deal_id: int) -> str:
        """What the customer's browser will come back with."""
        return page_token(agency, deal_id, 0, secrets.token_hex(16))

    def of_revision(self, agency: str, deal_id: int, revision: int, ordinal: int = 1) -> Link | None:
        """The page of a revision, if there is one that the customer may be sent to."""
        found = [link for link in self.of(agency, deal_id) if (link.revision, link.ordinal) == (revision, ordinal)]
        return next((link for link in found if not link.orphan), None)

    def of(self, agency: str, deal_id: int) -> Sequence[Link]:
        """All pages of a deal, lost ones too, oldest first."""
        query = select(payment_links).where(payment_links.c.agency == agency, payment_links.c.deal_id == deal_id)
        with self._database.read() as connection:
            return [link_of(row) for row in connection.execute(query.order_by(payment_links.c.number))]

    def is_known(self, agency: str, url: str) -> bool:
        """Whether a deal of the agency has this page already."""
        query = select(payment_links.c.number).where(payment_links.c.agency == agency, payment_links.c.url == url)
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def deal_of(self, token: str) -> tuple[str, int] | None:
        """Whose page a browser came back from: agency and deal."""
        query = select(payment_links.c.agency, payment_links.c.deal_id).where(payment_links.c.token == token)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.agency, row.deal_id)

    def _number(self, agency: str, deal_id: int) -> int:
        query = select(func.max(payment_links.c.number)).where(
            payment_links.c.agency == agency, payment_links.c.deal_id == deal_id
        )
        with self._database.read() as connection:
            return (connection.scalar(query) or 0) + 1

    def _insert(
        self,
        agency: str,
        deal_id: int,
        number: int,
        revision: int,
        ordinal: int,
        url: str,
        token: str,
        amount: Money,
        expires_at: datetime,
        *,
        orphan: bool,
    ) -> Link:
        moment = self._clock()
        link = Link(
            agency=agency,
            deal_id=deal_id,
            number=number,
            revision=revision,
            ordinal=ordinal,
            url=url,
            token=token or self.new_token(agency, deal_id),
            amount=amount,
            orphan=orphan,
            made_at=moment,
            expires_at=expires_at,
        )
        with self._database.begin() as connection:
            connection.execute(
                payment_links.insert().values(
                    agency=agency,
                    deal_id=deal_id,
                    number=number,
                    revision=revision,
                    ordinal=ordinal,
                    url=url,
                    token=link.token,
                    amount=amount.amount,
                    currency=amount.currency,
                    orphan=int(orphan),
                    made_at=moment,
                    expires_at=expires_at,
                )
            )
        return link
