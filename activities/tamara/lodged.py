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
    """Opens cards of one agency, each as late as possible; keeps none.

    Raises `Unauthorised` when the vault is closed.
    """

    def __init__(self, vault: Vault, agency: str) -> None:
        self._vault = vault
        self._agency = agency
        self._names = frozenset(vault.names(agency))

    def put_on(self, transaction: Transaction, token: str | None) -> Transaction:
        """The transaction with its card, or unchanged when no card is lodged under the token."""
        if token is None or vault_name(token) not in self._names:
            return transaction
        name = vault_name(token)
        try:
            sealed = json.loads(self._vault.open(self._agency, name))
            card, expiry = CardNumber(str(sealed["number"])), str(sealed["expiry"])
        except (ValueError, KeyError, TypeError):
            raise ContractBroken(
                f"the secret {name} is not a card with number and expiry; lodge it again", system="tamara"
            ) from None
        txn = transaction.txn.model_copy(update={"card": card, "card_expiry": expiry})
        return transaction.model_copy(update={"txn": txn})
