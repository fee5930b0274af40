"""Which page of the console shows what a workflow looks after, told from its id (DESIGN section 7)."""

from __future__ import annotations

from urllib.parse import quote

_OF_TWO = {
    "experience": "/experiences?agency={agency}&experience={own}",
    "booking": "/bookings/{agency}/{own}",
    "payment": "/payments/{agency}/{own}",
    "plan": "/plans/{agency}/{own}",
    "midoffice": "/bookings/{agency}/{own}",
    "integration": "/integrations/{agency}/{own}",
    "connector": "/integrations/{agency}/{own}",
    "check": "/integrations/{agency}/giav",
    "reconcile": "/payments?agency={agency}",
    "revenue": "/journal/entries?agency={agency}&fact=service_rendered",
    "tamara": "/tamara/files?agency={agency}",
    "tamara-answers": "/tamara/answers?agency={agency}",
    "tamara-trouble": "/tamara/answers?agency={agency}",
    "supplier": "/suppliers/orders?agency={agency}",
    "supplier-order": "/suppliers/orders?agency={agency}",
    "deal": "/integrations/{agency}/kommo",
    "deals": "/integrations/{agency}/kommo",
    "crm": "/integrations/{agency}/kommo",
}
"""First word of a workflow id → page; `own` is its third part."""
_OF_BOOKING = {"collect": "/plans/{agency}/{booking}", "instalment": "/plans/{agency}/{booking}"}
"""Those whose id does not say what the page is called after."""


def place_of(workflow_id: str, booking_id: str = "") -> str | None:
    """The path of the page; `booking_id` is the booking that the workflow was given, if any. None for what has no page."""
    kind, _, rest = workflow_id.partition("/")
    agency, _, own = rest.partition("/")
    names = {"agency": agency, "own": own.partition("/")[0], "booking": booking_id}
    wanted = _OF_BOOKING.get(kind) or _OF_TWO.get(kind)
    if wanted is None or any(not value and f"{{{name}}}" in wanted for name, value in names.items()):
        return None
    return wanted.format(**{name: quote(value, safe="") for name, value in names.items()})
