"""The record of a file in GIAV: sent whole, without writing over what people changed (contracts: giav 2.1, 2.4)."""

from __future__ import annotations

from activities.giav.mapping.expediente import content
from activities.giav.mapping.merging import EXPEDIENTE
from activities.giav.mapping.values import Request
from activities.giav.office import AMEND, CREATE, Office
from activities.giav.replacing import Replacement, replace
from domain.effects import EffectKey
from domain.platform import Experience

HOLDER = "expediente holder"
REMARKS = ("observacionesInternas", "Observaciones")


def put_expediente(office: Office, experience: Experience, own: int, revision: int) -> bool:
    """The whole record as the experience tells it; False when a person wants it left as it stands in GIAV."""
    holder = office.made(office.key(HOLDER, experience.id, CREATE)) or office.settings.b2c_holder_client_id
    key = office.key("expediente", experience.id, AMEND, revision)
    return _replace(office, experience, key, own, holder)


def put_holder(office: Office, experience: Experience, own: int, payer_client: int, booking_id: str) -> None:
    """Make a client the holder of the file. A person who keeps another one there has decided it for good."""
    key = office.key(HOLDER, experience.id, CREATE)
    if office.made(key) is None and not _replace(office, experience, key, own, payer_client, booking_id):
        stands = office.client.call("Expediente_GET", id=own)
        office.store.effects.intend(key, booking_id=booking_id, request=None)
        office.store.effects.done(key, str(stands["IdCliente"]), adopted=True)


def is_closed(office: Office, own: int) -> bool:
    return bool((office.client.call("Expediente_GET", id=own) or {}).get("Cerrado"))


def _replace(
    office: Office, experience: Experience, key: EffectKey, own: int, holder: int, booking_id: str | None = None
) -> bool:
    reference = office.key("expediente", experience.id, CREATE).reference
    wished: Request = {"idExpediente": own, **content(experience, holder, reference, office.settings)}
    last_key = _newest(office, experience)
    put = Replacement(
        key=key,
        operation="Expediente_PUT",
        shape=EXPEDIENTE,
        own=own,
        last_key=last_key,
        last=office.store.effects.last_request(last_key) or {},
        wished=wished,
        read=lambda: office.client.call("Expediente_GET", id=own),
        booking_id=booking_id,
        target=holder if key.entity == HOLDER else own,
        remarks=REMARKS,
    )
    return replace(office, put)


def _newest(office: Office, experience: Experience) -> EffectKey:
    """The effect that wrote the expediente last."""
    ledger = office.store.effects
    amended = ledger.newest(office.key("expediente", experience.id, AMEND))
    holder = office.key(HOLDER, experience.id, CREATE)
    held = office.made(holder)
    named = (ledger.last_request(amended) or {}).get("idCliente") if amended is not None else None
    # An amendment that names the holder came after the change of holder.
    if held is not None and named != held and ledger.last_request(holder) is not None:
        return holder
    return amended or office.key("expediente", experience.id, CREATE)
