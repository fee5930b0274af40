"""What tells who somebody is, and how it is taken out of what we keep (docs/privacy.md).

Two strengths of evidence: an e-mail address, a tax id or a telephone number name one person wherever they stand; a name does
so only in records that belong to the person's own bookings, because others bear it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

ERASED = "[erased]"
SHORTEST = 5
"""Characters below which a value is looked for as a whole only, never inside other texts."""
PARTY_KEPT = ("id", "kind")
TRAVELLER_KEPT = ("id", "kind", "status", "is_payer", "room_ref")
FISCAL = ("name", "first_name", "last_name", "tax_id", "address", "fiscal_complete")
"""What an invoice has to say of its recipient."""
BESIDE = re.compile(
    r"postal|postcode|zip|poblacion|city|ciudad|localidad|street|direccion|birth|nacimiento|phone|telefono|movil|mail|nif|cif"
    r"|dni|pasaporte|passport|tax|employee|cost_?centre",
    re.IGNORECASE,
)
"""Names of members that say more of a person whose name stands beside them."""


@dataclass(frozen=True)
class Identity:
    """Everything by which a person can be found in texts. Never printed."""

    strong: frozenset[str] = field(default=frozenset(), repr=False)
    names: frozenset[str] = field(default=frozenset(), repr=False)
    pairs: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)

    def __or__(self, other: Identity) -> Identity:
        return Identity(self.strong | other.strong, self.names | other.names, self.pairs | other.pairs)

    def __bool__(self) -> bool:
        return bool(self.strong or self.names or self.pairs)


def identity_of(party: Mapping[str, Any]) -> Identity:
    """From a payer, booker, traveller or a deal's customer, as the platform or the CRM wrote them."""

    def text(value: Any) -> str:
        return value.strip() if isinstance(value, str) else ""

    first, last, whole = (text(party.get(name)) for name in ("first_name", "last_name", "name"))
    tax = party.get("tax_id")
    address = party.get("address")
    strong = {text(party.get(name)) for name in ("email", "phone", "tax_number")}
    strong.add(text(tax.get("value")) if isinstance(tax, Mapping) else text(tax))
    lines = (
        [text(address.get(name)) for name in ("line1", "line2")] if isinstance(address, Mapping) else [text(address)]
    )
    names = {whole, *lines}
    pairs = {(first, last)} if first and last else set()
    if first and last:
        names |= {f"{first} {last}", f"{last} {first}", f"{last}, {first}", f"{last}/{first}"}
    words = whole.split()
    pairs |= {(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))}
    return Identity(
        frozenset(value for value in strong if len(value) >= SHORTEST and value != ERASED),
        frozenset(value for value in names if len(value) >= SHORTEST and value != ERASED),
        frozenset((a.casefold(), b.casefold()) for a, b in pairs if ERASED not in (a, b)),
    )


class Scrubber:
    """Takes an identity out of texts and trees. `by_name`: the record belongs to the person, so that names count, too."""

    def __init__(self, identity: Identity) -> None:
        self._pairs = identity.pairs
        self._strong = _any_of(identity.strong)
        self._all = _any_of(identity.strong | identity.names)

    def text(self, value: str, *, by_name: bool) -> str:
        pattern = self._all if by_name else self._strong
        return value if pattern is None else pattern.sub(ERASED, value)

    def tree(self, value: Any, *, by_name: bool) -> Any:
        """The same tree without the person; what is not theirs is the same object."""
        if isinstance(value, str):
            return self.text(value, by_name=by_name)
        if isinstance(value, list):
            scrubbed = [self.tree(each, by_name=by_name) for each in value]
            return value if all(a is b for a, b in zip(value, scrubbed, strict=True)) else scrubbed
        if isinstance(value, dict):
            return self._mapping(value, by_name=by_name)
        return value

    def _mapping(self, value: dict[Any, Any], *, by_name: bool) -> dict[Any, Any]:
        found = {name: self.tree(each, by_name=by_name) for name, each in value.items()}
        if by_name:
            found |= dict.fromkeys(self._paired(value), ERASED)
        direct = [name for name, each in value.items() if isinstance(each, str) and found[name] != each]
        if direct:
            found |= {
                n: ERASED for n, each in value.items() if isinstance(each, str) and each and BESIDE.search(str(n))
            }
        return value if all(found[name] is value[name] for name in value) else found

    def _paired(self, value: Mapping[Any, Any]) -> list[Any]:
        """Members that hold first and last name of the person side by side."""
        texts = {name: each.strip().casefold() for name, each in value.items() if isinstance(each, str)}
        held = set(texts.values())
        both = {part for pair in self._pairs if held >= set(pair) for part in pair}
        return [name for name, each in texts.items() if each in both]


def _any_of(values: Iterable[str]) -> re.Pattern[str] | None:
    """Longest first, whole words, whatever the case."""
    words = sorted(values, key=len, reverse=True)
    if not words:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)


def without_party(party: Mapping[str, Any], *, keep_fiscal: bool) -> dict[str, Any]:
    """A payer or booker of whom only the key is left; with `keep_fiscal` also what an invoice says of its recipient."""
    kept = {name: party[name] for name in (*PARTY_KEPT, *(FISCAL if keep_fiscal else ())) if name in party}
    return kept if keep_fiscal else {**kept, "name": ERASED, "fiscal_complete": False}


def without_traveller(traveller: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: traveller[name] for name in TRAVELLER_KEPT if name in traveller}
    return {**kept, "first_name": ERASED, "last_name": ERASED}


def without_parties(booking: Mapping[str, Any], parties: Mapping[str, bool]) -> dict[str, Any]:
    """A booking's snapshot without the parties named by their ids; True keeps what an invoice says of the payer."""
    found = dict(booking)
    for role in ("payer", "booker"):
        party = found.get(role)
        if isinstance(party, dict) and party.get("id") in parties:
            keep = parties[party["id"]] and role == "payer"
            found[role] = without_party(party, keep_fiscal=keep)
    travellers = found.get("travellers")
    if isinstance(travellers, list):
        found["travellers"] = [
            without_traveller(one) if isinstance(one, dict) and one.get("id") in parties else one for one in travellers
        ]
    return found


def kept_until(last_document: date, years: int) -> date:
    """The end of the last year in which books have to be kept that were closed with the year of their last entry."""
    return date(last_document.year + years, 12, 31)
