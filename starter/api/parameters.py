"""What many operations are asked with."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Path, Query

from domain.payment_sync import State
from starter.desk.acting import BackOffice
from starter.desk.payments import states_called
from store.payment_lists import PaymentFilter

ID = r"^[^\s/]{1,200}$"
InAgency = Annotated[str, Path(description="The agency.", examples=["demo"], pattern=ID)]
OfAgency = Annotated[str, Query(description="The agency.", examples=["demo"], max_length=100)]
AnyAgency = Annotated[
    str | None, Query(description="Only this agency; without it all that the caller may see.", max_length=100)
]
PaymentId = Annotated[str, Path(description="The payment's id.", examples=["pay_1001"], pattern=ID)]
BookingId = Annotated[str, Path(description="The booking's id.", examples=["bkg_500"], pattern=ID)]
After = Annotated[str | None, Query(description="`next` of the page before.", max_length=1000)]
Limit = Annotated[int, Query(description="Rows of a page.", ge=1, le=200)]
Word = Annotated[str | None, Query(max_length=200)]


def payment_filter(
    office: BackOffice,
    status: list[str],
    cause: list[str],
    connector: str | None,
    older_than_hours: float | None,
    younger_than_hours: float | None,
    least: int | None,
    most: int | None,
    currency: str | None,
    claimed_by: str | None,
    booking: str | None,
    name: str | None,
) -> PaymentFilter:
    """Everything given must hold. Raises `Unclear` for a status that nothing is called."""
    states: frozenset[State] = frozenset().union(*(states_called(words) for words in status))
    now = office.now()
    return PaymentFilter(
        states=states,
        causes=frozenset(cause),
        connector=connector,
        captured_before=None if older_than_hours is None else now - timedelta(hours=older_than_hours),
        captured_after=None if younger_than_hours is None else now - timedelta(hours=younger_than_hours),
        least=least,
        most=most,
        currency=currency,
        claimed_by=claimed_by,
        booking_id=booking,
        text=name,
    )
