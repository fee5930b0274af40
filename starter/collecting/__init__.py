"""The books of all systems side by side, read from the stand-ins' own data (contracts: money-rules 3).

A judge must not ask the accused: GIAV, the mid-office, RateHawk and AirPlus are read from what the stand-ins hold, the platform from
its own API, and only journal, inbox and parked items, which are ours, from the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.books import BookingBooks, Books, DealBooks, ExperienceBooks, PaymentSyncBooks
from domain.ledger import Fact, Posting
from domain.notices import EventNotice
from domain.platform import Booking
from starter.collecting.deals import deals_of
from starter.collecting.erp import Erp
from starter.collecting.mid_offices import MidOffice, kind_of
from starter.collecting.partners import AirPlus
from starter.collecting.reading import state_of
from starter.collecting.references import references_of
from starter.collecting.suppliers import Supplier
from starter.collecting.truth import InboxTruth, PlatformTruth, Truth, platform_books
from store import Store
from store.inbox import OutboxRow
from store.installation import AgencySettings
from store.journal import PostedEntry

STALE = timedelta(minutes=15)
"""An event that waits longer than this in the inbox is on the auditor's list (money-rules O1)."""
EVERYTHING = 100_000


@dataclass(frozen=True, slots=True)
class StandIns:
    """Where the stand-ins answer; without `platform` the facts of the inbox count as the platform's truth (an import),
    without `ratehawk` no supplier is asked what it holds, without `kommo` and `easycount` no deal is judged."""

    giav: str
    midoffice: str
    airplus: str
    platform: str | None = None
    ratehawk: str | None = None
    kommo: str | None = None
    easycount: str | None = None


def collect(store: Store, agency: str, settings: AgencySettings, stand_ins: StandIns) -> Books:
    """Read everything once. Raises `CommandError` when a stand-in does not answer."""
    return _Collector(store, agency, settings, stand_ins).books()


class _Collector:
    def __init__(self, store: Store, agency: str, settings: AgencySettings, stand_ins: StandIns) -> None:
        self._store, self._agency, self._zone = store, agency, ZoneInfo(settings.timezone)
        known = store.facts.bookings(agency)
        self._truth: Truth = InboxTruth(store, agency)
        if stand_ins.platform is not None:
            plans = {booking.id: store.facts.plan(agency, booking.id) for booking in known}
            plan_ids = {booking: plan.id for booking, plan in plans.items() if plan}
            self._truth = PlatformTruth(stand_ins.platform, settings, plan_ids)
        self._erp = Erp(stand_ins.giav, references_of(agency, known, self._truth, store.facts))
        self._midoffice = MidOffice(stand_ins.midoffice, kind_of(settings), self._truth.bookings())
        self._supplier = Supplier(stand_ins.ratehawk)
        # A supplier that is read sends orders to the mid-office that no booking claims.
        self._fed = settings.ratehawk is not None and stand_ins.ratehawk is None
        self._airplus = AirPlus(stand_ins.airplus, store, agency)
        self._waiting = self._what_waits()
        self._deals: tuple[DealBooks, ...] = ()
        self._stray_documents: tuple[str, ...] = ()
        if stand_ins.kommo is not None and stand_ins.easycount is not None:
            self._deals, self._stray_documents = deals_of(
                agency,
                state_of(stand_ins.kommo),
                state_of(stand_ins.easycount),
                self._deals_that_wait(),
                booked=frozenset(
                    request.deal_id
                    for request in store.payment_requests.list(agency, EVERYTHING)
                    if request.asked.said.booking_id is not None
                ),
            )

    def _what_waits(self) -> Counter[str]:
        """Parked items and undelivered events by booking."""
        parked = (item.booking_id or "" for item in self._store.parked.list(self._agency, limit=EVERYTHING))
        rows = self._undispatched()
        undelivered = (EventNotice.model_validate_json(row.notice_json).booking_id or "" for row in rows)
        return Counter([*parked, *undelivered])

    def _undispatched(self, older_than: timedelta | None = None) -> list[OutboxRow]:
        """The outbox is one for all agencies."""
        rows = self._store.inbox.undispatched(EVERYTHING, older_than=older_than)
        return [row for row in rows if row.agency == self._agency]

    def _deals_that_wait(self) -> Counter[int]:
        """Parked items by deal, and hints that were not handed over."""
        begin = f"deal/{self._agency}/"
        items = self._store.parked.list(self._agency, limit=EVERYTHING)
        parked = (int(item.workflow_id.removeprefix(begin)) for item in items if item.workflow_id.startswith(begin))
        waiting = self._store.deal_hooks.waiting(EVERYTHING)
        hints = (one.hook.lead_id for one in waiting if one.hook.agency == self._agency)
        return Counter([*parked, *hints])

    def books(self) -> Books:
        store, agency = self._store, self._agency
        balances = store.journal.trial_balance(agency)

        def balance_of(account: str) -> int:
            return sum(row.balance.amount for row in balances if row.account == account)

        return Books(
            agency=agency,
            taken_at=datetime.now(UTC),
            experiences=tuple(self._experiences()),
            bookings=tuple(self._booking(booking) for booking in self._truth.bookings()),
            files=tuple(self._airplus.files()),
            deals=self._deals,
            stray_documents=self._stray_documents,
            trial_balance=sum(row.balance.amount for row in balances),
            unbalanced_entries=tuple(
                posted.entry.key for posted in store.journal.entries(agency) if _sum(posted.entry.postings)
            ),
            processor_balances={row.sub: row.balance.amount for row in balances if row.account == "5729"},
            airplus_balance=balance_of("5728"),
            settled=_settled(store.journal.entries(agency)),
            suspense_balance=balance_of("555"),
            stale_events=tuple(row.event_id for row in self._undispatched(older_than=STALE)),
            missing_events=tuple(e for e in self._truth.event_ids() if store.inbox.get(agency, e) is None),
            unlisted_parkings=tuple(
                item.item_id
                for item in store.parked.list(agency, limit=EVERYTHING)
                if not (item.reason and item.owner and item.deadline)
            ),
            strangers=self._erp.strangers()
            + (() if self._fed else self._midoffice.strangers(besides=self._supplier.names)),
        )

    def _experiences(self) -> Iterator[ExperienceBooks]:
        for experience in self._store.facts.experiences(self._agency):
            expedientes = self._erp.expedientes_of(experience.id)
            yield ExperienceBooks(experience_id=experience.id, expedientes=expedientes)

    def _booking(self, booking: Booking) -> BookingBooks:
        return BookingBooks(
            booking_id=booking.id,
            currency=booking.currency,
            platform=platform_books(self._truth, self._store, self._agency, booking, self._zone),
            reservas=tuple(self._erp.reservas(booking.id)),
            receipts=tuple(self._erp.receipts[booking.id]),
            invoices=tuple(self._erp.invoices[booking.id]),
            orders=self._midoffice.orders(booking.id),
            supplied=self._supplier.sold_to(booking),
            unsupplied=self._supplier.lacks(booking),
            transferable=self._is_transferable(booking),
            airplus=tuple(self._airplus.lines(booking.id)),
            airplus_staged=self._airplus.staged(booking.id),
            accounts=self._accounts(booking.id),
            rendered=self._rendered(booking.id),
            waiting=self._waiting[booking.id],
            syncs=tuple(self._syncs(booking.id)),
        )

    def _syncs(self, booking_id: str) -> Iterator[PaymentSyncBooks]:
        for payment in self._truth.payments(booking_id):
            kept = self._store.payment_sync.get(self._agency, payment.id)
            if kept is not None:
                yield PaymentSyncBooks(payment_id=payment.id, state=kept.sync.state, explanation=kept.sync.explanation)

    def _is_transferable(self, booking: Booking) -> bool:
        """Whether a hotel line that has a supplier's order is still sold, and is not on the not-transferred list."""
        experience = self._store.facts.experience(self._agency, booking.experience_id)
        hotels = {service.id for service in experience.services if service.kind == "hotel"} if experience else set()
        listed = {
            transfer.line_id
            for transfer in self._store.transfers.list(self._agency, booking_id=booking.id, state="not_transferred")
        }
        return any(
            line.service_id in hotels and line.cost.supplier_ref and line.id not in listed
            for line in booking.active_lines
        )

    def _accounts(self, booking_id: str) -> dict[str, int]:
        balances: Counter[str] = Counter()
        for posted in self._store.journal.entries_of(self._agency, booking_id):
            for posting in posted.entry.postings:
                balances[posting.account] += _signed(posting)
        return dict(balances)

    def _rendered(self, booking_id: str) -> int:
        posted = (entry.entry for entry in self._store.journal.entries_of(self._agency, booking_id))
        return _sum(
            posting
            for entry in posted
            if entry.fact in (Fact.RENDERED, Fact.RENDERED_LESS)
            for posting in entry.postings
            if posting.account == "438"
        )


def _settled(entries: Iterable[PostedEntry]) -> dict[str, int]:
    relieved: Counter[str] = Counter()
    for posted in entries:
        for posting in posted.entry.postings if posted.entry.fact == Fact.SETTLEMENT else ():
            if posting.account in ("5729", "5728"):
                relieved[posting.sub if posting.account == "5729" else "5728"] -= _signed(posting)
    return dict(relieved)


def _signed(posting: Posting) -> int:
    return posting.amount.amount if posting.side == "debit" else -posting.amount.amount


def _sum(postings: Iterable[Posting]) -> int:
    return sum(_signed(posting) for posting in postings)
