"""What a deal says, by the agency's mapping of its fields (contracts: kommo 3, 3.1, 5 step 1). Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from activities.kommo.settings import KommoSettings
from activities.kommo.wire import LOST, Contact, FieldValues, Lead
from domain.deals import OPEN, SETTLED, DealRules, DealSaid, RequestState, amount_of


def said_of(lead: Lead, contact: Contact | None, rules: DealRules) -> DealSaid:
    """The deal's words; what no field names is taken from the deal and its first contact."""

    def field(name: str) -> str:
        """The deal's own field counts before the contact's."""
        in_deal = rules.fields.get(name)  # type: ignore[call-overload]
        in_contact = rules.contact_fields.get(name)  # type: ignore[call-overload]
        found = _text(lead.values, in_deal)
        return found or (_text(contact.values, in_contact) if contact is not None else "")

    amount = _number(_text(lead.values, rules.fields["amount"])) if "amount" in rules.fields else lead.price
    return DealSaid(
        name=field("name") or (contact.name.strip() if contact is not None else ""),
        amount=None if amount is None else amount_of(amount, rules.currency),
        description=field("description") or lead.name.strip(),
        terms=field("terms"),
        email=field("email") or (contact.emails[0].strip() if contact is not None and contact.emails else ""),
        phone=field("phone") or (contact.phones[0].strip() if contact is not None and contact.phones else ""),
        address=field("address"),
        language=_language(field("language"), rules),
        tax_number=field("tax_number"),
        booking_id=field("booking") or None,
    )


def asks(lead: Lead, settings: KommoSettings, *, wanted: bool, state: RequestState, stage: int | None) -> bool:
    """Whether money is to be asked for.

    A request that was cancelled in the stage that triggers begins again only when the deal came there anew.
    """
    if lead.status_id == LOST and not wanted:
        return False
    triggered = lead.pipeline_id == settings.pipeline and lead.status_id in settings.trigger_stages
    if wanted or state in OPEN:
        return True
    if state == "cancelled":
        return triggered and lead.status_id != stage
    return triggered and state not in SETTLED


def _text(values: FieldValues, field_id: int | None) -> str:
    entries = values.get(field_id, ()) if field_id is not None else ()
    return str(entries[0].get("value") or "").strip() if entries else ""


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _language(text: str, rules: DealRules) -> str:
    """By its first letters, in either language; otherwise the agency's own."""
    word = text.strip().lower()
    if word.startswith(("he", "iw", "עבר", "иврит")):
        return "he"
    return "en" if word.startswith(("en", "אנג")) else rules.language
