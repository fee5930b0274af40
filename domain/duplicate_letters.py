"""What a customer is told of a payment for what was paid already, in Spanish and in English. Pure (payment-sync 4, rows 19-27)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.duplicates import CreditPlan, DuplicateOccasion
from domain.effects import EffectKey
from domain.money import Money
from domain.plan_letters import FAREWELL, GREETING, MAIL, Words, in_words, on_day

BY_CREDIT = {
    "es": "1. Abonarlo en tu viaje: {parts}.{rest}",
    "en": "1. Credit it to your trip: {parts}.{rest}",
}
PART = {"es": "{amount} en el plazo del {on}", "en": "{amount} of the instalment due on {on}"}
REST = {"es": " Los {amount} que sobran te los devolvemos.", "en": " We give you back the remaining {amount}."}
BY_REFUND = {
    "es": "{number}Devolvértelo al mismo medio con el que pagaste.",
    "en": "{number}Give it back to the means you paid with.",
}
TEMPLATES: dict[str, dict[DuplicateOccasion, Words]] = {
    "es": {
        "asked": Words(
            "Has pagado dos veces: {amount}",
            "Hemos recibido un pago de {amount} de tu viaje {locator} que ya estaba pagado de otra forma. Dinos qué prefieres:"
            "\n\n{choices}\n\nResponde a este mensaje con tu elección.",
        ),
        "reminded": Words(
            "¿Qué hacemos con tu pago de {amount}?",
            "Seguimos guardando el pago de {amount} de tu viaje {locator}, que ya estaba pagado de otra forma. Dinos qué "
            "prefieres:\n\n{choices}\n\nResponde a este mensaje con tu elección.",
        ),
        "credited": Words(
            "Tu pago de {amount} está abonado",
            "Hemos abonado tu pago de {amount} en tu viaje {locator}: {parts}.{rest} Los próximos plazos bajan en ese importe.",
        ),
        "refunding": Words(
            "Te devolvemos {amount}",
            "Hemos pedido la devolución de tu pago de {amount} de tu viaje {locator}. Te avisaremos cuando esté hecha.",
        ),
        "refunded": Words(
            "Tu pago de {amount} está devuelto",
            "Hemos devuelto tu pago de {amount} de tu viaje {locator} al medio con el que pagaste. Tu banco puede tardar unos "
            "días en mostrarlo.",
        ),
    },
    "en": {
        "asked": Words(
            "You have paid twice: {amount}",
            "We received a payment of {amount} for your trip {locator} that had been paid in another way already. Tell us what "
            "you prefer:\n\n{choices}\n\nAnswer this message with your choice.",
        ),
        "reminded": Words(
            "What shall we do with your payment of {amount}?",
            "We still hold the payment of {amount} for your trip {locator}, which had been paid in another way already. Tell us "
            "what you prefer:\n\n{choices}\n\nAnswer this message with your choice.",
        ),
        "credited": Words(
            "Your payment of {amount} is credited",
            "We credited your payment of {amount} to your trip {locator}: {parts}.{rest} Your next instalments are that much "
            "smaller.",
        ),
        "refunding": Words(
            "We are giving back {amount}",
            "We asked for your payment of {amount} for your trip {locator} to be given back. We will tell you when it is done.",
        ),
        "refunded": Words(
            "Your payment of {amount} was given back",
            "Your payment of {amount} for your trip {locator} went back to the means you paid with. Your bank may take a few days "
            "to show it.",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class DuplicateTold:
    """What a letter says; `credit` is what the payment would pay, or paid."""

    occasion: DuplicateOccasion
    name: str
    locator: str
    amount: Money
    agency: str
    credit: CreditPlan


def composed(told: DuplicateTold, language: str) -> tuple[str, str]:
    """Subject and text. Credit is offered only where something later is open (row 19)."""
    words = TEMPLATES[language][told.occasion]
    said = {
        "amount": in_words(told.amount, language),
        "locator": told.locator,
        "choices": _choices(told.credit, language),
        "parts": _parts(told.credit, language),
        "rest": _rest(told.credit, language),
    }
    greeting = GREETING[language].format(name=told.name)
    text = f"{greeting}\n\n{words.body.format(**said)}\n\n{FAREWELL[language]}\n\n{told.agency}\n"
    return words.subject.format(**said), text


def duplicate_letter_key(agency: str, payment_id: str, occasion: DuplicateOccasion, number: int) -> EffectKey:
    return EffectKey(agency, MAIL, "duplicate_letter", f"{payment_id}/{occasion}/{number}", "send")


def _choices(credit: CreditPlan, language: str) -> str:
    if not credit.parts:
        return BY_REFUND[language].format(number="")
    first = BY_CREDIT[language].format(parts=_parts(credit, language), rest=_rest(credit, language))
    return f"{first}\n{BY_REFUND[language].format(number='2. ')}"


def _parts(credit: CreditPlan, language: str) -> str:
    return ", ".join(
        PART[language].format(amount=in_words(part.amount, language), on=on_day(part.due_on, language))
        for part in credit.parts
    )


def _rest(credit: CreditPlan, language: str) -> str:
    return REST[language].format(amount=in_words(credit.remainder, language)) if credit.remainder else ""
