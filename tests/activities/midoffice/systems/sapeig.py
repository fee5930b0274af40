"""Sapeig for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.sapeig.stand_in import PASSWORD, UID, SapeigStandIn
from tests.activities.midoffice.stage import staged
from tests.activities.midoffice.under_test import Held, Paid, UnderTest

STATUS = {"Confirmed": "CONFIRMED", "Request": "REQUESTED", "Cancelled": "CANCELLED"}


@contextmanager
def sapeig() -> Iterator[UnderTest]:
    stand_in = SapeigStandIn(owners=frozenset({"AG01"}), suppliers=frozenset({"RATEHAWK", "70012"}))

    def held() -> dict[str, Held]:
        return {
            one["bookingId"]: Held(
                STATUS[one["status"]],  # type: ignore[arg-type]
                Decimal(one["price"]),
                Decimal(one["cost"]),
                one["persons"],
                one["revision"],
            )
            for one in stand_in.state()["bookings"]
        }

    def paid() -> list[Paid]:
        found = stand_in.state()["payments"]
        return [Paid(one["transaction"], Decimal(one["Value"]), one["Currency"]) for one in found]

    with staged(stand_in) as url:
        yield UnderTest(
            name="sapeig",
            stand_in=stand_in,
            section={
                "kind": "sapeig",
                "url": url,
                "uid": UID,
                "password": PASSWORD,
                "owner": "AG01",
                "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
                "timeout": 1.0,
            },
            operations={
                "create": "CreateBooking",
                "change": "UpdateBooking",
                "cancel": "CancelBooking",
                "pay": "CreatePayment",
                "find": "RetrieveBooking",
            },
            stranger={"password": "wrong-one"},
            held=held,
            paid=paid,
        )
