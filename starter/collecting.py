"""The books of all systems side by side, read from the stand-ins' own data (contracts: money-rules 3).

A judge must not ask the accused: GIAV, MIDOCO and AirPlus are read from what the stand-ins hold, the platform from its
own API, and only journal, inbox and parked items, which are ours, from the store.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from domain.books import (
    AirPlusFile,
    AirPlusLine,
    BookingBooks,
    Books,
    Cancelled,
    CapturedPayment,
    DueLine,
    ExperienceBooks,
    Invoice,
    MoneyBack,
    Order,
    PlatformBooks,
    Receipt,
    Reserva,
)
from domain.effects import EffectKey
from domain.ledger import Posting
from domain.money import rounded
from domain.notices import EventNotice
from domain.platform import Booking, Chargeback, Payment, PaymentPlan, Refund
from starter.answers import CommandError
from store import Store
from store.installation import AgencySettings

STALE = timedelta(minutes=15)
FOLLOWS = re.compile(r"Sustituye a (\S+)\.")
SIGNS = {"funds_withdrawn": 1, "won": -1}


@dataclass(frozen=True, slots=True)
class StandIns:
    """Where the stand-ins answer; without `platform` the facts of the inbox count as the platform's truth (an import)."""

    giav: str
    midoco: str
    airplus: str
    platform: str | None = None


def collect(store: Store, agency: str, settings: AgencySettings, stand_ins: StandIns) -> Books:
    """Read everything once. Raises `CommandError` when a stand-in does not answer."""
    return _Collector(store, agency, settings, stand_ins).books()


def _cents(euros: float | str | Decimal) -> int:
    return rounded(Decimal(str(euros)) * 100)


class _Collector:
    def __init__(self, store: Store, agency: str, settings: AgencySettings, stand_ins: StandIns) -> None:
        self._store, self._agency, self._zone = store, agency, ZoneInfo(settings.timezone)
        self._erp = _state(stand_ins.giav)
        self._midoffice = _state(stand_ins.midoco)
        self._airplus = _state(stand_ins.airplus)
        self._platform = _Platform(stand_ins.platform, settings) if stand_ins.platform else None
        self._references = self._known_references()
        self._waiting = self._what_waits()
        self._index_erp()

    # Our own side ------------------------------------------------------------------------------------------------------

    def _known_references(self) -> dict[str, str]:
        """Reference → fact id, computed from the facts, not looked up in what we remember of our writes."""
        known: dict[str, str] = {}

        def learn(entity: str, business_id: str, fact: str) -> None:
            known[EffectKey(self._agency, "giav", entity, business_id, "create").reference] = fact

        for booking in self._store.facts.bookings(self._agency):
            for payment in self._payments(booking.id):
                learn("cobro", payment.id, payment.id)
                learn("factura", payment.id, payment.id)
            for refund in self._refunds(booking.id):
                learn("reembolso", refund.id, refund.id)
            for chargeback in self._store.facts.chargebacks_of(self._agency, booking.id):
                learn("reembolso", f"{chargeback.id}:funds_withdrawn", chargeback.id)
                learn("cobro", f"{chargeback.id}:won", chargeback.id)
            for cancellation in self._store.facts.cancellations_of(self._agency, booking.id):
                learn("penalty", cancellation.id, cancellation.id)
        return known

    def _payments(self, booking_id: str) -> list[Payment]:
        if self._platform is not None:
            return self._platform.payments[booking_id]
        return self._store.facts.payments_of(self._agency, booking_id)

    def _refunds(self, booking_id: str) -> list[Refund]:
        if self._platform is not None:
            return self._platform.refunds[booking_id]
        return self._store.facts.refunds_of(self._agency, booking_id)

    def _chargebacks(self, booking_id: str) -> list[Chargeback]:
        return self._store.facts.chargebacks_of(self._agency, booking_id)

    def _what_waits(self) -> Counter[str]:
        waiting: Counter[str] = Counter()
        for item in self._store.parked.list(self._agency, limit=10_000):
            waiting[item.booking_id or ""] += 1
        for row in self._store.inbox.undispatched(10_000):
            waiting[EventNotice.model_validate_json(row.notice_json).booking_id or ""] += 1
        return waiting

    # The ERP -------------------------------------------------------------------------------------------------------------

    def _index_erp(self) -> None:
        self._documents = {client["Id"]: client.get("Documento") or None for client in self._erp["Cliente"]}
        self._children: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self._containers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._booking_of: dict[int, str] = {}
        for reserva in self._erp["Reserva"]:
            parent = reserva.get("Anidacion_IdReservaContenedora")
            if parent is not None:
                self._children[parent].append(reserva)
            elif reserva["TipoReserva"] == "PQ":
                self._containers[reserva["CodSolicitud"]].append(reserva)
                self._booking_of[reserva["Id"]] = reserva["CodSolicitud"]
        self._invoices: dict[str, list[Invoice]] = defaultdict(list)
        for factura in self._erp["Factura"]:
            owners = {self._booking_of.get(reserva, "?") for reserva in factura["reservas"]}
            self._invoices["/".join(sorted(owners))].append(self._invoice(factura))
        self._receipts: dict[str, list[Receipt]] = defaultdict(list)
        booking_of_fact = self._booking_of_fact()
        for cobro in self._erp["Cobro"]:
            receipt = self._receipt(cobro)
            self._receipts[booking_of_fact.get(receipt.fact_id or "", "?")].append(receipt)

    def _booking_of_fact(self) -> dict[str, str]:
        return {
            fact.id: booking.id
            for booking in self._store.facts.bookings(self._agency)
            for facts in (self._payments(booking.id), self._refunds(booking.id), self._chargebacks(booking.id))
            for fact in facts
        }

    def _invoice(self, factura: dict[str, Any]) -> Invoice:
        reference = _reference(factura)
        fact = self._references.get(reference or "")
        original = next((f for f in self._erp["Factura"] if f["Id"] == factura.get("IdFacturaAsociada")), None)
        refers_to = original["Codigo"] if original else None
        if factura["IdTipo"] == "Reembolso":
            kind = "credit_note"
        elif fact is not None and fact.startswith("cxl_"):
            kind = "penalty"
        else:
            kind = "original"
            if fact is None:
                # Not the first invoice of a payment: one issued again after a credit note, by its own words.
                words = factura["Descripcion"]
                fact = next((word for word in words.split() if word.startswith("pay_")), None)
                followed = FOLLOWS.search(words)
                refers_to = followed.group(1) if followed else "nothing that it names"
        series, _, _ = factura["Codigo"].rpartition("-")
        return Invoice(
            id=str(factura["Id"]),
            number=factura["Codigo"],
            series=series,
            kind=kind,
            fact_id=fact,
            total=_cents(factura["total"]),
            issued_on=date.fromisoformat(factura["FechaEmision"][:10]),
            refers_to=refers_to,
            external_key=reference,
        )

    def _receipt(self, cobro: dict[str, Any]) -> Receipt:
        return Receipt(
            id=str(cobro["Id"]),
            fact_id=self._references.get(_reference(cobro) or ""),
            kind=cobro["TipoOperacion"],
            amount=abs(_cents(cobro["Importe"])),
        )

    def _reservas(self, booking_id: str) -> Iterator[Reserva]:
        for container in self._containers[booking_id]:
            yield Reserva(
                id=str(container["Id"]),
                expediente_id=str(container["IdExpediente"]),
                client_document=self._documents.get(container["IdCliente"]),
                sale=_cents(container["VentaComis"]) + _cents(container["VentaNoComis"]),
                cost=sum(_cents(child["CosteComis"]) for child in self._children[container["Id"]]),
            )

    # Everything -----------------------------------------------------------------------------------------------------------

    def books(self) -> Books:
        bookings = [self._booking(booking) for booking in self._bookings()]
        journal = self._store.journal
        balances = journal.trial_balance(self._agency)
        strangers = [*self._invoices.get("?", ()), *self._receipts.get("?", ())]
        return Books(
            agency=self._agency,
            experiences=tuple(self._experiences()),
            bookings=tuple(bookings),
            files=tuple(self._files()),
            trial_balance=sum(row.balance.amount for row in balances),
            unbalanced_entries=tuple(
                posted.entry.key for posted in journal.entries(self._agency) if not _balances(posted.entry.postings)
            ),
            processor_balances={row.sub: row.balance.amount for row in balances if row.account == "5729"},
            airplus_balance=sum(row.balance.amount for row in balances if row.account == "5728"),
            suspense_balance=sum(row.balance.amount for row in balances if row.account == "555"),
            stale_events=tuple(self._stale_events()),
            missing_events=tuple(self._missing_events()),
            unlisted_parkings=tuple(
                item.item_id
                for item in self._store.parked.list(self._agency, limit=10_000)
                if not (item.reason and item.owner and item.deadline)
            ),
            strangers=tuple(f"{type(found).__name__} {found.id}" for found in strangers),
        )

    def _bookings(self) -> list[Booking]:
        if self._platform is not None:
            return self._platform.bookings
        return self._store.facts.bookings(self._agency)

    def _booking(self, booking: Booking) -> BookingBooks:
        return BookingBooks(
            booking_id=booking.id,
            currency=booking.currency,
            platform=self._platform_books(booking),
            reservas=tuple(self._reservas(booking.id)),
            receipts=tuple(self._receipts[booking.id]),
            invoices=tuple(self._invoices[booking.id]),
            orders=tuple(self._orders(booking.id)),
            transferable=any(line.cost.supplier_ref for line in booking.active_lines if self._is_hotel(booking, line)),
            airplus=tuple(self._airplus_lines(booking.id)),
            airplus_staged=self._staged(booking.id),
            accounts=self._accounts(booking.id),
            waiting=self._waiting[booking.id],
        )

    def _is_hotel(self, booking: Booking, line: Any) -> bool:
        experience = self._store.facts.experience(self._agency, booking.experience_id)
        kinds = {service.id: service.kind for service in experience.services} if experience else {}
        return kinds.get(line.service_id) == "hotel"

    def _platform_books(self, booking: Booking) -> PlatformBooks:
        plan = self._plan(booking.id)
        facts = self._store.facts
        totals = booking.totals
        payments, refunds = self._payments(booking.id), self._refunds(booking.id)
        disputes = [
            MoneyBack(
                id=c.id,
                payment_id=c.payment_id,
                amount=SIGNS[c.stage] * c.amount.amount,
                fee=c.fee.amount if c.fee and c.stage == "funds_withdrawn" else 0,
                at=c.opened_at,
            )
            for c in self._chargebacks(booking.id)
            if c.stage in SIGNS
        ]
        captured, refunded = sum(p.amount.amount for p in payments), sum(r.amount.amount for r in refunds)
        return PlatformBooks(
            experience_id=booking.experience_id,
            status=booking.status,
            payer_document=booking.payer.tax_id.value if booking.payer.tax_id else None,
            sale=totals.total.amount,
            cost=totals.cost.amount,
            margin=totals.margin.amount,
            due=totals.total.amount - captured + refunded + sum(d.amount for d in disputes),
            payments=tuple(
                CapturedPayment(
                    id=p.id,
                    amount=p.amount.amount,
                    method=p.method,
                    processor=p.processor.name,
                    day=(p.captured_at or datetime.now(UTC)).astimezone(self._zone).date(),
                    at=p.captured_at,
                    charged_by_us=p.initiation == "mit",
                )
                for p in payments
            ),
            refunds=tuple(
                MoneyBack(
                    id=r.id,
                    payment_id=r.payment_id,
                    amount=r.amount.amount,
                    at=r.requested_at,
                    by_bank=r.destination == "transfer",
                )
                for r in refunds
            ),
            chargebacks=tuple(disputes),
            cancellations=tuple(
                Cancelled(
                    id=c.id,
                    scope=c.scope,
                    treatment=c.penalty.treatment,
                    penalty=c.penalty.amount.amount,
                    effective_at=c.effective_at,
                )
                for c in facts.cancellations_of(self._agency, booking.id)
            ),
            plan=tuple(
                DueLine(id=i.id, amount=i.amount.amount, status=i.status, payment_id=i.payment_id)
                for i in (plan.installments if plan else ())
            ),
            costs_estimated=all(line.cost.status == "estimated" for line in booking.lines),
        )

    def _plan(self, booking_id: str) -> PaymentPlan | None:
        known = self._store.facts.plan(self._agency, booking_id)
        if self._platform is None or known is None:
            return known
        return self._platform.plan(known.id)

    def _orders(self, booking_id: str) -> Iterator[Order]:
        for order in self._midoffice["bookings"]:
            if order["source-ext-id"] == booking_id:
                services = [service["service-status"] for service in order.get("accomodation-service", ())]
                yield Order(
                    id=order["booking-id"],
                    cancelled=bool(services) and all(status == "XX" for status in services),
                    price=_cents(order["price"]["total-price"]),
                )

    # AirPlus ---------------------------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[AirPlusFile]:
        for file in self._airplus["files"]:
            yield AirPlusFile(
                partner_id=file["partner"],
                kind=file["kind"],
                seq=int(file["seq"]),
                digest=file["sha256"],
                sound=not file["problems"],
                accepted=file["status"] in ("A", "P"),
            )

    def _airplus_lines(self, booking_id: str) -> Iterator[AirPlusLine]:
        mine = {line.txn_ref: line for line in self._store.tamara.lines_of(self._agency, booking_id)}
        for transaction in self._airplus["transactions"]:
            if transaction["txn_ref"] in mine:
                yield AirPlusLine(
                    ref=transaction["txn_ref"],
                    invoice_number=transaction["inv_no"],
                    debit=transaction["dc"] == "D",
                    gross=int(transaction["gross"]),
                    accepted=transaction["status"] == "A",
                )

    def _staged(self, booking_id: str) -> int:
        """Net debit of lines that wait for the next file."""
        lines = self._store.tamara.lines_of(self._agency, booking_id)
        return sum(line.signed for line in lines if line.state in ("STAGED", "SEALED"))

    # Journal and inbox --------------------------------------------------------------------------------------------------

    def _accounts(self, booking_id: str) -> dict[str, int]:
        balances: Counter[str] = Counter()
        for posted in self._store.journal.entries_of(self._agency, booking_id):
            for posting in posted.entry.postings:
                balances[posting.account] += (
                    posting.amount.amount if posting.side == "debit" else -posting.amount.amount
                )
        return dict(balances)

    def _experiences(self) -> Iterator[ExperienceBooks]:
        carriers: dict[str, list[str]] = defaultdict(list)
        for expediente in self._erp["Expediente"]:
            carriers[_reference(expediente) or ""].append(str(expediente["Id"]))
        for experience in self._store.facts.experiences(self._agency):
            reference = EffectKey(self._agency, "giav", "expediente", experience.id, "create").reference
            yield ExperienceBooks(experience_id=experience.id, expedientes=tuple(carriers[reference]))

    def _stale_events(self) -> Iterator[str]:
        for row in self._store.inbox.undispatched(1000, older_than=STALE):
            yield row.event_id

    def _missing_events(self) -> Iterator[str]:
        if self._platform is not None:
            for event_id in self._platform.event_ids():
                if self._store.inbox.get(self._agency, event_id) is None:
                    yield event_id


class _Platform:
    """The platform's own answers, by its public API (contracts: platform-events 7)."""

    def __init__(self, url: str, settings: AgencySettings) -> None:
        token = settings.platform.token.get_secret_value() if settings.platform.token else ""
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30.0)
        self.bookings = [Booking.model_validate(item) for item in self._pages("/v1/bookings")]
        self.payments: dict[str, list[Payment]] = defaultdict(list)
        self.refunds: dict[str, list[Refund]] = defaultdict(list)
        for item in self._pages("/v1/payments"):
            if item.get("captured_at"):
                self.payments[item["booking_id"]].append(Payment.model_validate(item))
            self.refunds[item["booking_id"]] += [Refund.model_validate(refund) for refund in item["refunds"]]

    def plan(self, plan_id: str) -> PaymentPlan:
        return PaymentPlan.model_validate(self._get(f"/v1/payment_plans/{plan_id}", {}))

    def event_ids(self) -> Iterator[str]:
        after = 0
        while True:
            items = self._get("/v1/events", {"after_sequence": str(after), "limit": "200"})["items"]
            yield from (item["id"] for item in items)
            if not items:
                return
            after = int(items[-1]["sequence"])

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self._get(path, {"limit": "200"} | ({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        try:
            answer = self._http.get(path, params=query)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CommandError(f"the platform does not answer {path}: {type(error).__name__}") from None
        found: dict[str, Any] = answer.json()
        return found


def _state(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(f"{url}/control/state", timeout=60.0)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise CommandError(f"{url} does not tell its state: {type(error).__name__}") from None
    state: dict[str, Any] = answer.json()
    return state


def _reference(record: dict[str, Any]) -> str | None:
    values = (str(item["Value"]) for item in record.get("CustomDataValues") or ())
    return next((value for value in values if value.startswith("ORQ-")), None)


def _balances(postings: Iterable[Posting]) -> bool:
    return sum(p.amount.amount if p.side == "debit" else -p.amount.amount for p in postings) == 0
