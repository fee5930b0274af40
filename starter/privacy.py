"""What a person may ask of an agency: what is known of me, and forget me (docs/privacy.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.privacy import Scrubber, kept_until
from store import Store
from store.audit_trail import Deed
from store.installation import AgencySettings
from store.people_sought import Found, Wanted
from store.person_rows import as_tree
from store.privacy import Scope

LOOK_AGAIN = timedelta(days=30)
"""When a booking that is not finished is looked at again."""

WHOM_TO_ASK = {
    "platform": "the planner, on the booking platform: it keeps the customer and would tell of them again",
    "giav": "the agency, in GIAV: client and passengers; invoices have to keep their recipient for the legal time",
    "midoco": "the agency, in its mid-office",
    "tina": "the agency, in its mid-office",
    "sapeig": "the agency, in its mid-office",
    "xmid": "the agency, in its mid-office",
    "ziel": "the agency, in its mid-office",
    "tamara": "AirPlus (or the company whose account it is): lines of delivered files name the traveller",
    "ratehawk": "RateHawk, through the agency's account manager: names of the guests of an order",
    "easycount": "the agency, in EasyCount: documents have to keep their recipient for the legal time",
    "kommo": "the agency, in Kommo: delete the contact there first, or a change of the deal tells of them again",
    "mail": "the agency's mail provider: letters that were sent",
}
"""Who must be asked where an outside system holds something of the person, which no command of ours can take away."""
ALWAYS = (
    "Temporal: histories hold keys and money, no person; they end with the namespace's retention",
    "backups of the store, until they expire; erase again after restoring one ('bookings privacy due' does)",
    "AirPlus files kept here are sealed, and destroyed by their own retention ('bookings tamara files')",
)


@dataclass(frozen=True, slots=True)
class Part:
    """What may be done about one booking or deal, and why not more; on `due_on` the rest may go."""

    thing: str
    roles: tuple[str, ...]
    scope: Scope
    due_on: date | None
    because: str

    def told(self) -> dict[str, Any]:
        due = self.due_on.isoformat() if self.due_on else None
        return {"thing": self.thing, "roles": self.roles, "erase": self.scope, "rest_on": due, "because": self.because}


def parts_of(store: Store, settings: AgencySettings, found: Found, today: date) -> list[Part]:
    """How far each booking and deal may be erased today."""
    return [
        _part(store, settings, found.agency, one.thing, tuple(sorted(one.roles)), today)
        for one in sorted(found.appearances, key=lambda one: one.thing)
    ]


def _part(store: Store, settings: AgencySettings, agency: str, thing: str, roles: tuple[str, ...], today: date) -> Part:
    if thing.startswith("deal/"):
        request = store.payment_requests.get(agency, int(thing[5:]))
        issued = [document.issued_at.date() for document in request.documents] if request else []
        last = max(issued, default=None)
    else:
        needed = store.privacy.unfinished(agency, thing, today)
        if needed is not None:
            return Part(thing, roles, "nothing", today + LOOK_AGAIN, f"the contract is not fulfilled: {needed}")
        last = store.privacy.last_entry(agency, thing) if "payer" in roles else None
    if last is not None and today <= (until := kept_until(last, settings.privacy.keep_years)):
        return Part(thing, roles, "contact", until + timedelta(days=1), f"an invoice keeps its recipient until {until}")
    return Part(thing, roles, "all", None, "nothing has to be kept")


def erase(
    store: Store, settings: AgencySettings, found: Found, wanted: Wanted, by: str, why: str, today: date
) -> dict[str, Any]:
    """Erase as far as may be, and write it down; the report of it."""
    parts = parts_of(store, settings, found, today)
    report = {"asked_for": str(wanted), "parts": [part.told() for part in parts], "outside": outside(store, found)}
    scopes = {part.thing: (part.scope, part.due_on) for part in parts}
    rows = store.privacy.erase(found, scopes, str(wanted), by, why, report)
    store.audit_trail.write(Deed(by, "privacy erase", str(wanted), why=why, agency=found.agency, way="command"))
    return {**report, "rows": rows}


def due(store: Store, agency: str, settings: AgencySettings, by: str, today: date) -> Iterator[dict[str, Any]]:
    """Erase what had to be kept and need not be kept any more."""
    for one in store.erasures.due(today, agency):
        if one.thing.startswith("deal/"):
            continue
        wanted = Wanted(agency, booking=one.thing, party=one.party)
        found = store.privacy.find(wanted)
        if found.appearances:
            yield erase(store, settings, found, wanted, by, "the time for which it had to be kept is over", today)


def export(store: Store, found: Found, wanted: Wanted) -> dict[str, Any]:
    """Everything that we hold of the person, other people of the same bookings taken out."""
    others = Scrubber(found.others)
    rows: dict[str, list[dict[str, Any]]] = {}
    for hit in store.privacy.hits(found):
        content = {name: _plain(value) for name, value in hit.content.items() if value not in (None, "")}
        rows.setdefault(hit.table, []).append(others.tree(content, by_name=True))
    return {
        "agency": found.agency,
        "asked_for": str(wanted),
        "appears_as": [{"thing": one.thing, "roles": sorted(one.roles)} for one in found.appearances],
        "held_here": rows,
        "outside": outside(store, found),
    }


def outside(store: Store, found: Found) -> list[dict[str, Any]]:
    """What other systems hold of these bookings and deals, by the ids that we know, and whom to ask there."""
    held: dict[str, set[str]] = {
        "platform": {p for one in found.appearances for p in one.parties if p.startswith("cus_")}
    }
    for booking_id in found.bookings:
        for row in store.effects.history(found.agency, booking_id):
            if row.record.outside_id and row.record.key.entity != "deal":
                held.setdefault(row.record.key.system, set()).add(f"{row.record.key.entity} {row.record.outside_id}")
        for line in store.tamara.lines_of(found.agency, booking_id):
            if line.state not in ("STAGED", "SEALED"):
                held.setdefault("tamara", set()).add(line.txn_ref)
    for deal in found.deals:
        held.setdefault("kommo", set()).add(f"deal {deal}")
        request = store.payment_requests.get(found.agency, deal)
        if request is not None and request.documents:
            held.setdefault("easycount", set()).update(f"document {one.number}" for one in request.documents)
    told = [
        {"system": system, "holds": sorted(ids), "ask": WHOM_TO_ASK.get(system, "the agency")}
        for system, ids in sorted(held.items())
        if ids and system != "journal"
    ]
    return [*told, *({"system": "here", "holds": [], "ask": words} for words in ALWAYS)]


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        tree = as_tree(text)
        return text if tree is None else tree
    return value if isinstance(value, (int, float, bool, list, dict)) else str(value)
