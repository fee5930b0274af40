"""Deals as the CRM shows them, beside EasyCount's own documents and pages (contracts: money-rules 3, K1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from domain.books import DealBooks, DealDocument, DealPage
from domain.deals import document_key

MOST_REVISIONS = 50
TRIED = "te:"
"""How the key of a document begins that an activation issued in the demonstration environment."""
Raw = Mapping[str, Any]


def deals_of(
    agency: str,
    kommo: Raw,
    easycount: Raw,
    waiting: Mapping[int, int],
    currency_units: int = 100,
    booked: Collection[int] = (),
) -> tuple[tuple[DealBooks, ...], tuple[str, ...]]:
    """Every deal that shows anything of ours, and the numbers of documents that belong to none. Both are the systems' own state.

    `booked` are the deals whose money went to a booking.
    """
    shown = [(lead, _values(lead, kommo["fields"])) for lead in kommo["leads"]]
    asked = [(lead, values) for lead, values in shown if values.get("INV_STATUS")]
    issued = (each for each in easycount["documents"] if not str(each.get("transaction_id")).startswith(TRIED))
    left = {document["doc_uuid"]: document for document in issued}
    found = []
    for lead, values in asked:
        number = int(lead["id"])
        mine = _documents(agency, number, left.values())
        for document in mine:
            left.pop(document["doc_uuid"], None)
        found.append(
            DealBooks(
                deal_id=number,
                status=values["INV_STATUS"],
                asked=_units(values.get("INV_AMOUNT"), currency_units),
                link=values.get("INV_PAYMENT_LINK", ""),
                number=values.get("INV_NUMBER", ""),
                documents=tuple(
                    DealDocument(
                        number=f"{each['type']}/{each['doc_number']}",
                        type=each["type"],
                        total=_units(each["price_total"], currency_units) or 0,
                    )
                    for each in mine
                ),
                pages=_pages(values.get("INV_PAYMENT_LINK", ""), mine, easycount["pages"], currency_units),
                gone=bool(lead.get("is_deleted")),
                booked=number in booked,
                waiting=waiting.get(number, 0),
            )
        )
    return tuple(found), tuple(f"{each['type']}/{each['doc_number']}" for each in left.values())


def _documents(agency: str, deal_id: int, held: Iterable[Raw]) -> list[Raw]:
    """What asks for money, known by its key, and everything that follows from it."""
    keys = {
        document_key(kind, agency, deal_id, "request", revision)
        for kind in ("pf", "in")
        for revision in range(1, MOST_REVISIONS)
    }
    every = list(held)
    mine = [document for document in every if document["transaction_id"] in keys]
    while True:
        names = {document["doc_uuid"] for document in mine}
        more = [each for each in every if each["doc_uuid"] not in names and names & set(each["parents"])]
        if not more:
            return mine
        mine += more


def _pages(link: str, documents: Iterable[Raw], pages: Iterable[Raw], units: int) -> tuple[DealPage, ...]:
    """The page that the deal shows, and those whose payment a document covers."""
    covered = {page for document in documents for page in document["cgp_ids"]}
    return tuple(
        DealPage(
            url=link if link.endswith(page["token"]) else page["token"],
            amount=_units(page["sum"], units) or 0,
            paid=page["paid"] is not None,
        )
        for page in pages
        if (link and link.endswith(page["token"])) or (page["paid"] and page["paid"]["cgp_id"] in covered)
    )


def _values(lead: Raw, fields: Iterable[Raw]) -> dict[str, str]:
    codes = {field["id"]: field for field in fields}
    found: dict[str, str] = {}
    for value in lead.get("custom_fields_values") or ():
        field = codes.get(value["field_id"])
        entry = (value.get("values") or [{}])[0]
        if field is None:
            continue
        enums = {each["id"]: each.get("code") or each["value"] for each in field.get("enums") or ()}
        found[field["code"] or field["name"]] = str(enums.get(entry.get("enum_id"), entry.get("value") or ""))
    return found


def _units(amount: Any, units: int) -> int | None:
    return None if amount in (None, "") else int(Decimal(str(amount)) * units)
