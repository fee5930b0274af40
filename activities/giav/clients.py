"""The payer in GIAV: found by document, else created, never doubled (contracts: giav 2.3; money-rules F-C3)."""

from __future__ import annotations

import base64
import hashlib

from activities.effects import Effect
from activities.giav.client import SYSTEM
from activities.giav.elements import Record
from activities.giav.mapping.parties import Document, cliente, document_of, same_name
from activities.giav.mapping.values import Request
from activities.giav.office import CREATE, Office, own_id
from domain.effects import EffectKey
from domain.errors import NeedsPerson, Refused
from domain.platform import Party

NO_DOCUMENT = "-"


def client_key(office: Office, payer: Party) -> EffectKey:
    """Payer and tax id. The fingerprint is short on purpose: it tells a changed tax id apart and gives none away."""
    document = document_of(payer)
    mark = NO_DOCUMENT
    if document is not None:
        mark = base64.b32encode(hashlib.sha256(document.value.encode()).digest()).decode()[:4]
    return office.key("cliente", f"{payer.id}:{mark}", CREATE)


def ensure_client(office: Office, payer: Party, booking_id: str) -> int:
    """The payer's client id. Raises `NeedsPerson` when the document belongs to somebody with another name."""
    key = client_key(office, payer)
    document = document_of(payer)
    request = cliente(payer, key.reference, office.settings.custom_fields.cliente)

    def act(_: str) -> str:
        if document is None:
            return office.client.create("Cliente_POST", **request)
        known = _known(office, payer, document)
        if known is not None:
            return known
        nameless = _made_without_document(office, payer)
        if nameless is not None:
            office.client.call("Cliente_PUT", idCliente=nameless, **request)
            return str(nameless)
        return _create(office, payer, document, request)

    effect = Effect(
        key=key,
        act=act,
        look_up=lambda reference: office.lookups.cliente(reference) or _agreeing_ids(office, payer, document),
        booking_id=booking_id,
        request=request,
    )
    return own_id(office.effects.perform(effect), key)


def _create(office: Office, payer: Party, document: Document, request: Request) -> str:
    try:
        return office.client.create("Cliente_POST", **request)
    except Refused:
        # Refused as a duplicate, perhaps: another booking of the same payer was faster.
        known = _known(office, payer, document)
        if known is None:
            raise
        return known


def _known(office: Office, payer: Party, document: Document) -> str | None:
    """The client with this document. Name and document must agree before it is taken."""
    found = office.lookups.clientes_with(document.value)
    agreeing = _agreeing(payer, found)
    if agreeing:
        return agreeing[0]
    if found:
        raise NeedsPerson(
            f"client {found[0]['Id']} has the payer's document and another name; adopt it or correct one of them",
            system=SYSTEM,
            operation="Cliente_SEARCH",
        )
    return None


def _agreeing_ids(office: Office, payer: Party, document: Document | None) -> list[str]:
    return _agreeing(payer, office.lookups.clientes_with(document.value)) if document else []


def _agreeing(payer: Party, found: list[Record]) -> list[str]:
    return [str(each["Id"]) for each in found if same_name(payer, each["Nombre"], each["Apellidos"])]


def _made_without_document(office: Office, payer: Party) -> int | None:
    """The client that we made of the same payer before the document was known: it is completed, not doubled."""
    return office.made(office.key("cliente", f"{payer.id}:{NO_DOCUMENT}", CREATE))
