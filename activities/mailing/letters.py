"""The letter with the payment link. Pure; headers cannot be broken by what a deal says."""

from __future__ import annotations

from email.message import EmailMessage

from domain.deals import DealSaid, SmtpSettings

WORDS = {
    "en": ("Your payment", "Dear {name},", "Please pay {amount} for {description} here:", "Thank you."),
    "he": ("התשלום שלך", "שלום {name},", "לתשלום {amount} עבור {description}:", "תודה."),
}


def letter(said: DealSaid, url: str, reference: str, settings: SmtpSettings, agency: str) -> EmailMessage:
    """The invitation to pay, in the language of the deal."""
    subject, greeting, invitation, thanks = WORDS[said.language]
    told = {"name": said.name, "amount": str(said.amount), "description": said.description}
    paragraphs = (greeting.format(**told), invitation.format(**told), url, said.terms, thanks, agency)
    text = "\n\n".join(filter(None, paragraphs))
    return enveloped(f"{subject}: {said.description}", text, said.email, reference, settings)


def enveloped(subject: str, text: str, to: str, reference: str, settings: SmtpSettings) -> EmailMessage:
    """`reference` makes the message id: a letter that goes out twice is the same letter."""
    message = EmailMessage()
    message["Subject"] = one_line(subject)
    message["From"] = settings.sender
    message["To"] = one_line(to)
    message["Message-ID"] = f"<{reference.lower()}@{settings.sender.rpartition('@')[2].rstrip('>')}>"
    message.set_content(text)
    return message


def one_line(text: str) -> str:
    """A header cannot be broken by what people are called."""
    return " ".join(text.split())
