"""Writes our values into a deal so that one deleted field costs one value and not all (contracts: kommo 1 "poisons", 3, 5)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activities.kommo.client import KommoClient
from activities.kommo.fields import CRITICAL, FieldMap, Value
from activities.kommo.line import Alarm, nobody
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM, Lead, NotSaved
from domain.errors import Refused, UnknownOutcome

ROBOT = 0


@dataclass(frozen=True, slots=True)
class Written:
    """How a write-back ended: the values that have no place in the account, and whether the deal is gone altogether."""

    left_out: tuple[str, ...] = ()
    gone: bool = False


class LeadWriter:
    """Thread-safe; keeps the account's fields in memory until one of them is refused."""

    def __init__(self, client: KommoClient, settings: KommoSettings, *, alarm: Alarm = nobody) -> None:
        self._client = client
        self._settings = settings
        self._alarm = alarm
        self._fields: FieldMap | None = None
        self._reading = threading.Lock()

    @property
    def fields(self) -> FieldMap:
        """Which field holds which value; read when first needed."""
        with self._reading:
            if self._fields is None:
                self._fields = FieldMap.found(self._settings.fields, self._client.custom_fields())
            return self._fields

    def refresh(self) -> FieldMap:
        """Read the account's fields anew; also done every hour."""
        with self._reading:
            self._fields = None
        return self.fields

    def shown(self, lead: Lead, code: str) -> str | None:
        """What a deal shows for one of our values."""
        return self.fields.read(lead.values, code)

    def write(self, lead_id: int, values: Mapping[str, Value]) -> Written:
        """Set values: link and status by themselves first, the others after them. Setting them again changes nothing.

        A value whose field is gone, or that the field does not offer, is left out and told to people.
        """
        left_out: list[str] = []
        for together in _parts(values):
            ended = self._write_together(lead_id, together)
            if ended.gone:
                return Written(tuple(left_out), gone=True)
            left_out += ended.left_out
        return Written(tuple(left_out))

    def move(self, lead_id: int, stage: int, *, expected: int) -> bool:
        """Move a deal on, unless a person moved it meanwhile (or it is gone); whether it stands there now."""
        lead = self._client.lead(lead_id)
        if lead is None or lead.status_id not in (expected, stage):
            return False
        if lead.status_id == stage:
            return True
        change = {"status_id": stage, "pipeline_id": self._settings.pipeline, "updated_by": ROBOT}
        try:
            return self._client.patch_lead(lead_id, change)
        except UnknownOutcome:
            now = self._client.lead(lead_id)
            if now is not None and now.status_id == stage:
                return True
            raise

    def _write_together(self, lead_id: int, values: Mapping[str, Value]) -> Written:
        ready, left_out = self._prepared(self.fields, values)
        if left_out:
            # The account may have got its fields since we looked.
            ready, left_out = self._prepared(self.refresh(), values)
        try:
            there = self._send(lead_id, ready, values)
        except NotSaved as refusal:
            again, also = self._prepared(self.refresh(), {code: values[code] for code in ready})
            still = _without(again, ready, refusal.places)
            left_out = (*left_out, *also, *(code for code in again if code not in still))
            try:
                there = self._send(lead_id, still, values)
            except NotSaved as second:
                raise Refused(
                    f"{', '.join(still)} not saved: {second.message}",
                    system=SYSTEM,
                    operation=second.operation,
                    code=second.code,
                ) from None
        if left_out:
            self._alarm(
                "kommo_fields",
                f"{', '.join(left_out)}: the account has no such field of deals, or not this choice in it; "
                "it was left out. Make the field again with 'bookings integration activate', or name another one",
            )
        return Written(left_out, gone=not there)

    def _prepared(self, fields: FieldMap, values: Mapping[str, Value]) -> tuple[dict[str, Any], tuple[str, ...]]:
        ready: dict[str, Any] = {}
        left_out = []
        for code, value in values.items():
            try:
                ready[code] = fields.written(code, value)
            except KeyError:
                left_out.append(code)
        return ready, tuple(left_out)

    def _send(self, lead_id: int, ready: Mapping[str, Any], values: Mapping[str, Value]) -> bool:
        """Whether the deal is there. After an answer that says nothing the deal itself is asked."""
        if not ready:
            return True
        change = {"custom_fields_values": list(ready.values()), "updated_by": ROBOT}
        try:
            return self._client.patch_lead(lead_id, change)
        except UnknownOutcome:
            lead = self._client.lead(lead_id)
            if lead is None:
                return False
            if all(self.fields.same(lead.values, code, values[code]) for code in ready):
                return True
            raise


def _parts(values: Mapping[str, Value]) -> list[dict[str, Value]]:
    critical = {code: value for code, value in values.items() if code in CRITICAL}
    others = {code: value for code, value in values.items() if code not in CRITICAL}
    return [part for part in (critical, others) if part]


def _without(again: Mapping[str, Any], sent: Mapping[str, Any], places: frozenset[int]) -> dict[str, Any]:
    """What is sent once more: all but the values that were named, unless the new fields say them otherwise."""
    named = {code for place, code in enumerate(sent) if place in places}
    return {code: value for code, value in again.items() if code not in named or value != sent[code]}
