"""What a request must look like; anything else is `invalid_params` (contracts: midoffice 2.6, 2.7, 2.8, 2.10)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from sandbox.ratehawk.answers import RateHawkError

DATES = frozenset(
    [
        "cancelled_at",
        "checkin_at",
        "checkout_at",
        "created_at",
        "free_cancellation_before",
        "modified_at",
        "payment_due",
        "payment_pending",
        "paid_at",
    ]
)
STATES = frozenset(["cancelled", "completed", "failed", "noshow", "rejected"])
SOURCES = frozenset(["b2b-site", "b2b-api", "b2b-card", "b2b-handmade", "b2b-mobile-app-andr", "b2b-mobile-app-ios"])
MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\Z")
Wish = Mapping[str, Any]


def wrong(words: str) -> RateHawkError:
    return RateHawkError("invalid_params", words)


def members(wish: Wish, where: str, required: set[str], optional: set[str]) -> None:
    """Exactly these members."""
    missing, unknown = required - wish.keys(), wish.keys() - required - optional
    if missing:
        raise wrong(f"{where}{sorted(missing)[0]}: required")
    if unknown:
        raise wrong(f"{where}{sorted(unknown)[0]}: unknown")


def locator(wish: Wish, *optional: str) -> str:
    """The `partner_order_id` of a request that has nothing else but `optional`."""
    members(wish, "", {"partner_order_id"}, set(optional))
    value = wish["partner_order_id"]
    if not isinstance(value, str) or not 3 <= len(value) <= 256:
        raise wrong("partner_order_id: 3 to 256 characters")
    return value


def order_question(wish: Wish) -> tuple[str, bool, int, int, Wish]:
    """Sorting, whether downwards, page, page size and the filters of `hotel/order/info/`."""
    members(wish, "", {"ordering", "pagination"}, {"search", "language"})
    ordering, pagination = _object(wish, "ordering"), _object(wish, "pagination")
    members(ordering, "ordering.", {"ordering_type", "ordering_by"}, set())
    members(pagination, "pagination.", {"page_number", "page_size"}, set())
    if ordering["ordering_type"] not in ("asc", "desc"):
        raise wrong("ordering.ordering_type: asc or desc")
    if ordering["ordering_by"] not in DATES:
        raise wrong("ordering.ordering_by: not a date of an order")
    page = _whole(pagination["page_number"], "pagination.page_number", 1, 1_000_000)
    size = _whole(pagination["page_size"], "pagination.page_size", 1, 50)
    search = _object(wish, "search") if "search" in wish else {}
    members(search, "search.", set(), {*DATES, "order_ids", "partner_order_ids", "status", "source"})
    for name in DATES & search.keys():
        span = _object(search, name)
        members(span, f"search.{name}.", set(), {"from_date", "to_date"})
        if not all(isinstance(edge, str) and MINUTE.match(edge) for edge in span.values()):
            raise wrong(f"search.{name}: YYYY-MM-DDTHH:MM")
    for name, kind in (("order_ids", int), ("partner_order_ids", str)):
        if name in search and not (
            isinstance(search[name], list) and all(isinstance(item, kind) for item in search[name])
        ):
            raise wrong(f"search.{name}: a list")
    if search.get("status", "completed") not in STATES or search.get("source", "b2b-api") not in SOURCES:
        raise wrong("search: unknown status or source")
    return ordering["ordering_by"], ordering["ordering_type"] == "desc", page, size, search


def _object(wish: Wish, name: str) -> Wish:
    value = wish[name]
    if not isinstance(value, Mapping):
        raise wrong(f"{name}: an object")
    return value


def _whole(value: object, where: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise wrong(f"{where}: {least} to {most}")
    return value


def question(request: Request, body: bytes) -> Wish:
    """The JSON object of a request: its body, or the one query parameter `data`."""
    if request.method == "GET":
        members(dict(request.query_params), "", set(), {"data"})
        if "data" not in request.query_params:
            return {}
        text: bytes | str = request.query_params["data"]
    else:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise wrong("content-type: application/json")
        text = body
    try:
        wish = json.loads(text)
    except ValueError:
        raise RateHawkError("decoding_json") from None
    if not isinstance(wish, dict):
        raise RateHawkError("body_must_be_json_object")
    return wish
