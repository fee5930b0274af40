"""RateHawk's endpoints and its words for what went wrong, as tables (contracts: midoffice 2.4, 2.5, 2.8, 2.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.errors import (
    BackOfficeError,
    ContractBroken,
    NeedsPerson,
    Refused,
    Transient,
    Unauthorised,
    UnknownOutcome,
)

SYSTEM = "ratehawk"
LOCK_PAUSE = 7.0
"""Seconds after `lock`: the same order was asked for twice within a short time (midoffice 2.4)."""
LIMIT_PAUSE = 60.0
"""Seconds after a 429 that names no reset (midoffice 2.3)."""
PENDING_PAUSE = 30.0
"""Seconds until a document that is being made is asked for again."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call. `writes` tells whether it may change anything: then it is never repeated without looking."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    seconds: float
    writes: bool = False


OVERVIEW = Endpoint("overview", "GET", "overview/", 10)
BOOKING_STATUS = Endpoint("booking status", "POST", "hotel/order/booking/finish/status/", 15)
ORDER_INFO = Endpoint("order info", "POST", "hotel/order/info/", 30)
CANCEL = Endpoint("cancel", "POST", "hotel/order/cancel/", 60, writes=True)
VOUCHER = Endpoint("voucher", "GET", "hotel/order/document/voucher/download/", 30)
INFO_INVOICE = Endpoint("info invoice", "GET", "hotel/order/document/info_invoice/download/", 30)
SINGLE_ACT = Endpoint("single act", "GET", "hotel/order/document/single_act/download/", 30)
GROUP_INFO = Endpoint("order groups", "POST", "ordergroup/info/", 30)
GROUP_INVOICE = Endpoint("group invoice", "GET", "ordergroup/document/invoice/download/", 30)
CLOSING_INFO = Endpoint("closing documents", "GET", "general/document/closing_documents/info/", 60)
CONTRACT = Endpoint("contract data", "GET", "general/contract/data/info/", 30)
FINANCE = Endpoint("finance", "GET", "general/financial/info/", 30)


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """Seconds to connect, and to wait for an answer where the contract's time is not wanted."""

    connect: float = 5.0
    read: float | None = None


REFUSED_AT_THE_DOOR = frozenset(
    [
        "incorrect_credentials",
        "api_access_disabled",
        "not_allowed",
        "endpoint_not_active",
        "not_allowed_host",
        "no_auth_header",
        "invalid_auth_header",
    ]
)
OUR_MISTAKE = frozenset(
    [
        "invalid_params",
        "decoding_json",
        "body_must_be_json_object",
        "unexpected_method",
        "endpoint_not_found",
        "invalid_params_issue_date_agreement_numbers",
    ]
)
IN_DOUBT = frozenset({"timeout", "unknown"})
NOT_FOUND = "order_not_found"


def sorted_out(
    endpoint: Endpoint, status: int, code: str, words: str = "", reset: float | None = None
) -> BackOfficeError:
    """The class of an answer that is no success; `reset` is the number of seconds until the limit is lifted."""
    text = f"HTTP {status} {code}".strip() + (f": {words}" if words else "")

    def failed(kind: type[BackOfficeError], after: float | None = None) -> BackOfficeError:
        return kind(text, system=SYSTEM, operation=endpoint.name, code=code or str(status), retry_after=after)

    if code == "lock":
        return failed(Transient, LOCK_PAUSE)
    if status == 429 or code == "endpoint_exceeded_limit":
        return failed(Transient, LIMIT_PAUSE if reset is None else reset)
    if code == "pending":
        return failed(Transient, PENDING_PAUSE)
    if code == "overdue_debt":
        return failed(NeedsPerson)
    if code in REFUSED_AT_THE_DOOR or (status in (401, 403) and code not in OUR_MISTAKE):
        return failed(Unauthorised)
    if code in OUR_MISTAKE:
        return failed(ContractBroken)
    if status >= 500 or code in IN_DOUBT:
        return failed(UnknownOutcome if endpoint.writes else Transient)
    if code:
        return failed(Refused)
    return failed(UnknownOutcome if endpoint.writes and status >= 300 else ContractBroken)
