"""What a payer is told about instalments, in Spanish and in English. Pure (contracts: money-rules 1.7, F-P1, F-P3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.deals import SmtpSettings
from domain.effects import EffectKey
from domain.money import Money
from domain.plan_steps import Occasion

MAIL = "mail"


class MailSettings(SmtpSettings):
    """Settings section `mail` of an agency: its mail server, and where a payer pays.

    `payment_url` may name `{booking}`, `{locator}` and `{instalment}`; `language` is that of payers who named none of ours.
    """

    payment_url: str | None = None
    language: str = "es"


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    body: str


TEMPLATES: dict[str, dict[Occasion, Words]] = {
    "es": {
        "due": Words(
            "Tu próximo pago: {amount}",
            "Hoy vence un plazo de {amount} de tu viaje {locator}. Puedes pagarlo aquí:\n\n{link}",
        ),
        "announced": Words(
            "Aviso de adeudo: {amount} el {on}",
            "El {on} cargaremos {amount} en tu cuenta por tu viaje {locator}, con la referencia de mandato {mandate}. "
            "No tienes que hacer nada.",
        ),
        "declined": Words(
            "No hemos podido cobrar {amount}",
            "Tu banco no ha aceptado el cobro de {amount} de tu viaje {locator}. Lo intentaremos de nuevo el {on}. "
            "Si lo prefieres, puedes pagarlo aquí:\n\n{link}",
        ),
        "stopped": Words(
            "Necesitamos otro medio de pago",
            "Tu banco ha rechazado el cobro de {amount} de tu viaje {locator} y no volveremos a intentarlo con esta tarjeta. "
            "Por favor, paga aquí con otro medio:\n\n{link}",
        ),
        "authenticate": Words(
            "Confirma tu pago de {amount}",
            "Para cobrar {amount} de tu viaje {locator} tu banco pide que lo confirmes tú. Puedes hacerlo aquí:\n\n{link}",
        ),
        "returned": Words(
            "Tu banco ha devuelto el adeudo de {amount}",
            "Tu banco ha devuelto el adeudo de {amount} de tu viaje {locator}: el importe sigue pendiente. "
            "Por favor, paga aquí con otro medio:\n\n{link}",
        ),
        "retried": Words(
            "Tu banco ha devuelto el adeudo de {amount}",
            "Tu banco ha devuelto el adeudo de {amount} de tu viaje {locator} por falta de saldo. Lo presentaremos una vez "
            "más el {on}. Si lo prefieres, puedes pagarlo antes aquí:\n\n{link}",
        ),
    },
    "en": {
        "due": Words(
            "Your next payment: {amount}",
            "An instalment of {amount} of your trip {locator} is due today. You can pay it here:\n\n{link}",
        ),
        "announced": Words(
            "Direct debit notice: {amount} on {on}",
            "On {on} we will collect {amount} from your account for your trip {locator}, under mandate {mandate}. "
            "There is nothing for you to do.",
        ),
        "declined": Words(
            "We could not collect {amount}",
            "Your bank did not accept the payment of {amount} for your trip {locator}. We will try again on {on}. "
            "If you prefer, you can pay it here:\n\n{link}",
        ),
        "stopped": Words(
            "We need another means of payment",
            "Your bank declined the payment of {amount} for your trip {locator}, and we will not try this card again. "
            "Please pay here in another way:\n\n{link}",
        ),
        "authenticate": Words(
            "Confirm your payment of {amount}",
            "To collect {amount} for your trip {locator} your bank asks you to confirm it. You can do so here:\n\n{link}",
        ),
        "returned": Words(
            "Your bank returned the debit of {amount}",
            "Your bank returned the debit of {amount} for your trip {locator}: the amount is still due. "
            "Please pay here in another way:\n\n{link}",
        ),
        "retried": Words(
            "Your bank returned the debit of {amount}",
            "Your bank returned the debit of {amount} for your trip {locator} for want of money. We will present it once "
            "more on {on}. If you prefer, you can pay it before then here:\n\n{link}",
        ),
    },
}
GREETING = {"es": "Hola, {name}:", "en": "Dear {name},"}
FAREWELL = {"es": "Gracias.", "en": "Thank you."}
WITHOUT_LINK = {"es": "(pregúntanos cómo pagar)", "en": "(ask us how to pay)"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a letter says; `on` is a day that it names, `link` where to pay."""

    occasion: Occasion
    name: str
    locator: str
    amount: Money
    agency: str
    on: date | None = None
    link: str | None = None
    mandate: str = ""


def language_of(wish: str | None, otherwise: str) -> str:
    """`es` or `en`: the payer's own (`es-ES` is `es`), else the agency's."""
    for each in (wish, otherwise):
        short = (each or "").lower()[:2]
        if short in TEMPLATES:
            return short
    return "es"


def composed(told: Told, language: str) -> tuple[str, str]:
    """Subject and text."""
    words = TEMPLATES[language][told.occasion]
    said = {
        "amount": in_words(told.amount, language),
        "locator": told.locator,
        "on": on_day(told.on, language),
        "link": told.link or WITHOUT_LINK[language],
        "mandate": told.mandate,
    }
    greeting = GREETING[language].format(name=told.name)
    text = f"{greeting}\n\n{words.body.format(**said)}\n\n{FAREWELL[language]}\n\n{told.agency}\n"
    return words.subject.format(**said), text


def letter_key(
    agency: str, plan_id: str, instalment_id: str, occasion: Occasion, number: int = 1, amount: Money | None = None
) -> EffectKey:
    """One letter. An announcement is of one amount: another amount is announced again."""
    place = f"{plan_id}/{instalment_id}/{occasion}"
    tail = f"{amount.amount}" if occasion == "announced" and amount is not None else str(number)
    return EffectKey(agency, MAIL, "plan_letter", f"{place}/{tail}", "send")


def in_words(amount: Money, language: str) -> str:
    text = f"{amount}"
    return text.translate(str.maketrans(",.", ".,")) if language == "es" else text


def on_day(day: date | None, language: str) -> str:
    if day is None:
        return ""
    return f"{day:%d/%m/%Y}" if language == "es" else f"{day.day} {day:%B %Y}"
