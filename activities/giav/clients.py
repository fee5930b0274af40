"""The payer in GIAV: found by document, else created, never doubled (contracts: giav 2.3; money-rules F-C3)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from activities.effects import Effect
from activities.giav.client import SYSTEM
from activities.giav.elements import Record
from activities.giav.mapping.merging import CLIENTE, conflicts, merged, respecting, sent
from activities.giav.mapping.parties import Document, cliente, document_of, same_name
from activities.giav.mapping.values import Request, carries
from activities.giav.office import AMEND, CREATE, Office, own_id
from activities.giav.replacing import CHANGED_THERE, Replacement, replace
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

    def make() -> str:
        own = office.client.create("Cliente_POST", **request)
        return office.proven("Cliente_POST", own, lambda: office.lookups.cliente(key.reference))

    def act(_: str) -> str:
        if document is None:
            return make()
        known = _known(office, payer, document)
        if known is not None:
            return known
        nameless = _made_without_document(office, payer)
        if nameless is not None:
            _completed(office, nameless, key, request, nameless_key(office, payer))
            return str(nameless)
        return _create(office, payer, document, make)

    effect = Effect(
        key=key,
        act=act,
        look_up=lambda reference: office.lookups.cliente(reference) or _agreeing_ids(office, payer, document),
        booking_id=booking_id,
        request=request,
    )
    return own_id(office.effects.perform(effect), key)


def amend_client(office: Office, payer: Party, client: int, booking_id: str) -> str:
    """Bring a client that we made to what the payer tells now; answers what was left out, and why.

    A client that the agency made itself is the agency's: it may hold what the service never gives back (giav 2.1).
    """
    created = client_key(office, payer)
    field = office.settings.custom_fields.cliente
    last_key, turn = created, 1
    while office.made(office.key("cliente", created.business_id, AMEND, turn)) is not None:
        last_key = office.key("cliente", created.business_id, AMEND, turn)
        turn += 1
    last = office.store.effects.last_request(last_key)
    wished = cliente(payer, created.reference, field)
    if last is None or all(respecting(last, wished).get(name) == last.get(name) for name in CLIENTE.ours):
        return ""
    theirs: Record | None = office.client.call("Cliente_GET", id=client)
    if theirs is None or not carries(theirs, field, created.reference):
        return f"the payer's data changed; client {client} was not made by us and is left as it is"
    put = Replacement(
        key=office.key("cliente", created.business_id, AMEND, turn),
        operation="Cliente_PUT",
        shape=CLIENTE,
        own=client,
        last_key=last_key,
        last=last,
        wished={"idCliente": client, **wished},
        read=lambda: office.client.call("Cliente_GET", id=client),
        booking_id=booking_id,
        any_change=True,
    )
    return "" if replace(office, put) else f"client {client} is left as it was changed in GIAV"


def _completed(office: Office, client: int, key: EffectKey, wished: Request, last_key: EffectKey) -> None:
    """Give the client that we made of the same payer the document that came later."""
    theirs: Record = office.client.call("Cliente_GET", id=client)
    last = office.store.effects.last_request(last_key) or {}
    found = conflicts(CLIENTE, last, wished, theirs, None)
    answer = "take_ours"
    if found:
        words = f"client {client} was changed in GIAV ({', '.join(found)}) and our change would write over it"
        answer = office.ask(key, CHANGED_THERE, words, ("take_ours", "keep_theirs"))
    request = merged(CLIENTE, last, wished, theirs, found if answer == "keep_theirs" else ())
    office.client.call("Cliente_PUT", idCliente=client, **sent(request))


def _create(office: Office, payer: Party, document: Document, make: Callable[[], str]) -> str:
    try:
        return make()
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
    return office.made(nameless_key(office, payer))


def nameless_key(office: Office, payer: Party) -> EffectKey:
    return office.key("cliente", f"{payer.id}:{NO_DOCUMENT}", CREATE)
