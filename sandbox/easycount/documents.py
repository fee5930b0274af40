"""Documents: checks, one gap-free series per kind, credits that never exceed what they credit (contracts: easycount 2, 6)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.easycount.loosely import EasyCountError, amount, cents, day, text, truth
from sandbox.shelf import Record, Shelf

KINDS = {
    100: "הזמנה",
    200: "תעודת משלוח",
    210: "תעודת החזרה",
    300: "חשבונית עסקה",
    305: "חשבונית מס",
    320: "חשבונית מס קבלה",
    330: "חשבונית זיכוי",
    400: "קבלה",
    405: "קבלה על תרומה",
    500: "הזמנת רכש",
    9999: "הצעת מחיר",
}
PROFORMA, INVOICE, INVOICE_RECEIPT, CREDIT, RECEIPT, DONATION = 300, 305, 320, 330, 400, 405
WITH_PAYMENT = {INVOICE_RECEIPT, RECEIPT, DONATION}
PAYMENT_KINDS = {1, 2, 3, 4, 9, 91}
VAT_KINDS = {"INC", "PRE", "NON"}
CURRENCIES = {"ILS", "EUR", "USD", "GBP"}
VAT = Decimal(18)
ROUNDING = Decimal("1.00")
LONGEST_KEY = 45


class Documents:
    """Issued documents of one account; what is issued is never changed."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._clock = clock

    def all(self) -> list[Record]:
        return list(self._shelf.all("document").values())

    def get(self, doc_uuid: str) -> Record | None:
        return self._shelf.get("document", doc_uuid)

    def by_key(self, key: str) -> Record | None:
        held = self._shelf.get("key", key)
        return self.get(str(held["doc_uuid"])) if held else None

    def create(self, body: Mapping[str, Any], cleared: Callable[[str], Record | None]) -> Record:
        """Issue a document; `cleared` finds a paid clearing page. Raises EasyCountError."""
        kind = self._kind(body)
        key = text(body, "transaction_id")
        if len(key) > LONGEST_KEY:
            raise EasyCountError(104, "מזהה עסקה ארוך מדי", f"transaction_id has more than {LONGEST_KEY} characters")
        customer = text(body, "customer_name", needed=True)
        currency = text(body, "main_currency_iso") or "ILS"
        if currency not in CURRENCIES:
            raise EasyCountError(105, "מטבע לא נתמך", f"currency {currency} is not known")
        parents = self._parents(body)
        items = self._items(body, kind)
        payments = self._payments(body, kind, parents)
        total = self._total(body, kind, items, payments)
        self._within(kind, total, parents)
        for page_id in body.get("cgp_ids") or []:
            if cleared(str(page_id)) is None:
                raise EasyCountError(106, "דף סליקה לא נמצא", f"clearing page {page_id} is not paid")
        record: Record = {
            "doc_uuid": str(uuid.uuid4()),
            "doc_number": str(self._shelf.next_number(f"series {kind}", kind * 1000 + 1)),
            "type": kind,
            "transaction_id": key,
            "date": day(text(body, "date")) if body.get("date") else self._clock().date().isoformat(),
            "lang": text(body, "lang") or "he",
            "customer_name": customer,
            "customer_email": text(body, "customer_email"),
            "description": text(body, "description"),
            "currency": currency,
            "price_total": f"{total:.2f}",
            "vat": self._vat(body),
            "vat_price": f"{self._vat_in(items, self._vat(body)):.2f}",
            "parents": [parent["doc_uuid"] for parent in parents],
            "cgp_ids": [str(page_id) for page_id in body.get("cgp_ids") or []],
            "sent_mails": []
            if truth(body.get("dont_send_email"))
            else [m for m in [text(body, "customer_email")] if m],
            "token": uuid.uuid4().hex,
            "created_at": self._clock().timestamp(),
            "warning": "" if kind != CREDIT or parents else "זיכוי ללא מסמך מקור",
        }
        self._shelf.put("document", record["doc_uuid"], record)
        if key:
            self._shelf.put("key", key, {"doc_uuid": record["doc_uuid"]})
        return record

    @staticmethod
    def _kind(body: Mapping[str, Any]) -> int:
        kind = amount(body, "type")
        if kind is None or kind != int(kind) or int(kind) not in KINDS:
            raise EasyCountError(107, "סוג מסמך לא נתמך", f"document type {body.get('type')} is not known")
        return int(kind)

    def _parents(self, body: Mapping[str, Any]) -> list[Record]:
        found = []
        for name in filter(None, (part.strip() for part in text(body, "parent").split(","))):
            parent = self.get(name)
            if parent is None:
                raise EasyCountError(108, "מסמך מקור לא נמצא", f"parent {name} does not exist")
            found.append(parent)
        if len({parent["type"] for parent in found}) > 1:
            raise EasyCountError(109, "סוגי מסמכי מקור שונים", "parents are of different types")
        return found

    @staticmethod
    def _items(body: Mapping[str, Any], kind: int) -> list[tuple[Decimal, str]]:
        """Line totals with their kind of VAT; on a receipt items are not allowed unless forced."""
        lines = body.get("item") or []
        if not isinstance(lines, list):
            raise EasyCountError(102, "שורות לא תקינות", "item is no list")
        if kind in (RECEIPT, DONATION) and lines and not truth(body.get("forceItemsIntoNonItemsDocument")):
            raise EasyCountError(
                110, "אין שורות בקבלה", "a receipt takes items only with forceItemsIntoNonItemsDocument"
            )
        if kind not in (RECEIPT, DONATION) and not lines:
            raise EasyCountError(101, "חסרות שורות", "item is missing")
        found = []
        for line in lines:
            text(line, "details", needed=True)
            vat_kind = text(line, "vat_type") or ("INC" if truth(line.get("price_inc_vat")) else "PRE")
            if vat_kind not in VAT_KINDS:
                raise EasyCountError(111, 'סוג מע"מ לא תקין', f"vat_type {vat_kind} is not known")
            many, price = amount(line, "amount"), amount(line, "price")
            assert many is not None
            assert price is not None
            found.append((cents(many * price), vat_kind))
        return found

    @staticmethod
    def _payments(body: Mapping[str, Any], kind: int, parents: list[Record]) -> Decimal | None:
        lines = body.get("payment") or []
        if kind not in WITH_PAYMENT:
            return None
        if not lines:
            raise EasyCountError(101, "חסרים תשלומים", "payment is missing")
        paid = Decimal(0)
        for line in lines:
            kind_of_payment = amount(line, "payment_type")
            if kind_of_payment not in PAYMENT_KINDS:
                raise EasyCountError(112, "סוג תשלום לא תקין", f"payment_type {kind_of_payment} is not known")
            if kind_of_payment == 3 and re.search(r"\d{5,}", text(line, "cc_number")):
                raise EasyCountError(113, "מספר כרטיס מלא", "cc_number takes the last four digits only")
            summed = amount(line, "payment_sum", needed=False)
            paid += summed if summed is not None else amount(line, "payment") or Decimal(0)
        if paid < 0 and (kind != RECEIPT or not parents):
            raise EasyCountError(114, "קבלה שלילית ללא מקור", "a negative receipt needs its parent")
        return cents(paid)

    def _total(
        self, body: Mapping[str, Any], kind: int, items: list[tuple[Decimal, str]], payments: Decimal | None
    ) -> Decimal:
        rate = Decimal(str(self._vat(body)))
        lines = sum((cents(net * (100 + rate) / 100) if vat == "PRE" else net for net, vat in items), Decimal(0))
        said = amount(body, "price_total", needed=kind == INVOICE_RECEIPT)
        if payments is None:
            return lines if said is None else self._agrees(lines, said, "the items")
        wanted = payments if said is None else self._agrees(payments, said, "the payments")
        balanced = truth(body.get("auto_balance")) and abs(lines - wanted) <= ROUNDING
        if items and lines != wanted and not balanced:
            raise EasyCountError(220.7, "סכום השורות שונה מסכום התשלומים", f"items {lines}, payments {wanted}")
        return wanted

    @staticmethod
    def _agrees(found: Decimal, said: Decimal, what: str) -> Decimal:
        if found != cents(said):
            raise EasyCountError(220.7, "סכום המסמך שונה מסכום התשלומים", f"price_total {said}, {what} {found}")
        return found

    def _within(self, kind: int, total: Decimal, parents: list[Record]) -> None:
        """A credit or a negative receipt takes back at most what is left of its parents."""
        if not parents or not (kind == CREDIT or (kind == RECEIPT and total < 0)):
            return
        names = {parent["doc_uuid"] for parent in parents}
        whole = sum((Decimal(parent["price_total"]) for parent in parents), Decimal(0))
        before = sum(
            (
                abs(Decimal(other["price_total"]))
                for other in self.all()
                if other["type"] == kind
                and names & set(other["parents"])
                and (kind == CREDIT or Decimal(other["price_total"]) < 0)
            ),
            Decimal(0),
        )
        if before + abs(total) > whole:
            raise EasyCountError(115, "זיכוי גבוה מיתרת המסמך", f"{abs(total)} of {whole - before} left")

    @staticmethod
    def _vat(body: Mapping[str, Any]) -> str:
        rate = amount(body, "vat", needed=False)
        return f"{VAT if rate is None else rate:.2f}"

    @staticmethod
    def _vat_in(items: list[tuple[Decimal, str]], rate: str) -> Decimal:
        percent = Decimal(rate)
        taxed = Decimal(0)
        for price, kind in items:
            if kind == "INC":
                taxed += cents(price * percent / (100 + percent))
            elif kind == "PRE":
                taxed += cents(price * percent / 100)
        return taxed
