"""The side of AirPlus, from what its stand-in holds (contracts: tamara 3.11)."""

from __future__ import annotations

from collections.abc import Iterator

from domain.books import AirPlusFile, AirPlusLine
from starter.collecting.reading import state_of
from store import Store


class AirPlus:
    """Files and transactions as AirPlus' own reader judged them; which booking a line belongs to, we have to know."""

    def __init__(self, url: str, store: Store, agency: str) -> None:
        self._state = state_of(url)
        self._lines, self._agency = store.tamara, agency

    def files(self) -> Iterator[AirPlusFile]:
        for file in self._state["files"]:
            yield AirPlusFile(
                partner_id=file["partner"],
                kind=file["kind"],
                seq=int(file["seq"]),
                digest=file["sha256"],
                sound=not file["problems"],
                accepted=file["status"] in ("A", "P"),
            )

    def lines(self, booking_id: str) -> Iterator[AirPlusLine]:
        mine = {line.txn_ref for line in self._lines.lines_of(self._agency, booking_id)}
        for transaction in self._state["transactions"]:
            if transaction["txn_ref"] in mine:
                yield AirPlusLine(
                    ref=transaction["txn_ref"],
                    invoice_number=transaction["inv_no"],
                    debit=transaction["dc"] == "D",
                    gross=int(transaction["gross"]),
                    accepted=transaction["status"] == "A",
                )

    def staged(self, booking_id: str) -> int:
        """Net debit of lines that wait for the next file, in minor units."""
        lines = self._lines.lines_of(self._agency, booking_id)
        return sum(line.signed for line in lines if line.state in ("STAGED", "SEALED"))
