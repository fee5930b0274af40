"""A line that is given up leaves money that AirPlus does not move: accounting is told (contracts: tamara 3.12, step 7)."""

from __future__ import annotations

from domain.desk import item_id
from domain.money import Money
from store.parked import ParkedItems, StoreParking
from store.tamara_tables import Line

REASON = "airplus_unpaid"


def tell_accounting(parked: ParkedItems, line: Line, why: str) -> None:
    """Put an abandoned line on accounting's list, once; its booking shows it."""
    amount = Money(amount=line.gross, currency=line.currency)
    if line.dc == "D":
        words = (
            f"AirPlus does not pay invoice {line.invoice_number}: {amount} are open again, to be paid in another way"
        )
    else:
        words = f"AirPlus does not give back {amount} of {line.credit_note_number}: give them back in another way"
    parked.open_from_store(
        StoreParking(
            item_id=item_id(REASON, line.agency, line.txn_ref),
            agency=line.agency,
            reason=REASON,
            detail=f"{words}. Line {line.id} was abandoned: {why}. skip says that it is seen to",
            verb="tamara.abandon",
            decisions=("skip",),
            booking_id=line.booking_id,
            payment_id=line.payment_id,
            amount=amount,
        )
    )
