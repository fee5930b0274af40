"""Files that leave encrypted for AirPlus and signed by us (contracts: tamara 4.6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pysequoia
import pytest
from temporalio.exceptions import ApplicationError

from store import Store
from store.tamara_contents import Print
from store.tamara_tables import File
from tests.activities.tamara.night import AGENCY, DropBoxSite, Night, settings_of
from tests.activities.tamara.sender import fault


@dataclass(frozen=True)
class Keys:
    """AirPlus' key and ours."""

    partner: Any
    ours: Any

    def settings(self, **changes: str) -> dict[str, str]:
        recipient = self.partner.extract_certificate()
        return {
            "recipient": str(recipient),
            "recipient_fingerprint": recipient.fingerprint,
            "signing_key": str(self.ours),
            **changes,
        }

    def opened(self, message: bytes) -> tuple[bytes, list[str]]:
        """What AirPlus reads, and who signed it."""
        ours = self.ours.extract_certificate()
        read = pysequoia.decrypt(message, decryptor=self.partner.decryptor(), store=lambda _: [ours])
        return bytes(read.bytes), [signature.certificate for signature in read.valid_sigs]


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(pysequoia.Tsk.generate("AirPlus <in@airplus.example>"), pysequoia.Tsk.generate("Sol <out@sol.example>"))


@pytest.fixture
def night(store: Store, airplus: DropBoxSite, keys: Keys) -> Night:
    return Night(store, airplus.settings.model_copy(update={"openpgp": _checked(keys.settings())}))


def _checked(openpgp: dict[str, str]) -> Any:
    return settings_of(openpgp=openpgp).openpgp


def the_file(night: Night) -> File:
    [file] = night.store.tamara.files_of(AGENCY)
    return file


def test_airplus_gets_a_binary_message_that_only_it_can_read_signed_by_us(
    night: Night, airplus: DropBoxSite, keys: Keys
) -> None:
    night.sold()
    sealed = night.seal()
    night.deliver(sealed)
    [(name, message)] = airplus.lying().items()
    assert name == f"{sealed.name}.pgp"
    assert not message.startswith(b"-----")
    content, signed_by = keys.opened(message)
    assert signed_by == [keys.ours.extract_certificate().fingerprint]
    file = the_file(night)
    assert hashlib.sha256(content).hexdigest() == file.digest
    assert (hashlib.sha256(message).hexdigest(), len(message)) == (file.cipher_digest, file.cipher_size)


def test_every_attempt_sends_the_same_bytes(night: Night, airplus: DropBoxSite) -> None:
    night.sold()
    sealed = night.seal()
    kept = night.store.tamara_contents.open(Print.of(the_file(night)), "openpgp")
    fault(airplus, "put", "malformed")
    with pytest.raises(ApplicationError):
        night.deliver(sealed)
    night.deliver(night.seal())
    assert list(airplus.lying().values()) == [kept]


def test_an_empty_night_is_encrypted_too(night: Night, airplus: DropBoxSite, keys: Keys) -> None:
    night.deliver(night.seal())
    [message] = airplus.lying().values()
    assert keys.opened(message)[0].startswith(b"200")


def test_the_encrypted_form_is_destroyed_with_the_clear_one(night: Night) -> None:
    night.sold()
    night.seal()
    which = Print.of(the_file(night))
    night.store.tamara_contents.destroy(which)
    assert night.store.tamara_contents.forms(which) == {"redacted"}


def test_a_certificate_other_than_the_pinned_one_is_not_encrypted_for(
    store: Store, airplus: DropBoxSite, keys: Keys
) -> None:
    pinned = keys.settings(recipient_fingerprint="A" * 40)
    night = Night(store, airplus.settings.model_copy(update={"openpgp": _checked(pinned)}))
    night.sold()
    with pytest.raises(ApplicationError, match="pinned is AAAA") as error:
        night.seal()
    assert error.value.type == "Unauthorised"
    night.settings = airplus.settings
    assert airplus.lying() == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"recipient": "-----BEGIN PGP"}, "is not a certificate"),
        ({"signing_key": "secret words"}, "signing_key cannot be used"),
    ],
)
def test_a_key_that_cannot_be_used_is_named_and_not_quoted(
    store: Store, airplus: DropBoxSite, keys: Keys, changed: dict[str, str], words: str
) -> None:
    night = Night(store, airplus.settings.model_copy(update={"openpgp": _checked(keys.settings(**changed))}))
    night.sold()
    with pytest.raises(ApplicationError, match=words) as error:
        night.seal()
    assert "secret words" not in str(error.value)
