"""Who it is: the bookings and roles in which a person stands, from what was ever told of them (docs/privacy.md)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from domain.privacy import Identity, identity_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom somebody asks for: an e-mail address, or a customer's id, or one traveller of one booking."""

    agency: str
    email: str | None = field(default=None, repr=False)
    customer: str | None = None
    booking: str | None = None
    party: str | None = None

    def __str__(self) -> str:
        if self.customer:
            return f"customer {self.customer}"
        return f"{self.booking} {self.party}" if self.booking else "an e-mail address"


@dataclass(frozen=True, slots=True)
class Appearance:
    """A booking (or `deal/…`) with the ids under which the person stands in it."""

    thing: str
    parties: frozenset[str]
    roles: frozenset[str]


@dataclass(frozen=True)
class Found:
    """A person as we know them; the identity is for comparing, never for showing."""

    agency: str
    appearances: tuple[Appearance, ...]
    identity: Identity = field(repr=False)
    others: Identity = field(repr=False)
    """Who else stands in the same bookings."""

    @property
    def bookings(self) -> tuple[str, ...]:
        return tuple(one.thing for one in self.appearances if not one.thing.startswith("deal/"))

    @property
    def deals(self) -> tuple[int, ...]:
        return tuple(int(one.thing[5:]) for one in self.appearances if one.thing.startswith("deal/"))


def _people(snapshot: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for role in ("payer", "booker"):
        if isinstance(snapshot.get(role), dict):
            yield role, snapshot[role]
    for traveller in snapshot.get("travellers") or ():
        if isinstance(traveller, dict):
            yield "traveller", traveller


def everybody(snapshot: dict[str, Any]) -> set[str]:
    return {str(person.get("id")) for _, person in _people(snapshot)}


def as_mail(value: Any) -> str:
    return value.strip().casefold() if isinstance(value, str) else ""


def mails(wanted: Wanted, identity: Identity) -> set[str]:
    return {as_mail(wanted.email), *(as_mail(value) for value in identity.strong if "@" in value)} - {""}


def customer_ids(wanted: Wanted, snapshots: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Customers' ids that are this person."""
    if wanted.customer:
        return {wanted.customer}
    if wanted.party and wanted.party.startswith("cus_"):
        return {wanted.party}
    if not wanted.email:
        return set()
    return {
        str(person.get("id"))
        for told in snapshots.values()
        for snapshot in told
        for _, person in _people(snapshot)
        if as_mail(person.get("email")) == as_mail(wanted.email)
    }


def in_booking(wanted: Wanted, told: Collection[dict[str, Any]], ids: set[str]) -> tuple[set[str], set[str]]:
    """Under which ids and in which roles the person stands in one booking."""
    parties: set[str] = set()
    roles: set[str] = set()
    for snapshot in told:
        if wanted.booking and snapshot.get("id") != wanted.booking:
            continue
        mine = [(role, person) for role, person in _people(snapshot) if _is_wanted(wanted, person, ids)]
        pairs = {pair for _, person in mine for pair in identity_of(person).pairs}
        for role, person in _people(snapshot):
            travels_too = role == "traveller" and person.get("is_payer") and any(r == "payer" for r, _ in mine)
            same_name = role == "traveller" and not pairs.isdisjoint(identity_of(person).pairs)
            if (role, person) in mine or travels_too or same_name:
                parties.add(str(person.get("id")))
                roles.add(role)
    return parties, roles


def _is_wanted(wanted: Wanted, person: dict[str, Any], ids: set[str]) -> bool:
    return person.get("id") == wanted.party if wanted.party else person.get("id") in ids


def merged(appearances: Collection[Appearance]) -> list[Appearance]:
    found: dict[str, Appearance] = {}
    for one in appearances:
        before = found.get(one.thing)
        merged = (
            one if before is None else Appearance(one.thing, before.parties | one.parties, before.roles | one.roles)
        )
        found[one.thing] = merged
    return list(found.values())
