"""The document of a penalty, and what becomes of it when the penalty is told again and is another (contracts: money-rules 1.4, F-X6)."""

from __future__ import annotations

from activities.giav.corrections import Correction, reduced
from activities.giav.documents import Desk
from activities.giav.mapping.money import Sale, penalty_words
from activities.giav.mapping.values import local_day
from activities.giav.office import CREATE, Container, Office
from domain.money import Money, total
from domain.platform import Booking, Cancellation
from store.documents import Document

SEPARATE = ("indemnity_not_subject", "taxable_fee")
"""Treatments under which a penalty is a document of its own."""
DIFFERS = "credit_differs"


class Penalty:
    """The penalty of one cancellation, as one revision tells it. `amount` is zero if it is no document of its own."""

    def __init__(self, office: Office, desk: Desk, booking: Booking, cancellation: Cancellation, revision: int) -> None:
        self._office, self._desk, self._booking, self._cancellation = office, desk, booking, cancellation
        told = cancellation.penalty.amount
        separate = cancellation.penalty.treatment in SEPARATE and office.settings.penalty == "rectify_everything"
        self.amount = told if separate else Money.zero(told.currency)
        self._again = f"{cancellation.id}@{revision}"
        self._documents = self._of_the_cancellation()
        self._stood = self._standing_before()
        self._documented = total((each.amount for each in self._stood), told.currency)

    @property
    def undocumented(self) -> Money:
        """What of it has no document yet; negative if too much has one."""
        return self.amount - total((each.amount for each in self._documents), self.amount.currency)

    def declined(self) -> bool:
        """Whether a person declined to document another penalty. Raises `NeedsPerson` while one is asked."""
        differs = self.amount - self._documented
        if not self._stood or not differs:
            return False
        words = (
            f"the penalty of {self._cancellation.id} is {self.amount} by now and {self._documented} was documented; "
        )
        words += "issue a document for the difference?" if differs.amount > 0 else "credit what is too much?"
        about = self._office.key("penalty", self._again, CREATE)
        return self._office.ask(about, DIFFERS, words, ("approve", "decline")) == "decline"

    @property
    def is_less(self) -> bool:
        """Whether less is owed than was documented before."""
        return self.amount < self._documented

    def credit(self) -> list[Document]:
        """Take back the newest documents of what is too much, whole, because GIAV credits nothing else."""
        return self._desk.credit(self._again, self._excess())

    def issue(self, standing: Container, plan: list[Correction]) -> Document | None:
        """Document what is not yet, once; `plan` says whose money the cancellation freed for it."""
        if not self._stood or [(each.key, each.amount) for each in self._stood] == [(self._first, self.amount)]:
            # Also when it stands already: a crash may have come before its money was linked.
            return self._issue(self._cancellation.id, self.amount, standing, plan)
        kept = self._documented - total((each.document.amount for each in self._excess()), self.amount.currency)
        return self._issue(self._again, self.amount - kept, standing, plan)

    # What stands -------------------------------------------------------------------------------------------------

    @property
    def _first(self) -> str:
        return f"pen:{self._cancellation.id}"

    def _of_the_cancellation(self) -> list[Document]:
        """Its penalty documents and what credits them, in the order of their issue."""
        found: dict[str, Document] = {}
        for each in self._desk.documents():
            if each.kind == "penalty" and (
                each.key == self._first or each.key.startswith(f"{self._first}@") or each.refers_to in found
            ):
                found[each.key] = each
        return list(found.values())

    def _standing_before(self) -> list[Document]:
        """What stood before this revision changed it, so that a second run decides the same."""
        own = f"rect:{self._again}:"
        credited = {each.refers_to for each in self._documents if not each.key.startswith(own)}
        return [
            each
            for each in self._documents
            if each.amount.amount > 0 and each.key not in credited and each.key != f"pen:{self._again}"
        ]

    def _excess(self) -> list[Correction]:
        return reduced(reversed(self._stood), self._documented - self.amount)

    # Issuing -----------------------------------------------------------------------------------------------------

    def _issue(self, business_id: str, amount: Money, standing: Container, plan: list[Correction]) -> Document | None:
        if amount.amount <= 0:
            return None
        office, desk, booking = self._office, self._desk, self._booking
        taxable = self._cancellation.penalty.treatment == "taxable_fee"
        series = office.settings.series["general"] if taxable else office.settings.penalty_series
        key = office.key("penalty", business_id, CREATE)
        day = local_day(self._cancellation.effective_at)
        words = penalty_words(desk.experience, booking, self._cancellation.id, day, key.reference)
        refers_to = f"rect:{self._cancellation.id}:{plan[0].document.payment_id}" if plan else None
        draft = desk.draft("penalty", f"pen:{business_id}", amount, day, series, None, refers_to)
        document = desk.invoice(key, Sale(standing.id, amount, words), standing.client, series, draft)
        left = amount
        for correction in plan:
            cobro = desk.cobro_of(correction.document.payment_id or "")
            part = min(left, correction.freed)
            if cobro is not None and part.amount > 0:
                desk.link(f"{business_id}/{correction.document.payment_id}/penalty", document, cobro, part)
                left = left - part
        return document
