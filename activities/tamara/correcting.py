"""What a person may set in a line, by the field's name in the file, and where it goes in the transaction (contracts: tamara 3.12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from activities.tamara.grammar import FieldSpec, Layout
from activities.tamara.model import Transaction, attribute
from activities.tamara.reading import reader_of
from domain.errors import Refused

OPEN_ROOTS = ("dbi", "flight", "rail", "fee", "car", "hotel", "ground", "event", "other")
OPEN_PATHS = frozenset({
    "txn.passenger", "txn.customer.name", "txn.customer.place", "txn.dossier", "txn.pnr", "txn.auth.code", "txn.auth.date",
})  # fmt: skip
"""Money, documents, direction and references follow from the booking's own documents and are never set by hand."""


def settable(layout: Layout) -> dict[str, FieldSpec]:
    """`400.PR` and the like: the fields that may be set, by record and name as refusals and answers give them."""
    return {
        f"{spec.code}.{each.name}": each
        for spec in layout.records
        for each in spec.fields
        if each.source is not None and each.sens != "secret" and _open(each.source)
    }


def _open(source: str) -> bool:
    return source in OPEN_PATHS or (source.split(".")[0] in OPEN_ROOTS and "[]" not in source)


def parsed(layout: Layout, changes: Mapping[str, str]) -> dict[str, Any]:
    """Canonical paths with their values, as JSON keeps them. Raises `Refused` with what may be set, or what is wrong."""
    fields = settable(layout)
    return dict(_parsed(layout, fields, changes))


def _parsed(layout: Layout, fields: Mapping[str, FieldSpec], changes: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, text in changes.items():
        each = fields.get(name)
        if each is None or each.source is None:
            if name.endswith(("CARD_NO", "CARD_EXP")):
                raise _refused("a card is never typed here: lodge it with 'bookings card add', then --card TOKEN")
            near = ", ".join(sorted(known for known in fields if known.split(".")[0] == name.split(".")[0]))
            raise _refused(f"{name} cannot be set; in this record may be set: {near or 'nothing'}")
        if text == "":
            yield each.source, None
            continue
        try:
            value = reader_of(layout, each)(text.ljust(each.len) if each.type in ("A", "AN", "C") else text)
        except (ValueError, IndexError) as error:
            raise _refused(f"{name}: {error}") from None
        if each.len and len(text) > each.len and each.overflow == "reject":
            raise _refused(f"{name}: has {len(text)} characters, room for {each.len}")
        yield each.source, value.isoformat() if hasattr(value, "isoformat") else value


def corrected(transaction: Transaction, values: Mapping[str, Any]) -> Transaction:
    """The transaction with what a person set. Raises `Refused` if it does not fit together."""
    if not values:
        return transaction
    tree = transaction.model_dump(exclude={"txn": {"card"}})
    for path, value in values.items():
        steps = [attribute(step) for step in path.split(".")]
        here = tree
        for step in steps[:-1]:
            if here.get(step) is None:
                here[step] = {}
            here = here[step]
        here[steps[-1]] = value
    try:
        return Transaction.model_validate(tree)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise _refused(f"{where}: {fault['msg']}") from None


def _refused(words: str) -> Refused:
    return Refused(words, system="tamara", operation="fix")
