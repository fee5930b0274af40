"""Payloads are sealed before they leave us, opened with the key that they name, and nothing of them is readable on the way."""

from __future__ import annotations

import base64
import contextlib

import pytest
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.service import RPCError

from sandbox.faults import Kind
from starter.commands.codec import CLEAR, keys_in
from store.installation import CodecSettings, Installation, SettingsError, TemporalSettings
from store.vault import key_id
from tests.workers.test_one_trip import AGENCY, TRIP, Agency, agency, at_work, until
from workers.codec import KEY_ID, KeyMissing, SealingCodec, codec_of, converter_of
from workers.connection import connect

__all__ = ["agency"]
OLD, NEW = b"o" * 32, b"n" * 32
TOLD = Payload(metadata={"encoding": b"json/plain"}, data=b'{"amount": 41250}')


def settings(key: bytes | None, *retired: bytes) -> CodecSettings:
    def written(value: bytes) -> SecretStr:
        return SecretStr(base64.b64encode(value).decode())

    return CodecSettings(key=written(key) if key else None, retired_keys=tuple(map(written, retired)))


async def test_what_is_sealed_shows_nothing_and_opens_again() -> None:
    codec = SealingCodec(NEW)
    (sealed,) = await codec.encode([TOLD])
    assert b"41250" not in sealed.SerializeToString()
    assert b"json/plain" not in sealed.SerializeToString()
    assert await codec.decode([sealed]) == [TOLD]


async def test_the_same_payload_is_sealed_differently_each_time() -> None:
    first, second = await SealingCodec(NEW).encode([TOLD, TOLD])
    assert first.data != second.data


async def test_after_a_rotation_the_old_key_opens_and_the_new_one_seals() -> None:
    (old,) = await SealingCodec(OLD).encode([TOLD])
    codec = codec_of(settings(NEW, OLD))
    assert codec is not None
    assert await codec.decode([old]) == [TOLD]
    (new,) = await codec.encode([TOLD])
    assert new.metadata[KEY_ID] == key_id(NEW).encode()


async def test_without_its_key_a_payload_stays_closed_and_the_error_names_the_key_only() -> None:
    (old,) = await SealingCodec(OLD).encode([TOLD])
    with pytest.raises(KeyMissing, match=key_id(OLD)) as missing:
        await SealingCodec(NEW).decode([old])
    assert base64.b64encode(OLD).decode() not in str(missing.value)


@pytest.mark.parametrize("place", [0, 12, -1])
async def test_an_altered_payload_does_not_open(place: int) -> None:
    (sealed,) = await SealingCodec(NEW).encode([TOLD])
    data = bytearray(sealed.data)
    data[place] ^= 1
    sealed.data = bytes(data)
    with pytest.raises(KeyMissing, match="altered"):
        await SealingCodec(NEW).decode([sealed])


async def test_a_payload_that_calls_itself_sealed_and_is_empty_does_not_open() -> None:
    sealed = Payload(metadata={"encoding": b"binary/encrypted", KEY_ID: key_id(NEW).encode()})
    with pytest.raises(KeyMissing):
        await SealingCodec(NEW).decode([sealed])


async def test_what_was_written_before_the_codec_passes_and_without_a_key_nothing_new_is_sealed() -> None:
    assert await SealingCodec(NEW).decode([TOLD]) == [TOLD]
    (sealed,) = await SealingCodec(NEW).encode([TOLD])
    opening = codec_of(settings(None, NEW))
    assert opening is not None
    assert await opening.encode([TOLD]) == [TOLD]
    assert await opening.decode([sealed]) == [TOLD]


def test_a_key_that_is_none_is_named_without_its_value() -> None:
    with pytest.raises(SettingsError, match=r"temporal\.codec\.key must be 32 bytes") as refused:
        codec_of(CodecSettings(key=SecretStr("c2hvcnQ=")))
    assert "c2hvcnQ" not in str(refused.value)


def test_it_is_off_by_default(agency: Agency) -> None:
    assert agency.installation.temporal.codec is None
    assert converter_of(agency.installation).payload_codec is None


def sealing(agency: Agency, client: Client) -> Installation:
    temporal = TemporalSettings(address=client.service_client.config.target_host, codec=settings(NEW, OLD))
    return agency.installation.model_copy(update={"temporal": temporal})


async def test_a_trip_runs_under_seal_and_its_histories_hold_no_amount_and_no_word_in_clear(
    agency: Agency, dev_server: Client
) -> None:
    agency.installation = sealing(agency, dev_server)
    client = await connect(agency.installation)
    own = "bkg_sealed"
    agency.giav.faults.set({"operation": "Reserva_Normal_POST", "kind": Kind.REFUSE.value})
    agency.experience()
    agency.sold(own)
    async with at_work(agency, client) as hand_on:
        await hand_on()
        await until(lambda: bool(agency.store.parked.list(AGENCY)))
        (item,) = agency.store.parked.list(AGENCY)
        found = set()
        content = b""
        for workflow in (f"booking/{AGENCY}/{own}", f"experience/{AGENCY}/{TRIP}", item.workflow_id):
            history = await client.get_workflow_handle(workflow).fetch_history()
            found |= {key for event in history.events for key in keys_in(event)}
            content += b"".join(event.SerializeToString() for event in history.events)
            with contextlib.suppress(RPCError):  # a child ends with its parent
                await client.get_workflow_handle(workflow).terminate()
    assert found == {key_id(NEW)}, f"nothing may be {CLEAR}"
    assert item.detail.encode() not in content
    assert b"41250" not in content
    assert b'"revision"' not in content
