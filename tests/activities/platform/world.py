"""The platform's side of a test, and the post that brings its events to the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.platform.activities import PlatformActivities
from activities.platform.mapping import event_of
from activities.platform.settings import PlatformAccount
from domain.steps import BookingStep, InstalmentStep
from sandbox.platform.stand_in import PlatformStandIn
from store import Store
from store.installation import PlatformSettings
from tests.activities.platform.trip import AGENCY

Doc = dict[str, Any]
SERVICES: list[Doc] = [
    {
        "id": "svc_hotel",
        "kind": "hotel",
        "description": "Hotel 3 noches, doble",
        "supplier": {"id": "sup_rh", "name": "RateHawk"},
        "unit": "traveller",
        "price": {"amount": 50000, "currency": "EUR"},
        "cost_estimated": {"amount": 33000, "currency": "EUR"},
        "optional": False,
        "area": "ES",
    }
]
TEMPLATE: list[Doc] = [
    {"seq": 1, "due": {"on": "2026-12-02"}, "kind": "fixed", "amount": {"amount": 30000, "currency": "EUR"}},
    {"seq": 2, "due": {"on": "2027-03-22"}, "kind": "percentage", "percent": "40.00"},
    {"seq": 3, "due": {"on": "2027-05-21"}, "kind": "balance"},
]


@dataclass
class World:
    """Booking `bkg_500` (1 000.00 EUR) with plan `plan_50`: 300.00, 400.00, 300.00."""

    stand_in: PlatformStandIn
    store: Store
    settings: PlatformSettings
    account: PlatformAccount

    @property
    def cells(self) -> PlatformActivities:
        return PlatformActivities(self.store, {AGENCY: self.account})

    def do(self, verb: str, **wish: Any) -> Doc:
        return self.stand_in.platform.do(verb, wish)

    def sell(self, **plan: Any) -> None:
        self.do(
            "create-experience",
            id="exp_31",
            title="Fin de curso Mallorca",
            sales_mode="seat_b2c",
            starts_on="2027-06-20",
            ends_on="2027-06-23",
            services=SERVICES,
            cancellation_policy={"basis": "total", "tiers": []},
            payment_plan_template=TEMPLATE,
        )
        person = {"first_name": "Ana", "last_name": "Prueba"}
        self.do(
            "create-booking",
            id="bkg_500",
            experience_id="exp_31",
            payer={"id": "cus_77", "kind": "person", "name": "Ana Prueba"},
            travellers=[{**person, "is_payer": True}, person],
            lines=[{"service_id": "svc_hotel"}],
        )
        self.do("create-plan", booking_id="bkg_500", id="plan_50", **plan)

    def log(self) -> list[Doc]:
        assert self.account.client is not None
        return list(self.account.client.events(0))

    def deliver(self, *, without: tuple[str, ...] = ()) -> None:
        """Bring every event to the store, except those of the kinds named."""
        for document in self.log():
            event = event_of(self.account, AGENCY, document, datetime.now(UTC))
            if event.kind not in without:
                self.store.inbox.accept(event)

    def kinds(self) -> list[str]:
        """What the store has, in the order of arrival."""
        return [event.kind for event in self.store.inbox.list()]

    def event_id(self, kind: str) -> str:
        return next(event.event_id for event in self.store.inbox.list() if event.kind == kind)

    def charges(self) -> list[Doc]:
        return [entry["charge"] for entry in self.stand_in.state()["charge"].values()]

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.stand_in.faults.set({"operation": operation, "kind": kind, **more})


def collecting(seq: int = 1, attempt: int = 1) -> InstalmentStep:
    return InstalmentStep(
        agency=AGENCY, plan_id="plan_50", booking_id="bkg_500", instalment_id=f"ins_50{seq}", attempt=attempt
    )


def reading(event_id: str = "") -> BookingStep:
    return BookingStep(agency=AGENCY, booking_id="bkg_500", experience_id="exp_31", event_id=event_id, revision=0)
