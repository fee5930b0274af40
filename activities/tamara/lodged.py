"""Lodged cards: the only way from a payment's token to a number, through the vault (contracts: tamara 5.2, 5.3)."""

from __future__ import annotations

import json

from activities.tamara.card import CardNumber
from activities.tamara.model import Transaction
from domain.errors import ContractBroken
from store.vault import Vault


def vault_name(token: str) -> str:
    """The name under which `{"number": …, "expiry": "MMYY"}` is sealed for a token."""
    return f"card/{token}"


class LodgedCards:
    """Opens cards of one agency, each as late as possible; keeps the last one only, since lines of one account stand together.

    Raises `Unauthorised` when the vault is closed.
    """

    def __init__(self, vault: Vault, agency: str) -> None:
        self._vault = vault
        self._agency = agency
        self._names = frozenset(vault.names(agency))
        self._last: tuple[str, CardNumber, str] | None = None

    def put_on(self, transaction: Transaction, token: str | None) -> Transaction:
        """The transaction with its card, or unchanged when no card is lodged under the token."""
        if token is None or vault_name(token) not in self._names:
            return transaction
        if self._last is None or self._last[0] != token:
            self._last = (token, *self._opened(vault_name(token)))
        _, card, expiry = self._last
        txn = transaction.txn.model_copy(update={"card": card, "card_expiry": expiry})
        return transaction.model_copy(update={"txn": txn})

    def _opened(self, name: str) -> tuple[CardNumber, str]:
        try:
            sealed = json.loads(self._vault.open(self._agency, name))
            return CardNumber(str(sealed["number"])), str(sealed["expiry"])
        except (ValueError, KeyError, TypeError):
            raise ContractBroken(
                f"the secret {name} is not a card with number and expiry; lodge it again", system="tamara"
            ) from None
