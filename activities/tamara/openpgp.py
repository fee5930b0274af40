"""Files encrypted for the partner and signed by us, before they leave (contracts: tamara 4.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pysequoia

from activities.tamara.transport import OpenPgpSettings
from domain.errors import Unauthorised

SUFFIX = ".pgp"


def encrypted(settings: OpenPgpSettings, content: bytes) -> bytes:
    """The binary OpenPGP message, another one at each call: keep it, and send the same bytes again.

    Raises `Unauthorised` when a key cannot be read, is not the pinned one, or counts no more.
    """
    recipient = _recipient(settings)
    try:
        message = pysequoia.encrypt(content, recipients=[recipient], signer=_signer(settings), armor=False)
    except Unauthorised:
        raise
    except Exception as error:  # noqa: BLE001 the library has no class of its own for what is wrong with a key
        raise _unfit(f"the file cannot be encrypted for the recipient ({type(error).__name__})") from None
    return bytes(message)


def _recipient(settings: OpenPgpSettings) -> Any:
    try:
        certificate = pysequoia.Cert.from_bytes(settings.recipient.encode())
    except Exception:  # noqa: BLE001 as above
        raise _unfit("openpgp.recipient is not a certificate") from None
    shown = certificate.fingerprint.upper()
    if shown != settings.recipient_fingerprint:
        raise _unfit(f"openpgp.recipient has the fingerprint {shown}, pinned is {settings.recipient_fingerprint}")
    if certificate.is_revoked:
        raise _unfit("the recipient's certificate is revoked")
    if certificate.expiration is not None and certificate.expiration <= datetime.now(UTC):
        raise _unfit(f"the recipient's certificate ended on {certificate.expiration:%Y-%m-%d}")
    return certificate


def _signer(settings: OpenPgpSettings) -> Any:
    phrase = settings.signing_key_passphrase
    try:
        key = pysequoia.Tsk.from_bytes(settings.signing_key.get_secret_value().encode())
        return key.signer(phrase.get_secret_value() if phrase else None)
    except Exception:  # noqa: BLE001 as above; its words may quote the key
        raise _unfit("openpgp.signing_key cannot be used (no secret key, or another passphrase)") from None


def _unfit(words: str) -> Unauthorised:
    return Unauthorised(words, system="tamara", operation="seal", code="OPENPGP")
