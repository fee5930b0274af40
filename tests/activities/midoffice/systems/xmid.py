"""xMid for the conformance suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.xmid.stand_in import TOKEN, XmidStandIn
from tests.activities.midoffice.stage import staged
from tests.activities.midoffice.under_test import Held, Paid, UnderTest

STATUS = {"OK": "CONFIRMED", "RQ": "REQUESTED", "XX": "CANCELLED", "NS": "CONFIRMED"}


@contextmanager
def xmid() -> Iterator[UnderTest]:
    stand_in = XmidStandIn(agencies=frozenset({"AG01"}), creditors=frozenset({"RATEHAWK", "70012"}))

    def held() -> dict[str, Held]:
        return {
            one["buchungsnummer"]: Held(
                STATUS[one["buchungsstatus"]],  # type: ignore[arg-type]
                Decimal(one["vkBrutto"]),
                Decimal(one["ekBrutto"]),
                len(one["teilnehmer"]),
                one["revision"],
            )
            for one in stand_in.state()["bookings"]
        }

    def paid() -> list[Paid]:
        found = stand_in.state()["payments"]
        return [Paid(one["transaktion"], Decimal(one["betrag"]), one["waehrung"]) for one in found]

    with staged(stand_in) as url:
        yield UnderTest(
            name="xmid",
            stand_in=stand_in,
            section={
                "kind": "xmid",
                "url": url,
                "token": TOKEN,
                "agency_no": "AG01",
                "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
                "timeout": 1.0,
            },
            operations={
                "create": "putBooking",
                "change": "putBooking",
                "cancel": "cancelBooking",
                "pay": "putPayment",
                "find": "getBooking",
            },
            stranger={"token": "wrong-one"},
            held=held,
            paid=paid,
        )
