"""Typed search attributes of every workflow (DESIGN section 4); no personal data in them."""

from __future__ import annotations

from datetime import datetime

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

AGENCY = SearchAttributeKey.for_keyword("Agency")
BOOKING = SearchAttributeKey.for_keyword("Booking")
EXPERIENCE = SearchAttributeKey.for_keyword("Experience")
LIFECYCLE = SearchAttributeKey.for_keyword("Lifecycle")
SYNC_STATE = SearchAttributeKey.for_keyword("SyncState")
PARK_REASON = SearchAttributeKey.for_keyword("ParkReason")
CURRENCY = SearchAttributeKey.for_keyword("Currency")
AMOUNT = SearchAttributeKey.for_int("Amount")
PARKED_SINCE: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("ParkedSince")


def found_by(
    lifecycle: str,
    agency: str,
    *,
    booking: str | None = None,
    experience: str | None = None,
    amount: int | None = None,
    currency: str | None = None,
) -> TypedSearchAttributes:
    """The attributes that a workflow starts with; `amount` in minor units."""
    pairs: list[SearchAttributePair[str] | SearchAttributePair[int]] = [
        SearchAttributePair(AGENCY, agency),
        SearchAttributePair(LIFECYCLE, lifecycle),
    ]
    if booking:
        pairs.append(SearchAttributePair(BOOKING, booking))
    if experience:
        pairs.append(SearchAttributePair(EXPERIENCE, experience))
    if amount is not None and currency:
        pairs += [SearchAttributePair(AMOUNT, amount), SearchAttributePair(CURRENCY, currency)]
    return TypedSearchAttributes(pairs)
