"""An agency's GIAV in a test: the stand-in on a socket, a real store, and the activities between them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.giav.activities import GiavActivities
from activities.giav.office import GiavAccount
from domain.checks import discrepancies
from domain.money import Money
from domain.steps import (
    BookingStep,
    CancellationStep,
    ChargebackStep,
    Decision,
    DecisionTaken,
    Done,
    ExperienceStep,
    Parking,
    PaymentStep,
    RefundStep,
)
from sandbox.faults import Kind
from sandbox.giav import seeds
from sandbox.giav.stand_in import PATH, GiavStandIn
from store import Store
from store.inbox import AcceptedEvent
from tests import stories

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SERVICES = [
    {
        "id": service_id,
        "kind": kind,
        "description": words,
        "supplier": {"id": supplier, "name": supplier},
        "unit": "traveller",
        "price": stories.eur(price),
        "cost_estimated": stories.eur(cost),
    }
    for service_id, kind, words, supplier, price, cost in (
        ("svc_hotel", "hotel", "Hotel 3 noches, doble", "sup_rh", 41250, 33000),
        ("svc_bus", "transport", "Autobús ida y vuelta", "sup_bus", 9000, 6500),
        ("svc_guide", "guide", "Guía en catalán", "sup_bus", 1000, 800),
    )
]
TRAVELLERS = [
    {"id": "trv_1", "first_name": "Ana", "last_name": "Prueba Ejemplo", "kind": "adult", "is_payer": True},
    {"id": "trv_2", "first_name": "Luis", "last_name": "Prueba Otro", "kind": "adult"},
]


def section(url: str, **changes: Any) -> dict[str, Any]:
    """The settings of an agency that fit the stand-in's seeds."""
    fields = {name.lower(): field for name, field in seeds.REFERENCE_FIELDS.items()}
    return {
        "url": f"{url}{PATH}",
        "api_key": seeds.API_KEY,
        "office_id": seeds.OFFICE,
        "agency_supplier_id": seeds.SUPPLIER_SELF,
        "default_supplier_id": seeds.SUPPLIER_GENERIC,
        "suppliers": {"sup_rh": seeds.SUPPLIER_RATEHAWK, "sup_bus": seeds.SUPPLIER_COACH},
        "b2c_holder_client_id": seeds.HOLDER,
        "payment_methods": {"stripe": seeds.STRIPE, "transfer": seeds.TRANSFER, "default": seeds.CARD},
        "refund_methods": {"stripe": seeds.STRIPE, "transfer": seeds.REFUND},
        "stage_open_id": seeds.FILE_OPEN,
        "stage_cancelled_id": seeds.FILE_CANCELLED,
        "reserva_stage_open_id": seeds.RESERVATION_CONFIRMED,
        "reserva_stage_cancelled_id": seeds.RESERVATION_CANCELLED,
        "custom_fields": fields,
        "connect_seconds": 2,
        "read_seconds": 5,
    } | changes


class LandingStandIn(GiavStandIn):
    """Tells when a late effect has landed, so that no test waits by the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.landed = threading.Event()

    async def _land(self, seconds: float, effect: Callable[[], Any]) -> None:
        await super()._land(seconds, effect)
        self.landed.set()


class Desk:
    """Feeds events to the store and runs the verbs on them, as a lifecycle would."""

    def __init__(self, stand_in: LandingStandIn, url: str, store: Store) -> None:
        self.stand_in = stand_in
        self.url = url
        self.store = store
        self._number = 0
        self.configure()

    def configure(self, **changes: Any) -> None:
        account = GiavAccount.open(section(self.url, **changes))
        self.activities = GiavActivities(self.store, {stories.AGENCY: account}, lambda: NOW)

    # Events ------------------------------------------------------------------------------------------------------

    def told(self, kind: str, data: dict[str, Any]) -> AcceptedEvent:
        self._number += 1
        event = stories.event(self._number, kind, data)
        assert discrepancies(event.data) == [], "a snapshot that does not add up proves nothing"
        assert self.store.inbox.accept(event) == "new"
        return event

    def experience(self, revision: int = 1, **changes: Any) -> ExperienceStep:
        told = stories.experience(services=SERVICES, **changes)
        kind = "experience.created" if revision == 1 else "experience.updated"
        event = self.told(kind, stories.data("experience/exp_31", revision, experience=told))
        return ExperienceStep(agency=stories.AGENCY, experience_id="exp_31", event_id=event.event_id, revision=revision)

    def booking(self, revision: int = 1, *, kind: str = "booking.created", **changes: Any) -> BookingStep:
        members = {name: changes.pop(name) for name in ("service_change", "discount", "action") if name in changes}
        told = booking(**changes)
        effects = (
            {} if kind == "booking.created" else {"price_effect": stories.NO_EFFECT, "cost_effect": stories.NO_EFFECT}
        )
        data = stories.data(f"booking/{told['id']}", revision, booking=told, **effects, **members)
        event = self.told(kind, data)
        return BookingStep(
            agency=stories.AGENCY,
            booking_id=told["id"],
            experience_id="exp_31",
            event_id=event.event_id,
            revision=revision,
        )

    def cancellation(self, revision: int, snapshot: dict[str, Any], cancelled: dict[str, Any]) -> CancellationStep:
        data = stories.data("booking/bkg_500", revision, booking=snapshot, cancellation=cancelled)
        event = self.told("booking.cancelled", data)
        return CancellationStep(
            agency=stories.AGENCY,
            booking_id="bkg_500",
            experience_id="exp_31",
            event_id=event.event_id,
            revision=revision,
            cancellation_id=cancelled["id"],
        )

    def payment(self, payment_id: str = "pay_1001", amount: int = 30000, **changes: Any) -> PaymentStep:
        told = stories.payment(payment_id, amount=amount, **changes)
        self.told("payment.captured", stories.data(f"payment/{payment_id}", payment=told))
        return PaymentStep(
            agency=stories.AGENCY,
            booking_id=told["booking_id"],
            experience_id="exp_31",
            payment_id=payment_id,
            amount=Money(amount=amount, currency="EUR"),
            method="card",
        )

    def refund(self, refund_id: str = "ref_9", amount: int = 27000, **changes: Any) -> RefundStep:
        told = stories.refund(refund_id, amount=amount, **changes)
        reference = {"id": told["payment_id"], "amount": stories.eur(30000), "refunded_total": stories.eur(amount)}
        data = stories.data(f"payment/{told['payment_id']}", 2, refund=told, payment_ref=reference)
        event = self.told("payment.refunded", data)
        return RefundStep(
            agency=stories.AGENCY,
            booking_id="bkg_500",
            payment_id=told["payment_id"],
            refund_id=refund_id,
            amount=Money(amount=amount, currency="EUR"),
            event_id=event.event_id,
        )

    def chargeback(self, stage: str, revision: int = 2) -> ChargebackStep:
        told = stories.chargeback(stage)
        data = stories.data("payment/pay_1001", revision, chargeback=told, payment_ref=stories.PAYMENT_REF)
        event = self.told("payment.chargeback", data)
        return ChargebackStep(
            agency=stories.AGENCY,
            booking_id="bkg_500",
            payment_id="pay_1001",
            chargeback_id="cbk_2",
            stage=stage,
            amount=Money(amount=30000, currency="EUR"),
            event_id=event.event_id,
        )

    # Stories -----------------------------------------------------------------------------------------------------

    def registered(self, **changes: Any) -> BookingStep:
        """An experience with one booking, both in GIAV."""
        self.activities.open_experience(self.experience())
        step = self.booking(**changes)
        self.activities.register_booking(step)
        return step

    def insist(self, verb: Callable[[Any], Done], step: Any, attempts: int = 12) -> Done:
        """What Temporal does with retryable failures, without its waits."""
        for _ in range(attempts):
            try:
                return verb(step)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        raise AssertionError(f"not done after {attempts} attempts")

    # Questions ---------------------------------------------------------------------------------------------------

    def asked(self, verb: Callable[[Any], Done], step: Any, reason: str) -> str:
        """The question that a step stops with: the key of what it is about."""
        with pytest.raises(ApplicationError) as caught:
            self.insist(verb, step)
        said = caught.value.details[0]
        assert (caught.value.type, said["code"]) == ("NeedsPerson", reason)
        return str(said["effect"])

    def answer(self, effect: str, decision: Decision) -> None:
        """What the lifecycle keeps of an item and its answer."""
        self._number += 1
        item = f"PK-{self._number}"
        parking = Parking(
            agency=stories.AGENCY,
            item_id=item,
            workflow_id="w",
            verb="giav",
            reason="question",
            detail="",
            fault="NeedsPerson",
            effect=effect,
            decisions=(decision,),
            since=NOW,
        )
        self.store.parked.open(parking, "operations", NOW)
        taken = DecisionTaken(item_id=item, decision=decision, by="Ana", explanation="as agreed by telephone")
        self.store.parked.close(item, taken)

    # The other side ----------------------------------------------------------------------------------------------

    def fault(self, operation: str, kind: Kind, **more: Any) -> None:
        self.stand_in.faults.set({"operation": operation, "kind": kind.value, **more})

    def held(self, entity: str) -> list[dict[str, Any]]:
        """The records of an entity as the stand-in shows them."""
        return list(self.stand_in.state()[entity])

    def calls(self) -> list[str]:
        """The operations called since the last time this was asked."""
        made = [call["operation"] for call in self.stand_in.calls]
        self.stand_in.calls.clear()
        return made

    def container(self) -> dict[str, Any]:
        return next(each for each in self.held("Reserva") if each["CodSolicitud"] == "bkg_500")

    def lines(self) -> dict[str, dict[str, Any]]:
        """The cost lines nested in the container, by the platform's line id."""
        own = self.container()["Id"]
        nested = [each for each in self.held("Reserva") if each.get("Anidacion_IdReservaContenedora") == own]
        return {each["CodSolicitud"].partition("/")[2]: each for each in nested}

    def money_lines(self) -> list[tuple[str, str]]:
        return [(each["TipoOperacion"], f"{each['Importe']:.2f}") for each in self.held("Cobro")]

    def invoice_lines(self) -> list[tuple[str, str]]:
        """Invoices in the order of issue, by type and signed total."""
        return [(each["IdTipo"], f"{each['DatosExternos']['TotalFactura']:.2f}") for each in self.held("Factura")]


def booking(*, penalty: int = 0, **changes: Any) -> dict[str, Any]:
    """The contract's booking with two travellers; its totals follow from its lines, discounts and `penalty`."""
    told = stories.booking(**{"travellers": TRAVELLERS} | changes)
    if "totals" in changes:
        return told
    gross = sum(each["total"]["amount"] for each in told["lines"] if each["status"] == "active")
    discount = sum(each["amount"]["amount"] for each in told["discounts"]) if gross else 0
    cost = sum(each["cost"]["total"]["amount"] for each in told["lines"])
    total = gross - discount + penalty
    amounts = {"gross": gross, "discount": discount, "penalty": penalty, "total": total, "cost": cost}
    amounts |= {"margin": total - cost, "captured": 0, "refunded": 0, "disputed": 0, "due": total}
    return told | {"totals": {name: stories.eur(amount) for name, amount in amounts.items()}}


def discount(amount: int, discount_id: str = "dsc_3") -> dict[str, Any]:
    return stories.discount_of(amount) | {"id": discount_id}


def failure(error: ApplicationError) -> str:
    return error.type or ""
