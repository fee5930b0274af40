"""From an order as `order/info` tells it to an order of ours, or the path of the field that is wrong (contracts: midoffice 2.7).

Unknown members are nothing to us; an unknown status, a currency without known decimals, a negative price or a missing
locator is no order. Nothing of a refused order is kept but its number and the path.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from domain.money import MINOR_UNITS, Money
from domain.supplier import SupplierOrder

Raw = Mapping[str, Any]


class UnusableOrder(Exception):
    """`path` names the field, never its value; `order_id` is 0 where not even that can be read."""

    def __init__(self, order_id: int, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.order_id = order_id
        self.path = path
        self.reason = reason


class _Wrong(ValueError):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


def read_order(raw: Raw) -> SupplierOrder:
    """Parse one order. Raises `UnusableOrder`."""
    number = raw.get("order_id")
    order_id = number if isinstance(number, int) and not isinstance(number, bool) else 0
    try:
        return SupplierOrder.model_validate(_fields(raw))
    except _Wrong as wrong:
        raise UnusableOrder(order_id, wrong.path, wrong.reason) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join(_WIRE.get(str(part), str(part)) for part in first["loc"]) or "order"
        raise UnusableOrder(order_id, path, first["msg"].removeprefix("Value error, ")) from None


_WIRE = {
    "partner_order_id": "partner_data.order_id",
    "kind": "order_type",
    "checkin": "checkin_at",
    "checkout": "checkout_at",
    "hotel_id": "hotel_data.id",
    "rooms": "rooms_data",
    "guests": "guest_data.guests",
    "payable": "amount_payable",
}
"""Our names of fields whose name on the wire is another one."""


def _fields(raw: Raw) -> dict[str, Any]:
    hotel, terms = _member(raw, "hotel_data"), _member(raw, "cancellation_info", optional=True)
    payable = _money(raw, "amount_payable")
    with_upsells = _money(raw, "amount_payable_with_upsells", optional=True)
    if payable is None:
        raise _Wrong("amount_payable", "is missing")
    return {
        "order_id": raw.get("order_id"),
        "partner_order_id": _member(raw, "partner_data").get("order_id"),
        "agreement": raw.get("agreement_number"),
        "kind": raw.get("order_type", "hotel"),
        "source": raw.get("source"),
        "status": raw.get("status"),
        "created_at": _instant(raw, "created_at"),
        "modified_at": _instant(raw, "modified_at"),
        "cancelled_at": _instant(raw, "cancelled_at", optional=True),
        "checkin": raw.get("checkin_at"),
        "checkout": raw.get("checkout_at"),
        "hotel_id": hotel.get("id"),
        "hid": hotel.get("hid"),
        "hotel_confirmation": _text(hotel.get("order_id")),
        "confirmation": _text(_member(raw, "supplier_data", optional=True).get("confirmation_id")),
        "cancellable": raw.get("is_cancellable") is not False,
        "rooms": [_room(room, f"rooms_data.{at}", at) for at, room in enumerate(_rows(raw, "rooms_data"))],
        "payable": with_upsells or payable,
        "vat": _money(raw, "amount_payable_vat", optional=True),
        "refunded": _money(raw, "amount_refunded", optional=True),
        "sell": _money(raw, "amount_sell_b2b2c", optional=True) or _money(raw, "amount_sell", optional=True),
        "commission": _money(raw, "amount_sell_b2b2c_commission", optional=True),
        "hotel_taxes": [
            {"name": str(tax.get("name") or "tax"), "amount": _money(tax, "amount_tax", at=f"taxes.{at}.amount_tax")}
            for at, tax in enumerate(_rows(raw, "taxes"))
            if tax.get("is_included") is False
        ],
        "free_until": _instant(terms, "free_cancellation_before", optional=True, at="cancellation_info"),
        "charges": [
            _charge(row, f"cancellation_info.policies.{at}") for at, row in enumerate(_rows(terms, "policies"))
        ],
        "upsells": [_upsell(row, at) for at, row in enumerate(_rows(raw, "upsells"))],
        "invoice": _text(raw.get("invoice_id")),
    }


def _room(room: Raw, path: str, at: int) -> dict[str, Any]:
    guests = _member(room, "guest_data", at=path)
    index = room.get("room_idx")
    bedding = room.get("bedding_name")
    return {
        "index": index + 1 if isinstance(index, int) and index == at else at + 1,
        "name": str(room.get("room_name") or "room"),
        "bedding": ", ".join(map(str, bedding)) if isinstance(bedding, list) and bedding else None,
        "meal": _text(room.get("meal_name")),
        "breakfast": room.get("has_breakfast") is True,
        "guests": [
            {
                "first_name": str(guest.get("first_name_original") or guest.get("first_name") or ""),
                "last_name": str(guest.get("last_name_original") or guest.get("last_name") or ""),
                "child": guest.get("is_child") is True,
                "age": guest.get("age") if guest.get("is_child") is True else None,
            }
            for guest in _rows(guests, "guests", at=f"{path}.guest_data")
        ],
    }


def _charge(row: Raw, path: str) -> dict[str, Any]:
    return {
        "since": _instant(row, "start_at", optional=True, at=path),
        "until": _instant(row, "end_at", optional=True, at=path),
        "fee": _money(row, "penalty", at=f"{path}.penalty"),
    }


def _upsell(row: Raw, at: int) -> dict[str, Any]:
    name = str(row.get("name") or row.get("type") or "upsell")
    return {"key": str(row.get("uid") or row.get("id") or f"{name}-{at + 1}"), "kind": name,
            "status": str(row.get("status") or "unknown")}  # fmt: skip


def _member(raw: Raw, name: str, *, optional: bool = False, at: str = "") -> Raw:
    value = raw.get(name)
    if isinstance(value, Mapping):
        return value
    if optional and value is None:
        return {}
    raise _Wrong(f"{at}.{name}".lstrip("."), "is missing" if value is None else "is no object")


def _rows(raw: Raw, name: str, *, at: str = "") -> list[Raw]:
    value = raw.get(name)
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        return value
    raise _Wrong(f"{at}.{name}".lstrip("."), "is no list of objects")


def _money(raw: Raw, name: str, *, optional: bool = False, at: str = "") -> Money | None:
    path, value = at or name, raw.get(name)
    if value is None:
        if optional:
            return None
        raise _Wrong(path, "is missing")
    if not isinstance(value, Mapping):
        raise _Wrong(path, "is no amount with its currency")
    currency, amount = value.get("currency_code"), value.get("amount")
    if currency not in MINOR_UNITS:
        raise _Wrong(f"{path}.currency_code", "is no currency that we know")
    try:
        number = Decimal(amount) if isinstance(amount, str) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise _Wrong(f"{path}.amount", "is no decimal written as text")
    if number < 0:
        raise _Wrong(f"{path}.amount", "is negative")
    if number != round(number, MINOR_UNITS[currency]):
        raise _Wrong(f"{path}.amount", f"has more than the {MINOR_UNITS[currency]} decimals of its currency")
    if number > 100_000_000:
        raise _Wrong(f"{path}.amount", "is larger than any stay costs")
    return Money.of_decimal(number, currency)


def _instant(raw: Raw, name: str, *, optional: bool = False, at: str = "") -> datetime | None:
    """A moment without a zone, which is UTC."""
    path, value = f"{at}.{name}".lstrip("."), raw.get(name)
    if value is None and optional:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise _Wrong(path, "is no moment")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)
