"""Both stand-ins on real sockets, real cells between them, and a hand that repeats what Temporal would repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from temporalio.exceptions import ApplicationError

from activities.accounting.deals import DealJournal
from activities.easycount.account import EasyCountAccount
from activities.easycount.documents import EasyCountDocuments
from activities.easycount.payments import EasyCountPayments
from activities.easycount.settings import EasyCountSettings
from activities.kommo.account import KommoAccount
from activities.kommo.client import KommoClient
from activities.kommo.deals import DealActivities
from activities.kommo.fields import CODES, definition_of
from activities.kommo.limits import Limits
from activities.kommo.settings import KommoSettings
from activities.kommo.writing import LeadWriter
from domain.books import Books, DealBooks
from domain.deal_steps import (
    DealMoneyStep,
    DealPicture,
    DealRead,
    DealReading,
    DealRefundStep,
    LinksSeen,
    LinksStep,
    RequestStep,
)
from domain.deals import DealRules, RequestState
from domain.invariants.deals import RULES
from domain.money import Money
from sandbox.easycount.stand_in import API_KEY, EasyCountStandIn
from sandbox.kommo.crm import PIPELINE
from sandbox.kommo.stand_in import ACCOUNT_ID, TOKEN, KommoStandIn
from sandbox.running import running
from starter.collecting.deals import deals_of
from store import Store
from store.installation import AgencySettings, PlatformSettings

AGENCY = "demo"
TRIGGER, WAITING, PAID = 33, 34, 35
MOST_TRIES = 12


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


class Clock:
    """A time that only goes on when somebody says so; for calls that ask for pauses it jumps."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def passes(self, **time: float) -> None:
        self.moment += timedelta(**time)

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.passes(seconds=seconds)


@dataclass
class House:
    """An agency with both accounts; `refusals` counts answers that only a person may overrule."""

    store: Store
    crm: KommoStandIn
    easycount: EasyCountStandIn
    easycount_url: str
    kommo_url: str
    clock: Clock
    settings: EasyCountSettings
    documents: EasyCountDocuments
    payments: EasyCountPayments
    deals: DealActivities
    journal: DealJournal
    refusals: int = 0
    deal: int = 0
    told: list[str] = field(default_factory=list)

    def do(self, cell: Callable[[Any], Any], step: Any) -> Any:
        """Repeat as Temporal does; after a refusal a person says `retry`."""
        for _ in range(MOST_TRIES):
            try:
                return cell(step)
            except ApplicationError as error:
                self.told.append(f"{error.type}: {error.message}")
                if error.type == "Defect":
                    raise
                self.clock.passes(seconds=400)
                if error.non_retryable:
                    self.refusals += 1
                    effect = (error.details[0] if error.details else {}).get("effect")
                    if effect:
                        self.store.effects.rearm(effect)
        raise AssertionError(f"no end after {MOST_TRIES} tries: {self.told[-3:]}")

    def new_deal(self, price: int = 300, **more: Any) -> int:
        contact = {"name": "Ana Prueba", "email": "ana@example.test", "phone": "+34 600 000 000"}
        wish = {"name": "Lisboa, 3 noches", "price": price, "status_id": TRIGGER, "contact": contact} | more
        self.deal = int(self.crm.lead(**wish)["id"])
        return self.deal

    # The steps of RequestPayment, one after the other ----------------------------------------------------------------

    def read(self, state: RequestState = "none", **more: Any) -> DealRead:
        read: DealRead = self.do(
            self.deals.read_deal, DealReading(agency=AGENCY, deal_id=self.deal, state=state, **more)
        )
        return read

    def show(self, state: RequestState, revision: int = 1, text: str = "", **more: Any) -> Any:
        picture = DealPicture.model_validate(
            {
                "agency": AGENCY,
                "deal_id": self.deal,
                "revision": revision,
                "state": state,
                "step": f"{state}:{revision}",
                "text": text or f"Now {state}.",
                "from_stage": TRIGGER,
            }
            | more
        )
        return self.do(self.deals.show_deal, picture)

    def ask(self, state: RequestState = "none") -> int:
        revision = self.read(state).revision
        step = RequestStep(agency=AGENCY, deal_id=self.deal, revision=revision)
        self.show("creating", revision)
        self.do(self.documents.make_link, step)
        self.do(self.documents.issue_document, step)
        self.show("awaiting_payment", revision, move_to="waiting")
        return revision

    def pay(self, number: int = -1) -> None:
        """The customer pays, and closes the browser."""
        link = [each for each in self.store.payment_pages.of(AGENCY, self.deal) if not each.orphan][number]
        httpx.post(f"{self.easycount_url}/control/pay", json={"url": link.url}).raise_for_status()

    def look(self, **more: Any) -> LinksSeen:
        seen: LinksSeen = self.do(self.payments.check_links, LinksStep(agency=AGENCY, deal_id=self.deal, **more))
        return seen

    def record(self, number: int = -1, booking: str | None = None) -> DealMoneyStep:
        payments = self.look().payments or self.look().payments
        paid = payments[number]
        step = DealMoneyStep(
            agency=AGENCY,
            deal_id=self.deal,
            link=paid.link,
            payment_id=paid.payment_id,
            amount=paid.amount,
            booking_id=booking,
        )
        self.do(self.documents.issue_receipt, step)
        self.do(self.payments.hand_over if booking else self.journal.record_deal, step)
        self.do(self.payments.settle_payment, step)
        return step

    def refund(self, paid: DealMoneyStep, amount: int, reference: str = "re_1") -> Any:
        step = DealRefundStep(
            agency=AGENCY,
            deal_id=self.deal,
            payment_id=paid.payment_id,
            link=paid.link,
            amount=eur(amount),
            reference=reference,
            by="Ana",
            booking_id=paid.booking_id,
        )
        credited = self.do(self.documents.credit, step)
        self.do(self.payments.hand_over_refund if paid.booking_id else self.journal.refund_deal, step)
        return credited

    # What the systems say ---------------------------------------------------------------------------------------------

    def books(self) -> DealBooks:
        deals, strays = deals_of(AGENCY, self.crm.state(), self.easycount.state(), {})
        assert strays == ()
        (mine,) = [deal for deal in deals if deal.deal_id == self.deal]
        return mine

    def audit(self) -> list[str]:
        deals, strays = deals_of(AGENCY, self.crm.state(), self.easycount.state(), {})
        books = Books(agency=AGENCY, deals=deals, stray_documents=strays)
        return [f"{found.where}: {found.found}" for rule in RULES for found in rule.check(books)]

    def notes(self) -> list[str]:
        return [str(note["params"]["text"]) for note in self.crm.state()["notes"]]


@contextmanager
def open_house(
    store: Store,
    clock: Clock,
    crm: tuple[KommoStandIn, str],
    easycount: tuple[EasyCountStandIn, str],
    **more: Any,
) -> Iterator[House]:
    stand_in, kommo_url = crm
    invoicing, easycount_url = easycount
    for each in (stand_in, invoicing):
        each.faults.clear()
        each.calls.clear()
        each.forget()
    kommo = KommoSettings.model_validate(
        {
            "url": kommo_url,
            "account_id": ACCOUNT_ID,
            "token": TOKEN,
            "pipeline": PIPELINE,
            "trigger_stages": [TRIGGER],
            "waiting_stage": WAITING,
            "paid_stage": PAID,
            "calls_per_second": 50,
        }
    )
    client = KommoClient(kommo, limits=Limits(50.0, clock=clock.monotonic, sleep=clock.sleep, dice=lambda: 0.0))
    client.create_fields([definition_of(code, "EUR") for code in CODES])
    settings = EasyCountSettings.model_validate(
        {
            "url": easycount_url,
            "api_key": API_KEY,
            "developer_email": "dev@example.test",
            "success_url": "https://agency.example/thanks",
            "currency": "EUR",
            "calls_per_second": 50,
        }
        | more
    )
    accounts = {AGENCY: EasyCountAccount.open(settings)}
    rules = {AGENCY: DealRules()}
    agencies = {AGENCY: AgencySettings(name="Demo", platform=PlatformSettings(source="https://platform.example/x"))}
    yield House(
        store=store,
        crm=stand_in,
        easycount=invoicing,
        easycount_url=easycount_url,
        kommo_url=kommo_url,
        clock=clock,
        settings=settings,
        documents=EasyCountDocuments(store, accounts, agencies, rules, now=clock),
        payments=EasyCountPayments(store, accounts, agencies, now=clock),
        deals=DealActivities(store, {AGENCY: KommoAccount(client, kommo, LeadWriter(client, kommo))}, rules, now=clock),
        journal=DealJournal(store, {}, now=clock),
    )
    client.close()
    accounts[AGENCY].client.close()


@contextmanager
def both() -> Iterator[tuple[tuple[KommoStandIn, str], tuple[EasyCountStandIn, str]]]:
    crm, easycount = KommoStandIn(per_second=10_000), EasyCountStandIn()
    with running(crm) as kommo_url, running(easycount) as easycount_url:
        yield (crm, kommo_url), (easycount, easycount_url)
