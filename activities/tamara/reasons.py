"""What each reason code of an answer means, and what to do about it (contracts: tamara 3.10)."""

from __future__ import annotations

import re

REASONS: dict[str, tuple[str, str]] = {
    "F001": ("file number already processed, same content", "nothing: it counts as delivered"),
    "F002": ("file number already processed, other content", "stop; clear up with AirPlus who else uses the counter"),
    "F003": ("a number is missing before this one", "send the files from the expected number on again, in order"),
    "F004": ("unknown partner, or kind not agreed", "correct tamara.partner_id or the agreement, then send again"),
    "F005": ("length, charset or structure is broken", "a defect or another layout; compare the layout with AirPlus"),
    "F006": ("version not supported", "correct tamara.version or the layout"),
    "F007": ("the trailer does not agree", "send the same bytes again; if refused again, call AirPlus"),
    "F008": ("mode does not fit the directory", "correct tamara.mode or the folder"),
    "A001": ("card unknown or closed", "ask the customer for the account, lodge it, then fix the line with --card"),
    "A002": ("card expired", "lodge the card with its new expiry, then fix the line"),
    "A003": ("limit or credit decision", "agree another form of payment, then abandon the line"),
    "A004": ("service not covered by the agreement", "agree another form of payment, then abandon the line"),
    "A005": ("currency not agreed", "agree another currency or form of payment"),
    "A006": ("a corporate value is unknown to the customer", "ask for the right value and fix the field"),
    "A007": ("authorisation number missing", "obtain it and fix 300.AUTH_CODE and 300.AUTH_DATE"),
    "M001": ("no merchant transaction within the window", "check the BSP report, then fix the line to send it again"),
    "M002": ("amount differs from the merchant's", "check fare, tax and penalty"),
    "M003": ("card differs from the merchant's", "lodge the right card, then fix the line with --card"),
    "M004": ("already matched by another record", "check for a duplicate, then abandon the line"),
}


def meaning_of(code: str | None) -> str:
    """A reason code in words; a code that nobody knows is kept as it is."""
    if code is None:
        return "no reason given; ask AirPlus"
    if code in REASONS:
        what, remedy = REASONS[code]
        return f"{what}: {remedy}"
    if re.fullmatch(r"V\d{3}", code):
        return f"rule {code} failed at AirPlus: correct the field and fix the line"
    return f"code {code} is not in the table: ask AirPlus what it means"
