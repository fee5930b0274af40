"""The cells that check files and invoices and put differences on the list (contracts: giav 4 "nightly check"; money-rules 1.1.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.effects import Effects, beat
from activities.failures import implements
from activities.giav.checking import DIFFERS, REVERSED, FileCheck, Finding
from activities.giav.client import SYSTEM
from activities.giav.office import GiavAccount, Office
from activities.giav.taking_back import undo_open_experience
from activities.signatures import GIAV_CHECK_FILES, GIAV_CHECK_INVOICES, GIAV_UNDO_OPEN_EXPERIENCE
from domain.check_steps import FilesCheck, FilesChecked, InvoicesCheck, InvoicesChecked
from domain.desk import item_id
from domain.errors import NeedsPerson
from domain.invoicing import alarm_at
from domain.platform import Experience
from domain.steps import DecisionTaken, Done, ExperienceStep
from store import Store
from store.parked import StoreParking

PAGE = 20
"""Files that one step checks."""
OVER_AFTER = timedelta(days=180)
"""How long after a trip its file is still checked."""
LATE, LATE_COMPANY = "invoice_late", "invoice_late_company"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """One file: `findings` is None when something of it is still on its way."""

    experience_id: str
    findings: list[Finding] | None

    def plain(self) -> dict[str, Any]:
        verdict = "waits" if self.findings is None else "differs" if self.findings else "agrees"
        return {
            "experience": self.experience_id,
            "verdict": verdict,
            "findings": [
                {"reason": each.reason, "booking": each.booking_id, "payment": each.payment_id, "words": each.words}
                for each in self.findings or ()
            ],
        }


class GiavChecks:
    """Reads GIAV, writes only to our own list."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, GiavAccount],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        elsewhere: Collection[str] = (),
    ) -> None:
        self._store, self._accounts, self._now, self._elsewhere = store, accounts, now, elsewhere

    @implements(GIAV_CHECK_FILES)
    def check_files(self, step: FilesCheck) -> FilesChecked:
        if step.agency not in self._accounts:
            return FilesChecked()
        office = self._office(step.agency)
        due = sorted(self._due(office, step), key=lambda each: each.id)
        page = due[:PAGE]
        left_out = differing = 0
        for experience in page:
            beat(f"check {experience.id}")
            found = self.check_file(office, experience)
            left_out += found is None
            differing += bool(found)
        after = page[-1].id if len(due) > PAGE else None
        return FilesChecked(after=after, compared=len(page) - left_out, left_out=left_out, differing=differing)

    @implements(GIAV_CHECK_INVOICES)
    def check_invoices(self, step: InvoicesCheck) -> InvoicesChecked:
        """Put captured payments whose invoice is overdue on the list, and take those off that have it by now."""
        late = 0
        if step.agency in self._elsewhere:
            return InvoicesChecked()
        for booking in self._store.facts.bookings(step.agency):
            company = booking.payer.kind == "company"
            for payment in self._store.facts.payments_of(step.agency, booking.id):
                reason = LATE_COMPANY if company else LATE
                item = item_id(reason, step.agency, payment.id)
                has_invoice = self._store.documents.get(step.agency, SYSTEM, f"inv:{payment.id}") is not None
                due = payment.captured_at is not None and alarm_at(payment.captured_at, company=company) <= self._now()
                if has_invoice or not due:
                    self._close(item)
                    continue
                late += 1
                self._store.parked.open_from_store(
                    StoreParking(
                        item_id=item,
                        agency=step.agency,
                        reason=reason,
                        detail=f"{payment.id} of {payment.amount} was captured on {payment.captured_at:%Y-%m-%d} and has no invoice",
                        verb="giav.check_invoices",
                        decisions=("skip",),
                        booking_id=booking.id,
                        experience_id=booking.experience_id,
                        payment_id=payment.id,
                        amount=payment.amount,
                    )
                )
        return InvoicesChecked(late=late)

    @implements(GIAV_UNDO_OPEN_EXPERIENCE)
    def undo_open_experience(self, step: ExperienceStep) -> Done:
        return undo_open_experience(self._office(step.agency), step)

    def has(self, agency: str) -> bool:
        """Whether the agency has a GIAV to compare with."""
        return agency in self._accounts

    def verdicts(self, agency: str, experience_id: str | None = None) -> Iterator[FileVerdict]:
        """Every file of an agency, or that of one experience. Raises `NeedsPerson` for an agency without GIAV."""
        office = self._office(agency)
        step = FilesCheck(agency=agency, experience_id=experience_id)
        for experience in sorted(self._due(office, step), key=lambda each: each.id):
            yield FileVerdict(experience.id, self.check_file(office, experience))

    def check_file(self, office: Office, experience: Experience) -> list[Finding] | None:
        """The differences of one file, put on the list; None when something is still on its way."""
        check = FileCheck(office, experience)
        if check.is_on_its_way():
            return None
        found = check.findings()
        items = {self._open(office.agency, experience, each) for each in found}
        for reason in (DIFFERS, REVERSED):
            for item in self._store.parked.list(office.agency, reason=reason):
                if item.experience_id == experience.id and item.item_id not in items:
                    self._close(item.item_id)
        return found

    def _due(self, office: Office, step: FilesCheck) -> Iterable[Experience]:
        if step.experience_id is not None:
            one = self._store.facts.experience(step.agency, step.experience_id)
            return [] if one is None else [one]
        since = office.today() - OVER_AFTER
        every = self._store.facts.experiences(step.agency)
        return [each for each in every if each.id > step.after and each.ends_on >= since]

    def _open(self, agency: str, experience: Experience, finding: Finding) -> str:
        item = item_id(finding.reason, agency, experience.id, finding.subject, finding.words)
        self._store.parked.open_from_store(
            StoreParking(
                item_id=item,
                agency=agency,
                reason=finding.reason,
                detail=finding.words,
                verb="giav.check_files",
                decisions=("skip",),
                booking_id=finding.booking_id,
                experience_id=experience.id,
                payment_id=finding.payment_id,
                effect=finding.effect,
                amount=finding.amount,
            )
        )
        return item

    def _close(self, item_id: str) -> None:
        item = self._store.parked.get(item_id)
        if item is not None and item.state == "open":
            gone = DecisionTaken(item_id=item_id, decision="skip", by="system", explanation="no longer so")
            self._store.parked.close(item_id, gone)

    def _office(self, agency: str) -> Office:
        account = self._accounts.get(agency)
        if account is None:
            raise NeedsPerson(f"agency {agency} has no GIAV configured", system=SYSTEM)
        return Office(agency, account, self._store, Effects(self._store.effects), self._now)
