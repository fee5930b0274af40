"""How an invariant is written down: a function over the books under the id of its rule (contracts: money-rules 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.books import BookingBooks, Books, Invoice


class When(StrEnum):
    """When an invariant must hold."""

    ALWAYS = "always"
    AT_REST = "at rest"


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where an invariant does not hold; `where` is a booking, a series, a file or an account."""

    where: str
    found: str


Check = Callable[[Books], Iterator[Violation]]
BookingCheck = Callable[[BookingBooks], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule by its id in the contract, in words, and as a function over the books. One id may have several parts."""

    id: str
    words: str
    when: When
    check: Check


class Rules(list[Invariant]):
    """The invariants of one module, each declared by a decorator."""

    def of_the_books(self, id: str, words: str, when: When = When.ALWAYS) -> Callable[[Check], Check]:
        """An invariant of the whole snapshot."""

        def declare(check: Check) -> Check:
            self.append(Invariant(id, words, when, check))
            return check

        return declare

    def of_each_booking(self, id: str, words: str, when: When = When.AT_REST) -> Callable[[BookingCheck], BookingCheck]:
        """An invariant of every single booking; at rest only those of which nothing waits are looked at."""

        def declare(check: BookingCheck) -> BookingCheck:
            def over_all(books: Books) -> Iterator[Violation]:
                for booking in books.bookings:
                    if when is When.ALWAYS or booking.waiting == 0:
                        yield from (Violation(booking.booking_id, found) for found in check(booking))

            self.append(Invariant(id, words, when, over_all))
            return check

        return declare


def differs(name: str, found: int, wanted: int) -> Iterator[str]:
    """Says so when two amounts are not the same."""
    if found != wanted:
        yield f"{name} is {found}, should be {wanted}"


def first_invoices(booking: BookingBooks) -> list[Invoice]:
    """The originals of payments, without what was issued again after a credit note."""
    return [i for i in booking.invoices if i.kind == "original" and i.refers_to is None]


def at_rest(books: Books) -> bool:
    """Nothing waits anywhere."""
    return not any(booking.waiting for booking in books.bookings)
