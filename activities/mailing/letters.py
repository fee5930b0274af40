"""The letter with the payment link. Pure; headers cannot be broken by what a deal says."""

from __future__ import annotations

from email.message import EmailMessage

from domain.deals import DealSaid, SmtpSettings

WORDS = {
    "en": ("Your payment", "Dear {name},", "Please pay {amount} for {description} here:", "Thank you."),
    "he": ("התשלום שלך", "שלום {name},", "לתשלום {amount} עבור {description}:", "תודה."),
}


def letter(said: DealSaid, url: str, reference: str, settings: SmtpSettings, agency: str) -> EmailMessage:
    """`reference` makes the message id: a letter that goes out twice is the same letter."""
    subject, greeting, invitation, thanks = WORDS[said.language]
    told = {"name": said.name, "amount": str(said.amount), "description": said.description}
    message = EmailMessage()
    message["Subject"] = one_line(f"{subject}: {said.description}")
    message["From"] = settings.sender
    message["To"] = one_line(said.email)
    message["Message-ID"] = f"<{reference.lower()}@{settings.sender.rpartition('@')[2].rstrip('>')}>"
    paragraphs = (greeting.format(**told), invitation.format(**told), url, said.terms, thanks, agency)
    message.set_content("\n\n".join(filter(None, paragraphs)))
    return message


def one_line(text: str) -> str:
    """A header cannot be broken by what people are called."""
    return " ".join(text.split())
