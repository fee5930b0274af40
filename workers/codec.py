"""Payloads sealed with AES-GCM before they leave the process: what Temporal keeps, it cannot read (docs/security.md).

Histories cannot be written anew, so a rotation is a change of the sealing key: retired keys open what they sealed until no
history needs them. Each payload names its key; what was written before the codec was switched on passes as it is.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from store.installation import CodecSettings, Installation, SettingsError
from store.vault import key_id

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"
"""Metadata of a sealed payload; the names that Temporal's own samples use."""
NONCE_BYTES = 12


class KeyMissing(RuntimeError):
    """A payload was sealed with a key that the settings lack, or was altered. The work waits until the key is there."""


class SealingCodec(PayloadCodec):
    """Seals with `key`, opens with every key it has; without `key` it only opens."""

    def __init__(self, key: bytes | None, retired: Sequence[bytes] = ()) -> None:
        self._sealing = None if key is None else key_id(key)
        self._keys = {key_id(each): AESGCM(each) for each in (*retired, *([key] if key is not None else []))}

    def __repr__(self) -> str:
        return f"SealingCodec({self._sealing or 'opens only'})"

    @property
    def sealing_key(self) -> str | None:
        """The name of the key that seals."""
        return self._sealing

    @property
    def known_keys(self) -> frozenset[str]:
        return frozenset(self._keys)

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._sealed(payload) for payload in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, payload: Payload) -> Payload:
        if self._sealing is None or payload.metadata.get("encoding") == ENCODING:
            return payload
        nonce = os.urandom(NONCE_BYTES)
        name = self._sealing.encode()
        content = self._keys[self._sealing].encrypt(nonce, payload.SerializeToString(), _bound_to(name))
        return Payload(metadata={"encoding": ENCODING, KEY_ID: name}, data=nonce + content)

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        key = self._keys.get(name.decode("ascii", "replace"))
        if key is None:
            raise KeyMissing(
                f"a payload was sealed with key {name.decode('ascii', 'replace')[:40]}; add it to temporal.codec.retired_keys"
            )
        try:
            clear = key.decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], _bound_to(name))
        except (InvalidTag, ValueError):
            raise KeyMissing("a payload was altered since it was sealed") from None
        return Payload.FromString(clear)


def codec_of(settings: CodecSettings | None) -> SealingCodec | None:
    """None without the section. Raises `SettingsError` for a key that is none."""
    if settings is None:
        return None
    key = None if settings.key is None else _key(settings.key, "key")
    return SealingCodec(key, [_key(each, "retired_keys") for each in settings.retired_keys])


def converter_of(installation: Installation) -> DataConverter:
    """How every process of ours writes and reads payloads. With a codec, messages and stacks of failures are sealed, too."""
    codec = codec_of(installation.temporal.codec)
    if codec is None:
        return pydantic_data_converter
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def _bound_to(name: bytes) -> bytes:
    return b"payload\x1f" + name


def _key(given: SecretStr, name: str) -> bytes:
    try:
        key = base64.b64decode(given.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError(f"temporal.codec.{name} must be 32 bytes in base64; make one with: openssl rand -base64 32")
    return key
