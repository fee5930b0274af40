"""One letter through one mail server: accepted there, or one of our error classes (RFC 5321 4.2, 4.5.3.2)."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from domain.deals import SmtpSettings
from domain.errors import Refused, Transient, Unauthorised, UnknownOutcome

SYSTEM = "mail"
OPERATION = "send"
UNSEEN = (
    "nobody can be asked whether this letter went out; ask whom it was for, then adopt (it was told) or retry (send it)"
)


def send(letter: EmailMessage, settings: SmtpSettings) -> None:
    """Hand a letter to the mail server. Raises `Transient`, `Refused`, `Unauthorised`; `UnknownOutcome` once it was on its way."""
    context = ssl.create_default_context()
    given = False
    try:
        with _connected(settings, context) as server:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.user is not None and settings.password is not None:
                server.login(settings.user, settings.password.get_secret_value())
            given = True
            server.send_message(letter)
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise Unauthorised(f"the mail server: {type(error).__name__}", system=SYSTEM, operation=OPERATION) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        kind = Transient if all(400 <= code < 500 for code in codes) else Refused
        raise kind("the customer's address is not accepted", system=SYSTEM, operation=OPERATION) from None
    except smtplib.SMTPResponseException as error:
        kind = Transient if 400 <= error.smtp_code < 500 else Refused
        raise kind(f"the mail server answers {error.smtp_code}", system=SYSTEM, operation=OPERATION) from None
    except (OSError, smtplib.SMTPException) as error:
        words = f"the mail server: {type(error).__name__}"
        if given:
            raise UnknownOutcome(words, system=SYSTEM, operation=OPERATION) from None
        raise Transient(words, system=SYSTEM, operation=OPERATION) from None


def _connected(settings: SmtpSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.seconds, context=context)
    return smtplib.SMTP(settings.host, settings.port, timeout=settings.seconds)
