"""The orders that RateHawk holds, and what may become of them (contracts: midoffice 2.7, 2.8, 2.12).

completed --> cancelled | noshow | rejected      every change moves `modified_at`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.ratehawk.answers import RateHawkError, moment
from sandbox.shelf import Record, Shelf

ORDERS = "order"
FIRST_ID = 440_012_001
Told = Callable[[str, Record], None]
"""Called with what happened (created, updated, cancelled) and the order."""


def money(amount: Decimal | str, currency: str) -> Record:
    return {"amount": f"{Decimal(amount):.2f}", "currency_code": currency}


class Orders:
    """All orders of one contract. `told` hears of every change, as the mid-office's webhook does."""

    def __init__(self, shelf: Shelf, now: Callable[[], datetime], told: Told = lambda _kind, _order: None) -> None:
        self._shelf = shelf
        self._now = now
        self.told = told
        self._numbers = {one["partner_data"]["order_id"]: key for key, one in shelf.all(ORDERS).items()}

    def place(self, wish: Mapping[str, Any]) -> Record:
        """A confirmed order. `wish`: partner_order_id, hotel_id, checkin, checkout, amount, currency, rooms
        `[[{"first_name", "last_name", "is_child"?, "age"?}]]`, free_until?, penalty?, refundable?, source?, agreement?.
        """
        now = self._now()
        partner = str(wish["partner_order_id"])
        if self.find(partner) is not None:
            raise RateHawkError("duplicate_reservation")
        currency, amount = str(wish.get("currency", "EUR")), Decimal(str(wish["amount"]))
        checkin, checkout = date.fromisoformat(wish["checkin"]), date.fromisoformat(wish["checkout"])
        nights = (checkout - checkin).days
        rooms = wish.get("rooms") or [[{"first_name": "Ana", "last_name": "Soler"}]]
        order_id = self._shelf.next_number(ORDERS, FIRST_ID)
        order: Record = {
            "order_id": order_id,
            "partner_data": {"order_id": partner, "order_comment": None},
            "agreement_number": str(wish.get("agreement", "B2B-12345/1")),
            "contract_slug": "sandbox",
            "api_auth_key_id": 1001,
            "source": str(wish.get("source", "b2b-api")),
            "order_type": "hotel",
            "status": "completed",
            "created_at": moment(now),
            "modified_at": moment(now),
            "cancelled_at": None,
            "checkin_at": checkin.isoformat(),
            "checkout_at": checkout.isoformat(),
            "nights": nights,
            "roomnights": nights * len(rooms),
            "is_cancellable": wish.get("refundable", True) is not False,
            "is_checked": False,
            "is_package": False,
            "has_tickets": False,
            "hotel_data": {
                "id": str(wish.get("hotel_id", "hotel_prueba")),
                "hid": 10004834,
                "order_id": f"H{order_id}",
            },
            "supplier_data": {"confirmation_id": f"HX-{order_id % 100_000}", "name": "ETG", "order_id": f"S{order_id}"},
            "rooms_data": [_room(at, guests) for at, guests in enumerate(rooms)],
            "amount_payable": money(amount, currency),
            "amount_payable_vat": money("0", currency),
            "amount_payable_with_upsells": money(amount, currency),
            "amount_refunded": money("0", currency),
            "amount_sell": money(amount, currency),
            "amount_sell_b2b2c": wish.get("sell") and money(wish["sell"], currency),
            "amount_sell_b2b2c_commission": None,
            "total_vat": {"amount": "0.00", "currency_code": currency, "included": True},
            "taxes": [{"name": "city_tax", "amount_tax": money("12", currency), "is_included": False}],
            "cancellation_info": _terms(wish, amount, currency, checkin),
            "payment_data": {
                "payment_type": "deposit",
                "invoice_id": None,
                "invoice_id_v2": None,
                "paid_at": moment(now),
                "payment_by": None,
                "payment_due": None,
                "payment_pending": None,
            },
            "invoice_id": None,
            "upsells": [],
            "user_data": {"email": "agency@example.test", "arrival_datetime": None, "user_comment": None},
            "meta_data": {"voucher_order_comment": None},
        }
        self._shelf.put(ORDERS, str(order_id), order)
        self._numbers[partner] = str(order_id)
        self.told("created", order)
        return order

    def forget(self) -> None:
        """To be called when the shelf was emptied."""
        self._numbers.clear()

    def all(self) -> list[Record]:
        return list(self._shelf.all(ORDERS).values())

    def find(self, partner_order_id: str) -> Record | None:
        return self._shelf.get(ORDERS, self._numbers.get(partner_order_id, ""))

    def known(self, partner_order_id: str) -> Record:
        found = self.find(partner_order_id)
        if found is None:
            raise RateHawkError("order_not_found")
        return found

    def cancel(self, partner_order_id: str, *, by_staff: bool = False) -> Record:
        """Cancel with the fee that is due now; what may not be cancelled says why."""
        order = self.known(partner_order_id)
        if order["status"] != "completed":
            raise RateHawkError("order_not_found")
        now = self._now()
        begun = now.date() >= date.fromisoformat(order["checkin_at"])
        if not by_staff and (
            begun or not order["is_cancellable"] or partner_order_id.endswith("order_not_cancellable")
        ):
            raise RateHawkError("order_not_cancellable")
        price, fee = Decimal(order["amount_payable"]["amount"]), fee_at(order, now)
        currency = order["amount_payable"]["currency_code"]
        order |= {
            "status": "cancelled",
            "cancelled_at": moment(now),
            "is_cancellable": False,
            "amount_payable": money(fee, currency),
            "amount_payable_with_upsells": money(fee, currency),
            "amount_refunded": money(max(price - fee, Decimal(0)), currency),
        }
        self._touch(order, "cancelled")
        return order

    def change(self, partner_order_id: str, changes: Mapping[str, Any]) -> Record:
        """What ETG's staff does to an order: `amount`, `status`, `guest` (a new last name), `free_until`, `penalty`."""
        order = self.known(partner_order_id)
        currency = order["amount_payable"]["currency_code"]
        if changes.get("status") == "cancelled":
            return self.cancel(partner_order_id, by_staff=True)
        if "status" in changes:
            order["status"] = str(changes["status"])
        if "amount" in changes:
            for name in ("amount_payable", "amount_payable_with_upsells", "amount_sell"):
                order[name] = money(str(changes["amount"]), currency)
        if "guest" in changes:
            name = str(changes["guest"])
            order["rooms_data"][0]["guest_data"]["guests"][0] |= {"last_name": name, "last_name_original": name}
        if {"free_until", "penalty"} & changes.keys():
            price = Decimal(order["amount_payable"]["amount"])
            order["cancellation_info"] = _terms(changes, price, currency, date.fromisoformat(order["checkin_at"]))
        order |= dict(changes.get("raw", {}))
        self._touch(order, "updated")
        return order

    def _touch(self, order: Record, kind: str) -> None:
        order["modified_at"] = moment(self._now())
        self._shelf.put(ORDERS, str(order["order_id"]), order)
        self.told(kind, order)


def fee_at(order: Record, now: datetime) -> Decimal:
    """What a cancellation costs at this moment."""
    for policy in order["cancellation_info"]["policies"]:
        begins, ends = policy["start_at"], policy["end_at"]
        if (begins is None or begins <= moment(now)) and (ends is None or moment(now) < ends):
            return Decimal(policy["penalty"]["amount"])
    return Decimal(order["amount_payable"]["amount"])


def _terms(wish: Mapping[str, Any], price: Decimal, currency: str, checkin: date) -> Record:
    default = datetime(checkin.year, checkin.month, checkin.day, tzinfo=UTC) - timedelta(days=3)
    edge = moment(datetime.fromisoformat(wish["free_until"])) if wish.get("free_until") else moment(default)
    before = Decimal(str(wish.get("early_penalty", "0")))
    after = Decimal(str(wish["penalty"])) if "penalty" in wish else price
    return {
        "free_cancellation_before": edge if not before else None,
        "policies": [
            {"start_at": None, "end_at": edge, "penalty": {**money(before, currency), "amount_info": None}},
            {"start_at": edge, "end_at": None, "penalty": {**money(after, currency), "amount_info": None}},
        ],
    }


def _room(at: int, guests: list[Mapping[str, Any]]) -> Record:
    told = [
        {
            "first_name": guest["first_name"],
            "first_name_original": guest["first_name"],
            "last_name": guest["last_name"],
            "last_name_original": guest["last_name"],
            "is_child": bool(guest.get("is_child")),
            "age": guest.get("age"),
        }
        for guest in guests
    ]
    children = sum(guest["is_child"] for guest in told)
    return {
        "room_idx": at,
        "room_name": "Double Room",
        "bedding_name": ["double"],
        "meal_name": "breakfast",
        "has_breakfast": True,
        "no_child_meal": False,
        "guest_data": {"adults_number": len(told) - children, "children_number": children, "guests": told},
    }
