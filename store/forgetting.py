"""What a late event may still say of somebody who was erased: nothing (docs/privacy.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from domain.desk import item_id
from domain.privacy import ERASED, Identity, Scrubber, identity_of, without_parties
from domain.supplier import SupplierOrder
from store.erasures import scopes_of
from store.events import AcceptedEvent
from store.facts import data_of_body
from store.parked import ParkedItems, StoreParking

REASON = "erased_person_told"


def without_erased(connection: Connection, event: AcceptedEvent, parked: ParkedItems) -> AcceptedEvent:
    """The event without the people of its booking who were erased; a person is told once for each booking."""
    booking_id = event.notice.booking_id if event.notice is not None else _booking_in(event.body)
    if booking_id is None:
        return event
    scopes = scopes_of(connection, event.agency, booking_id)
    if not scopes:
        return event
    told = json.loads(event.body)
    scrubbed = _scrubbed(told, scopes)
    if told == scrubbed:
        return event
    body = json.dumps(scrubbed, ensure_ascii=False, separators=(",", ":")).encode()
    parked.open_from_store(
        StoreParking(
            item_id=item_id(REASON, event.agency, booking_id),
            agency=event.agency,
            reason=REASON,
            detail=(
                f"the platform still tells of a person of {booking_id} who was erased here ({event.event_id}); it was taken out "
                "again. Have the person erased on the platform, too"
            ),
            verb="inbox.accept",
            decisions=("skip",),
            booking_id=booking_id,
            event_id=event.event_id,
        ),
        connection,
    )
    return replace(event, body=body, data=data_of_body(body) if event.data is not None else None)


def say_of_deal(connection: Connection, agency: str, deal_id: int, parked: ParkedItems) -> bool:
    """Whether the customer of a deal was erased; then a person is told once that the CRM still tells of them."""
    if not scopes_of(connection, agency, f"deal/{deal_id}"):
        return False
    parked.open_from_store(
        StoreParking(
            item_id=item_id(REASON, agency, f"deal/{deal_id}"),
            agency=agency,
            reason=REASON,
            detail=f"the CRM still tells of the customer of deal {deal_id}, who was erased here. Delete the contact there, too",
            verb="inbox.accept",
            decisions=("skip",),
        ),
        connection,
    )
    return True


def without_guests(order: SupplierOrder) -> SupplierOrder:
    """An order as it is kept once a guest of it was erased: the trip is over, and nobody needs the others' names either."""
    nobody = {"first_name": ERASED, "last_name": ERASED}
    rooms = tuple(
        room.model_copy(update={"guests": tuple(guest.model_copy(update=nobody) for guest in room.guests)})
        for room in order.rooms
    )
    return order.model_copy(update={"rooms": rooms})


def _booking_in(body: bytes) -> str | None:
    """The booking of an event that cannot be used for anything else."""
    try:
        data = json.loads(body).get("data")
    except (ValueError, AttributeError, RecursionError):
        return None
    booking = data.get("booking") if isinstance(data, dict) else None
    found = booking.get("id") if isinstance(booking, dict) else None
    return found if isinstance(found, str) else None


def _scrubbed(document: dict[str, Any], scopes: dict[str, str]) -> dict[str, Any]:
    data = document.get("data")
    if not isinstance(data, dict):
        return document
    keep = {party: scope == "contact" for party, scope in scopes.items()}
    booking = data.get("booking")
    told = dict(data)
    if isinstance(booking, dict):
        identity = told_identity(booking, {party for party, kept in keep.items() if not kept})
        contact = Identity(told_identity(booking, set(keep)).strong - _fiscal(booking, keep))
        scrub, scrub_contact = Scrubber(identity), Scrubber(contact)
        told["booking"] = without_parties(booking, keep)
        told = scrub_contact.tree(scrub.tree(told, by_name=True), by_name=True)
    return {**document, "data": told}


def told_identity(booking: dict[str, Any], parties: set[str]) -> Identity:
    """Everything that a snapshot says of these parties."""
    found = Identity()
    for person in (booking.get("payer"), booking.get("booker"), *(booking.get("travellers") or ())):
        if isinstance(person, dict) and person.get("id") in parties:
            found |= identity_of(person)
    return found


def _fiscal(booking: dict[str, Any], keep: dict[str, bool]) -> frozenset[str]:
    """Tax ids that an invoice has to keep."""
    payer = booking.get("payer")
    tax = payer.get("tax_id") if isinstance(payer, dict) and keep.get(str(payer.get("id"))) else None
    return frozenset({str(tax.get("value"))} if isinstance(tax, dict) else ())
