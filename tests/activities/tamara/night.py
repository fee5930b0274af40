"""One agency's AirPlus bookings: events, invoices, cards, and the activities that make a nightly file of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.tamara.activities import TamaraActivities
from activities.tamara.settings import TamaraSettings
from domain.money import Money
from domain.steps import CancellationStep, Done, PaymentStep, RefundStep, SealedFile, TamaraFileStep, TamaraStep
from sandbox.airplus.stand_in import PASSWORD, USER, AirplusStandIn
from store import Store
from store.documents import Document
from tests import stories

AGENCY, BOOKING = stories.AGENCY, "bkg_500"
CARD = "192000000000008"
TOKEN = "tok_airplus_1"
PARTNER = "TESTPARTNER1"
DAY = dt.date(2026, 11, 21)
NEXT = DAY + dt.timedelta(1)
NIGHT = dt.datetime(2026, 11, 21, 1, 30, tzinfo=dt.UTC)
NO_HOST = "SHA256:" + "A" * 43


@dataclass(frozen=True)
class DropBoxSite:
    stand_in: AirplusStandIn
    settings: TamaraSettings

    def lying(self) -> dict[str, bytes]:
        """Names and bytes of what lies in the partner's folder."""
        return {path.name: path.read_bytes() for path in (self.stand_in.home() / "in").iterdir()}

    def operations(self) -> list[str]:
        return [call["operation"] for call in self.stand_in.calls]


def settings_of(port: int = 1, fingerprint: str = NO_HOST, **changes: Any) -> TamaraSettings:
    """Settings with a drop box by SFTP."""
    sftp = {
        "host": "127.0.0.1",
        "port": port,
        "username": USER,
        "password": PASSWORD,
        "host_keys": [fingerprint],
        "connect_seconds": 10,
        "read_seconds": 10,
        **changes.pop("sftp", {}),
    }
    return _settings({"sftp": sftp, **changes})


def ftps_settings_of(port: int, pin: str, **changes: Any) -> TamaraSettings:
    """Settings with a drop box by FTPS."""
    ftps = {
        "host": "127.0.0.1",
        "port": port,
        "username": USER,
        "password": PASSWORD,
        "pins": [pin],
        "connect_seconds": 10,
        "read_seconds": 10,
        **changes.pop("ftps", {}),
    }
    return _settings({"ftps": ftps, **changes})


def _settings(changes: dict[str, Any]) -> TamaraSettings:
    section = {"partner_id": PARTNER, "city": "MADRID", "iata_no": "99999992", **changes}
    return TamaraSettings.of(section, name="Viajes Sol", timezone="Europe/Madrid")


class Night:
    """A store with one booking and the AirPlus column over it. `now` may be moved; events are numbered from `first` on."""

    def __init__(self, store: Store, settings: TamaraSettings, *, lodge: bool = True, first: int = 10) -> None:
        self.store = store
        self.settings = settings
        self.now = NIGHT
        self.cells = TamaraActivities(store, {AGENCY: settings}, clock=lambda: self.now)
        self._events = iter(range(first, first + 990))
        if lodge:
            self.lodge()
        self.tell("experience.created", "experience/exp_31", experience=stories.experience())
        self.tell("booking.created", "booking/bkg_500", booking=self.booking())

    def lodge(self, number: str = CARD, expiry: str = "1228") -> None:
        self.store.vault.seal(AGENCY, f"card/{TOKEN}", json.dumps({"number": number, "expiry": expiry}))

    def booking(self, **changes: Any) -> dict[str, Any]:
        told = stories.booking(**changes)
        told["travellers"][0]["corporate"] = {"employee_no": "4711", "cost_centre": "CC-0815"}
        return told

    def tell(self, kind: str, aggregate: str, revision: int = 1, **members: Any) -> None:
        event = stories.event(next(self._events), kind, stories.data(aggregate, revision, **members))
        self.store.inbox.accept(event)

    def paid(
        self, payment_id: str = "pay_1001", amount: int = 30000, method: str = "airplus", **changes: Any
    ) -> PaymentStep:
        card = {"brand": "airplus", "last4": CARD[-4:], "airplus_account_token": TOKEN}
        told = stories.payment(payment_id, amount=amount, **{"method": method, "card": card, **changes})
        self.tell("payment.captured", f"payment/{payment_id}", payment=told)
        return PaymentStep(
            agency=AGENCY,
            booking_id=BOOKING,
            experience_id="exp_31",
            payment_id=payment_id,
            amount=Money(amount=amount, currency="EUR"),
            method=method,
        )

    def document(self, kind: str, key: str, number: str, amount: int, **changes: Any) -> None:
        self.store.documents.record(
            Document(
                **{
                    "agency": AGENCY,
                    "system": "giav",
                    "kind": kind,
                    "key": key,
                    "number": number,
                    "outside_id": number,
                    "booking_id": BOOKING,
                    "amount": Money(amount=amount, currency="EUR"),
                    "issued_on": dt.date(2026, 11, 20),
                    "operation_date": dt.date(2026, 11, 20),
                    **changes,
                }
            )
        )

    def invoiced(self, payment_id: str = "pay_1001", amount: int = 30000) -> None:
        self.document("invoice", f"inv:{payment_id}", f"F-{payment_id[-4:]}", amount, payment_id=payment_id)

    def credited(self, payment_id: str = "pay_1001", amount: int = 30000, cause: str = "cxl_12") -> None:
        key = f"rect:{cause}:{payment_id}"
        self.document("credit_note", key, f"R-{payment_id[-4:]}-{cause[-2:]}", -amount, refers_to=f"inv:{payment_id}")

    def penalised(self, amount: int = 3000, cause: str = "cxl_12") -> None:
        self.document("penalty", f"pen:{cause}", f"P-{cause[-2:]}", amount)

    def sold(self, payment_id: str = "pay_1001", amount: int = 30000) -> Done:
        """Paid, invoiced and staged."""
        step = self.paid(payment_id, amount)
        self.invoiced(payment_id, amount)
        return self.cells.record_payment(step)

    def cancel(self) -> Done:
        self.tell(
            "booking.cancelled",
            "booking/bkg_500",
            next(self._events),
            booking=stories.cancelled_booking(),
            cancellation=stories.cancellation(),
        )
        return self.cells.cancel_booking(
            CancellationStep(
                agency=AGENCY,
                booking_id=BOOKING,
                experience_id="exp_31",
                event_id="evt_1",
                revision=3,
                cancellation_id="cxl_12",
            )
        )

    def refund(self, **changes: Any) -> Done:
        told = stories.refund(**changes)
        self.tell("payment.refunded", "payment/pay_1001", 2, refund=told, payment_ref=stories.PAYMENT_REF)
        return self.cells.record_refund(
            RefundStep(
                agency=AGENCY,
                booking_id=BOOKING,
                payment_id="pay_1001",
                refund_id=told["id"],
                amount=Money(amount=27000, currency="EUR"),
                event_id="evt_1",
            )
        )

    def seal(self, day: dt.date = DAY, kind: Any = "MA") -> SealedFile:
        return self.cells.seal_file(TamaraStep(agency=AGENCY, kind=kind, day=day))

    def deliver(self, sealed: SealedFile) -> Done:
        return self.cells.deliver_file(
            TamaraFileStep(agency=AGENCY, partner_id=sealed.partner_id, kind=sealed.kind, seq=sealed.seq)
        )

    def states(self) -> dict[str, str]:
        return {line.purpose: line.state for line in self.store.tamara.lines_of(AGENCY, BOOKING)}


def failure(attempt: Callable[[], object]) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        attempt()
    return raised.value


def transactions(airplus: DropBoxSite) -> list[dict[str, Any]]:
    """What AirPlus holds, its own check included."""
    found: list[dict[str, Any]] = airplus.stand_in.state()["transactions"]
    return found


def sent(night: Night, day: dt.date = DAY) -> None:
    night.deliver(night.seal(day))
