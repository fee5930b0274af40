"""GIAV's own figures of a file, and what we told it so far: read, never written (contracts: giav 2.4, 4 "nightly check")."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.giav.client import SYSTEM
from activities.giav.documents import CREDIT_NOTE, FACTURA, REEMBOLSO
from activities.giav.mapping.values import CURRENCY, money_of
from activities.giav.office import CREATE, GiavAccount, own_id
from domain.comparing import FileFigures
from domain.effects import EffectKey, EffectState
from domain.errors import ContractBroken, Transient
from store import Store

MONEY = frozenset({"cobro", REEMBOLSO, FACTURA, CREDIT_NOTE, "penalty"})
"""The entities that GIAV may count a little late."""
UNSETTLED = frozenset({EffectState.INTENDED, EffectState.UNKNOWN})


class GiavEconomics:
    """One agency's files. Every `figures` is one call, at most two when the line breaks; the client keeps the pace."""

    currency = CURRENCY

    def __init__(self, agency: str, account: GiavAccount, store: Store) -> None:
        self._agency = agency
        self._client = account.client
        self._store = store

    def file_of(self, experience_id: str) -> int | None:
        """The expediente of an experience. Raises `NeedsPerson` for an adopted id that is none."""
        key = self._key("expediente", experience_id)
        found = self._store.effects.outside_id(key)
        return None if found is None else own_id(found, key)

    def figures(self, expediente: int) -> FileFigures:
        """What GIAV computes itself: MargenEstimado, PendienteCobrar, PendienteFacturar.

        Raises `Refused` when the file does not exist there any more, and whatever else a read may meet.
        """
        read = self._read(expediente) or {}
        return FileFigures(
            margin=money_of(_told(read, "MargenEstimado")),
            to_collect=money_of(_told(read, "PendienteCobrar")),
            to_invoice=money_of(_told(read, "PendienteFacturar")),
        )

    def _read(self, expediente: int) -> dict[str, Any] | None:
        try:
            answer = self._client.call("Expediente_InfoEconomica_GET", id=expediente)
        except Transient:
            # One broken line among hundreds of files is no reason to begin the whole comparison again.
            answer = self._client.call("Expediente_InfoEconomica_GET", id=expediente)
        found: dict[str, Any] | None = answer
        return found

    def unwritten(self, booking_id: str) -> Iterator[tuple[str, str]]:
        """Facts that were told to us and are not in GIAV, as entity and id: the booking, payments, refunds, and whatever
        write has no clear answer yet."""
        effects, facts, agency = self._store.effects, self._store.facts, self._agency
        wanted = [("reserva", booking_id)]
        for payment in facts.payments_of(agency, booking_id):
            wanted += [("cobro", payment.id), (FACTURA, payment.id)]
        wanted += [(REEMBOLSO, refund.id) for refund in facts.refunds_of(agency, booking_id)]
        for chargeback in facts.chargebacks_of(agency, booking_id):
            entity = {"funds_withdrawn": REEMBOLSO, "won": "cobro"}.get(chargeback.stage)
            wanted += [(entity, f"{chargeback.id}:{chargeback.stage}")] if entity else []
        keys = [self._key(entity, business_id) for entity, business_id in wanted]
        unsettled = [each.key for each in effects.of_booking(agency, booking_id, SYSTEM) if each.state in UNSETTLED]
        missing = [key for key in keys if effects.outside_id(key) is None]
        for key in dict.fromkeys((*missing, *unsettled)):
            yield key.entity, key.business_id

    def money_written_at(self, booking_id: str) -> datetime | None:
        """When money or a document of this booking was last written."""
        rows = self._store.effects.history(self._agency, booking_id, SYSTEM)
        return max((row.updated_at for row in rows if row.record.key.entity in MONEY), default=None)

    def close(self) -> None:
        self._client.close()

    def _key(self, entity: str, business_id: str) -> EffectKey:
        return EffectKey(self._agency, SYSTEM, entity, business_id, CREATE)


def _told(read: dict[str, Any], figure: str) -> Decimal:
    """A figure; one that is left out is not zero. Raises `ContractBroken`."""
    value = read.get(figure)
    if not isinstance(value, Decimal):
        raise ContractBroken(f"no {figure}", system=SYSTEM, operation="Expediente_InfoEconomica_GET")
    return value
