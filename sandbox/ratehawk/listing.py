"""`hotel/order/info/`: filters, sorting and pages (contracts: midoffice 2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from sandbox.ratehawk.questions import DATES, Wish, order_question
from sandbox.shelf import Record


def listed(orders: Sequence[Record], hidden: frozenset[str], wish: Wish) -> dict[str, Any]:
    """The answer's data; `hidden` orders are not there yet."""
    by, downwards, page, size, search = order_question(wish)
    seen = [order for order in orders if order["partner_data"]["order_id"] not in hidden]
    fitting = [order for order in seen if _fits(order, search)]
    # Of the same second the number decides, so that a page is the same page when asked for again.
    fitting.sort(key=lambda order: (_date(order, by), order["order_id"]), reverse=downwards)
    return {
        "current_page_number": page,
        "total_orders": len(seen),
        "total_pages": ceil(len(seen) / size),
        "found_orders": len(fitting),
        "found_pages": ceil(len(fitting) / size),
        "orders": fitting[(page - 1) * size : page * size],
    }


def _fits(order: Record, search: Wish) -> bool:
    if "order_ids" in search and order["order_id"] not in search["order_ids"]:
        return False
    if "partner_order_ids" in search and order["partner_data"]["order_id"] not in search["partner_order_ids"]:
        return False
    if any(search.get(name, order[name]) != order[name] for name in ("status", "source")):
        return False
    for name in DATES & search.keys():
        value = _date(order, name)[:16]
        span = search[name]
        if not value or value < span.get("from_date", value) or value > span.get("to_date", value):
            return False
    return True


def _date(order: Record, name: str) -> str:
    if name == "free_cancellation_before":
        return order["cancellation_info"][name] or ""
    if name.startswith(("payment_", "paid_")):
        return order["payment_data"].get(name) or ""
    return order[name] or ""
