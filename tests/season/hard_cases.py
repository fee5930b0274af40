"""What the season leaves out: disputes, part cancellations, no-shows, penalties paid late, money told after the end.

In three rounds, each to be played when the one before has come to rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from sandbox.season import people
from sandbox.season.script import AIRPLUS_LAST4, AIRPLUS_TOKEN, SEAT

Doc = dict[str, Any]
BY_AIRPLUS = {"method": "airplus", "last4": AIRPLUS_LAST4, "airplus_account_token": AIRPLUS_TOKEN}
WHOLE = 989_00
"""Two seats to Granada, in cents."""


def eur(amount: int) -> Doc:
    return {"amount": amount, "currency": "EUR"}


class Platform:
    """The platform's verbs for bookings of two seats each."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self.paid: dict[int, list[str]] = {}

    def do(self, verb: str, **wish: Any) -> Doc:
        answer = self._http.post(f"/sim/{verb}", json=wish)
        assert answer.is_success, f"{verb} {wish}: {answer.text}"
        made: Doc = answer.json()
        return made

    def sell(self, number: int, payer: people.Person) -> None:
        self.do(
            "create-booking",
            id=f"bkg_{number}",
            locator=f"HRD{number}",
            experience_id="exp_72",
            payer=payer.party,
            travellers=[payer.traveller, people.companion("Olga", "Prado Rey")],
            lines=[{"service_id": service} for service in SEAT],
        )

    def pay(self, number: int, amount: int | None = None, **more: Any) -> None:
        wish = more if amount is None else more | {"amount": eur(amount)}
        made = self.do("capture-payment", booking_id=f"bkg_{number}", **wish)
        self.paid.setdefault(number, []).append(made["payment"]["id"])

    def change(self, number: int, verb: str, **wish: Any) -> Doc:
        return self.do(verb, booking_id=f"bkg_{number}", **wish)

    def cancel(self, number: int, cause: str = "customer_choice", **wish: Any) -> str:
        cancelled = self.change(number, "cancel-booking", cause=cause, **wish)
        return str(cancelled["cancellations"][-1]["id"])

    def cancel_and_refund(self, number: int, *, destination: str = "original_method", **wish: Any) -> None:
        ended = self.cancel(number, **wish)
        self.change(number, "refund", cause="cancellation", cancellation_id=ended, destination=destination)

    def dispute(self, number: int, *stages: str) -> None:
        payment = self.paid[number][0]
        opened = self.do("chargeback", payment_id=payment, stage="opened")["chargebacks"][-1]["id"]
        for stage in stages:
            self.do("chargeback", payment_id=payment, chargeback_id=opened, stage=stage, fee=eur(20_00))


def sales(platform: Platform) -> None:
    buyers = (people.LUCIA, people.JAVIER, people.ANTONIO, people.ELENA, people.PABLO, people.ISABEL, people.MARTA)
    for number in range(8001, 8022):
        platform.sell(number, buyers[number % len(buyers)])
    for number in (8002, 8003, 8005, 8007, 8009, 8011, 8012, 8013, 8015):
        platform.pay(number)
    for number in (8006, 8010):
        platform.pay(number, **BY_AIRPLUS)
    platform.pay(8004)
    platform.pay(8004, 100_00)
    platform.pay(8014, 500_00, **BY_AIRPLUS)
    platform.pay(8014, 489_00)
    platform.pay(8016, 400_00)
    platform.pay(8016, 589_00)
    # Told only after the cancellation has been carried out.
    platform.pay(8001, delivery={"payment.captured": {"hold": True}})


def changes(platform: Platform) -> None:
    platform.cancel(8001, penalty=eur(WHOLE))
    platform.dispute(8002, "funds_withdrawn", "lost")
    platform.dispute(8003, "funds_withdrawn", "won")
    platform.change(8004, "refund", cause="overpayment")
    platform.cancel_and_refund(8005, traveller_ids=["trv_02"])
    platform.cancel_and_refund(8006)
    platform.cancel(8007, cause="no_show", treatment="no_show_consideration", penalty=eur(WHOLE))
    platform.cancel(8008, penalty=eur(30_00))
    platform.cancel_and_refund(8009, treatment="taxable_fee")
    platform.change(8010, "apply-discount", kind="amount", value=eur(50_00), code="TARDE")
    platform.change(8010, "refund", cause="discount")
    platform.cancel_and_refund(8011, destination="transfer")
    platform.cancel(8012)
    platform.change(8013, "change-service", action="removed", line_id="lin_03")
    platform.change(8013, "change-service", action="added", service_id="svc_72W")
    platform.change(8013, "refund", cause="service_change")
    platform.cancel_and_refund(8014)
    platform.dispute(8015, "funds_withdrawn")
    platform.cancel(8015)
    platform.cancel_and_refund(8016)
    platform.cancel(8017, penalty=eur(30_00))
    platform.cancel(8018, traveller_ids=["trv_02"])


def late_money(platform: Platform) -> None:
    platform.do("release")
    platform.pay(8017, 30_00)
    platform.pay(8018, 100_00)
    platform.pay(8018)


ASKED = ("bkg_8002", "bkg_8015")
"""Bookings that a person has to be asked about at the end: a lost dispute, and one that goes on."""
ROUNDS: tuple[Callable[[Platform], None], ...] = (sales, changes, late_money)
