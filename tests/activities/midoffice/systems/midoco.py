"""MIDOCO for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.midoco.stand_in import LOGIN, PASSWORD, MidocoStandIn
from tests.activities.midoffice.stage import staged
from tests.activities.midoffice.under_test import Held, Paid, UnderTest

STATUS = {"OK": "CONFIRMED", "RQ": "REQUESTED", "XX": "CANCELLED"}


@contextmanager
def midoco() -> Iterator[UnderTest]:
    stand_in = MidocoStandIn(units=frozenset({"4711"}), suppliers=frozenset({"RATEHAWK", "70012"}), hang_seconds=2)

    def held() -> dict[str, Held]:
        return {
            one["booking-id"]: Held(
                STATUS[one["status"]],  # type: ignore[arg-type]
                Decimal(one["price"]["total-price"]),
                Decimal(one["price"]["original_price"]),
                len(one["person"]),
                int(one["booking-version"]),
            )
            for one in stand_in.state()["bookings"]
        }

    def paid() -> list[Paid]:
        found = [payment for order in stand_in.state()["orders"] for payment in order["payments"]]
        return [Paid(one["transaction-number"], Decimal(one["amount"]), one["currency"]) for one in found]

    announce = "announceBookingMessage"
    with staged(stand_in) as url:
        yield UnderTest(
            name="midoco",
            stand_in=stand_in,
            section={
                "kind": "midoco",
                "url": url,
                "login": LOGIN,
                "password": PASSWORD,
                "organisation_unit": "4711",
                "agency_no": "AG01",
                "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
                "timeout": 1.0,
            },
            operations={
                "create": announce,
                "change": announce,
                "cancel": announce,
                "pay": "announceExternalPayment",
                "find": "searchBookingId",
            },
            stranger={"password": "wrong-one"},
            held=held,
            paid=paid,
        )
