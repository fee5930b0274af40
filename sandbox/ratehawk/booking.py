"""From a rate to a confirmed order: search, prebook, form, finish, status (contracts: midoffice 2.6, 2.12).

What goes wrong is written at the end of the `partner_order_id`, as in ETG's own sandbox.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.ratehawk.answers import RateHawkError
from sandbox.ratehawk.orders import Orders, money
from sandbox.ratehawk.questions import Wish, locator, members, wrong
from sandbox.shelf import Record, Shelf

FORMS, RATES = "form", "rate"
FORM_LIFE = timedelta(minutes=60)
UNKNOWN_READINGS = 2
"""How often the status of an `unknown_…` booking is unknown before it is known."""
AT_FINISH = ("booking_form_expired", "email", "insufficient_b2b_balance")
AT_STATUS = ("soldout", "book_limit", "provider")
OURS_AT_STATUS = {"x_block": "block", "x_charge": "charge", "x_not_allowed": "not_allowed"}
PRICES = {8819557: Decimal("1.10"), 9744270: Decimal("1.20")}
"""Hotels whose price rises at prebook."""
NIGHT = Decimal("104.00")
HASH = re.compile(r"[hp]-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class Booking:
    """The booking processes of one contract; a finished one becomes an order."""

    def __init__(
        self, shelf: Shelf, orders: Orders, now: Callable[[], datetime], *, needs_supplier_data: bool = False
    ) -> None:
        self._shelf = shelf
        self._orders = orders
        self._now = now
        self._needs_supplier_data = needs_supplier_data

    def search(self, wish: Wish) -> dict[str, Any]:
        """`search/hp/`: one rate of the hotel that was asked for."""
        members(
            wish, "", {"checkin", "checkout", "guests"}, {"id", "hid", "residency", "currency", "language", "timeout"}
        )
        nights = (date.fromisoformat(wish["checkout"]) - date.fromisoformat(wish["checkin"])).days
        if not 1 <= nights <= 30:
            raise wrong("checkout: 1 to 30 nights")
        hid = int(wish.get("hid", 10004834))
        if hid == 8142632:
            return {"hotels": []}
        rate = {
            "hash": f"h-{uuid.uuid4()}",
            "hid": hid,
            "hotel": str(wish.get("id", f"hotel_{hid}")),
            "checkin": wish["checkin"],
            "checkout": wish["checkout"],
            "rooms": len(wish["guests"]),
            "currency": str(wish.get("currency", "EUR")),
            "amount": str(NIGHT * nights * len(wish["guests"]) * (2 if hid == 6471709 else 1)),
        }
        self._shelf.put(RATES, rate["hash"], rate)
        return {"hotels": [{"id": rate["hotel"], "hid": hid, "rates": [_shown(rate)]}]}

    def prebook(self, wish: Wish) -> dict[str, Any]:
        members(wish, "", {"hash"}, {"price_increase_percent", "language"})
        rate = self._rate(wish["hash"])
        risen = dict(rate, hash=f"p-{uuid.uuid4()}", amount=str(Decimal(rate["amount"]) * PRICES.get(rate["hid"], 1)))
        if Decimal(risen["amount"]) > Decimal(rate["amount"]) * (
            1 + Decimal(wish.get("price_increase_percent", 0)) / 100
        ):
            raise RateHawkError("no_available_rates")
        self._shelf.put(RATES, risen["hash"], risen)
        return {"hotels": [{"id": risen["hotel"], "hid": risen["hid"], "rates": [_shown(risen)]}]}

    def form(self, wish: Wish) -> dict[str, Any]:
        partner = locator(wish, "book_hash", "language", "user_ip")
        rate = self._rate(wish.get("book_hash"))
        if self._shelf.get(FORMS, partner) is not None:
            raise RateHawkError("double_booking_form")
        form = {"rate": rate["hash"], "opened": self._now().isoformat(), "state": "form", "readings": 0}
        self._shelf.put(FORMS, partner, form)
        kind = {"type": "deposit", **_price(rate), "is_need_credit_card_data": False, "is_need_cvc": False}
        item = self._shelf.next_number("item", 7_000_001)
        return {
            "order_id": item,
            "partner_order_id": partner,
            "item_id": item,
            "payment_types": [{**kind, "recommended_price": None}],
            "is_gender_specification_required": False,
            "upsell_data": [],
        }

    def finish(self, wish: Wish) -> None:
        """Start the booking. The order is made here; the status only tells of it."""
        members(wish, "", {"user", "partner", "language", "rooms", "payment_type"},
                {"supplier_data", "return_path", "upsell_data", "arrival_datetime", "book_timeout"})  # fmt: skip
        partner = str(wish["partner"].get("partner_order_id", ""))
        form = self._shelf.get(FORMS, partner)
        if form is None:
            raise RateHawkError("order_not_found")
        if form["state"] != "form":
            raise RateHawkError("double_booking_finish")
        if self._now() > datetime.fromisoformat(form["opened"]) + FORM_LIFE:
            raise RateHawkError("booking_form_expired")
        for code in AT_FINISH:
            if partner.endswith(code):
                self._settle(partner, form, "failed", "booking_finish_did_not_succeed")
                raise RateHawkError(code)
        if len(wish["rooms"]) > 9:
            raise RateHawkError("unauthorized_group_booking")
        rate = self._rate(form["rate"])
        if len(wish["rooms"]) != rate["rooms"]:
            raise RateHawkError("incorrect_rooms_number")
        if self._needs_supplier_data and "supplier_data" not in wish:
            raise RateHawkError("supplier_data_required")
        if wish["payment_type"].get("type") != "deposit":
            raise RateHawkError("incorrect_chosen_payment_type")
        failure = _failure_of(partner)
        if failure is None:
            self._orders.place(
                {
                    "partner_order_id": partner,
                    "hotel_id": rate["hotel"],
                    "checkin": rate["checkin"],
                    "checkout": rate["checkout"],
                    "amount": rate["amount"],
                    "currency": rate["currency"],
                    "rooms": [room["guests"] for room in wish["rooms"]],
                    "sell": wish["partner"].get("amount_sell_b2b2c"),
                }
            )
        self._settle(partner, form, "done" if failure is None else "failed", failure or "")
        if re.search(r"unknown_(success|provider|soldout|book_limit)\Z", partner):
            raise RateHawkError("unknown", http=500)

    def status(self, wish: Wish) -> tuple[str, dict[str, Any]]:
        """The word of the envelope, and the data. Raises the final error of a failed booking."""
        partner = locator(wish)
        form = self._shelf.get(FORMS, partner)
        if form is None:
            if self._orders.find(partner) is None:
                raise RateHawkError("order_not_found")
            return "ok", _progress(partner)
        if form["state"] == "form":
            raise RateHawkError("booking_finish_did_not_succeed")
        form["readings"] += 1
        self._shelf.put(FORMS, partner, form)
        if "unknown_" in partner and form["readings"] <= UNKNOWN_READINGS:
            raise RateHawkError("unknown", http=500)
        if form["state"] == "failed":
            raise RateHawkError(form["failure"])
        return "ok", _progress(partner)

    def _settle(self, partner: str, form: Record, state: str, failure: str) -> None:
        self._shelf.put(FORMS, partner, form | {"state": state, "failure": failure})

    def _rate(self, given: Any) -> Record:
        if given == "h-00000000-0000-0000-0000-000000000000":
            raise RateHawkError("contract_mismatch")
        if isinstance(given, str) and given.startswith("h-e0000001-"):
            raise RateHawkError("hotel_not_found")
        if not isinstance(given, str) or not HASH.match(given):
            raise wrong("hash: not the hash of a rate")
        found = self._shelf.get(RATES, given)
        if found is None:
            raise RateHawkError("rate_not_found")
        return found


def _failure_of(partner: str) -> str | None:
    for suffix, code in OURS_AT_STATUS.items():
        if partner.endswith(suffix):
            return code
    return next((code for code in AT_STATUS if partner.endswith(code)), None)


def _price(rate: Record) -> Record:
    made = money(rate["amount"], rate["currency"])
    return {"amount": made["amount"], "currency_code": made["currency_code"]}


def _shown(rate: Mapping[str, Any]) -> Record:
    kind = {"type": "deposit", **_price(dict(rate)), "by": None, "cancellation_penalties": {"policies": []}}
    return {"book_hash": rate["hash"], "match_hash": f"m-{rate['hash'][2:]}", "room_name": "Double Room",
            "meal": "breakfast", "payment_options": {"payment_types": [kind]}}  # fmt: skip


def _progress(partner: str) -> Record:
    return {"partner_order_id": partner, "percent": 100, "data_3ds": None, "prepayment": None}
