"""Payment pages and stored cards: made, paid by the customer, asked about by nobody but us (contracts: easycount 3)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.easycount.loosely import EasyCountError, amount, text
from sandbox.shelf import Record, Shelf

FORMS = ("clearingFormForWeb", "clearingFormForMerchant", "token")
BRANDS = {"2": "Visa", "99": "Mastercard"}
TOKEN_FIELDS = (
    "cc_token",
    "cc_type_id",
    "cc_type_name",
    "cc_4_digits",
    "cc_payer_name",
    "cc_payer_id",
    "cc_expire_month",
    "cc_expire_year",
)


class Clearing:
    """Pages of one account: each has a secret by which it is asked about, and a token by which the customer opens it."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._clock = clock

    def all(self) -> list[Record]:
        return list(self._shelf.all("page").values())

    def prepare(self, form: str, body: Mapping[str, Any], base: str) -> dict[str, Any]:
        if form not in FORMS:
            raise EasyCountError(301, "טופס לא מוכר", f"there is no form {form}")
        success_url = text(body, "successUrl", needed=True)
        summed = None if form == "token" else amount(body, "sum")
        if summed is not None and summed <= 0:
            raise EasyCountError(302, "סכום לא תקין", "sum must be positive")
        if form == "clearingFormForWeb":
            text(body, "payments", needed=True)
        record: Record = {
            "secret": str(uuid.uuid4()),
            "token": uuid.uuid4().hex,
            "form": form,
            "sum": None if summed is None else f"{summed:.2f}",
            "currency": text(body, "currency") or "ILS",
            "successUrl": success_url,
            "made_at": self._clock().timestamp(),
            "paid": None,
            "attempts": 0,
        }
        self._shelf.put("page", record["secret"], record)
        return {
            "success": True,
            "url": f"{base}/pay/{record['token']}",
            "secretTransactionId": record["secret"],
            "ksys_token": uuid.uuid4().hex,
        }

    def of_token(self, token: str) -> Record | None:
        return next((page for page in self.all() if page["token"] == token), None)

    def paid(self, cgp_id: str) -> Record | None:
        return next((page for page in self.all() if page["paid"] and page["paid"]["cgp_id"] == cgp_id), None)

    def pay(self, page: Record, name: str = "Kupujący Testowy", digits: str = "4580") -> Record:
        """The customer pays; a page that is paid already stays paid as it is."""
        if page["paid"] is None:
            number = self._shelf.next_number("clearing", 7001)
            page["paid"] = {
                "cgp_id": str(number),
                "cgp_payment_total": page["sum"],
                "cgp_num_of_payments": "1",
                "cgp_payment_date": self._clock().strftime("%d/%m/%Y %H:%M:%S"),
                "cgp_customer_name": name,
                "cgp_customer_email": "",
                "cgp_customer_phone": "",
                "cgp_customer_cc_4_digits": digits,
                "cgp_customer_cc_name": BRANDS["2"],
                "cgp_ksys_transacion_id": f"ksys-{number}",
                "cgp_shva_transacion_id": f"{number:08d}",
            }
            self._shelf.put("page", page["secret"], page)
        return page

    def decline(self, page: Record) -> None:
        page["attempts"] += 1
        self._shelf.put("page", page["secret"], page)

    def validate(self, secret: str) -> dict[str, Any]:
        page = self._shelf.get("page", secret)
        if page is None or page["paid"] is None:
            return {"success": False, "errNum": 310, "errMsg": "התשלום לא בוצע"}
        return {"success": True, **page["paid"]}

    def charge(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Charge a stored card: not idempotent, as there."""
        for name in TOKEN_FIELDS:
            text(body, name, needed=True)
        summed = amount(body, "sum")
        if summed is None or summed <= 0:
            raise EasyCountError(302, "סכום לא תקין", "sum must be positive")
        if text(body, "cc_token").startswith("declined"):
            raise EasyCountError(303, "הכרטיס סורב", "the card was declined")
        number = self._shelf.next_number("clearing", 7001)
        self._shelf.put("charge", str(number), {"id": str(number), "sum": f"{summed:.2f}"})
        return {
            "success": "true",
            "cgp_ksys_transacion_id": f"ksys-{number}",
            "cgp_shva_transacion_id": f"{number:08d}",
        }

    def charges(self) -> list[Record]:
        return list(self._shelf.all("charge").values())
