"""Whose name is on the invoices so far: another payer, wrong data, simplified ones (contracts: money-rules 1.3, 1.3.5, F-M10).

Nothing of it is automatic: a person approves that documents of the past are issued anew. The payer of future payments needs
no question.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from activities.giav.clients import client_key
from activities.giav.corrections import Correction, standing_invoices
from activities.giav.documents import PLAN, Desk, How
from activities.giav.mapping.money import recipient
from activities.giav.mapping.values import Request
from activities.giav.office import CREATE, Office
from domain.effects import EffectState
from domain.platform import Booking
from domain.steps import Decision
from store.documents import Document

QUESTION = "invoice question"
MARK = "recipient-"
APPROVE_OR_NOT: tuple[Decision, ...] = ("approve", "decline")


WORDS = {
    "payer_replaced": "the payer changed: credit the former payer's invoices and issue them to the new one?",
    "invoice_data_wrong": "the payer's data on invoices changed: rectify them by substitution?",
    "simplified_exchange": "the payer's fiscal data are complete now: exchange the simplified invoices for full ones?",
}
HOW: dict[str, How] = {
    "payer_replaced": "credit",
    "invoice_data_wrong": "substitute",
    "simplified_exchange": "exchange",
}


def correct_recipients(
    office: Office, desk: Desk, booking: Booking, client: int
) -> tuple[list[Document], list[Document]]:
    """What was credited and issued anew because a person approved it. Raises `NeedsPerson` while one is asked."""
    credited: list[Document] = []
    issued: list[Document] = []
    mark = _mark(booking, client)
    for reason in WORDS:
        cause = f"{MARK}{mark}-{reason}"
        wrong = _wrong(office, desk, booking, client, reason)
        if wrong and _approved(office, booking, reason, mark, wrong):
            desk.decide(cause, [Correction(document, document.amount) for document in wrong], booking.currency)
        plan = desk.decided(cause, booking.currency)
        credited += desk.credit(cause, plan, HOW[reason])
        issued += desk.reissue(cause, plan, client, HOW[reason])
    return credited, issued


def stay_with_former_payer(office: Office, desk: Desk, booking: Booking, client: int) -> bool:
    """Whether invoices stand that nobody wanted issued anew to the payer of now."""
    return bool(_wrong(office, desk, booking, client, "payer_replaced"))


def under_way(office: Office, booking: Booking, desk: Desk) -> bool:
    """Whether documents were approved to be issued anew and are not all there: books look as if less were sold than is."""
    known = {document.key for document in desk.documents()}
    for record in office.records(booking.id):
        cause = record.key.business_id.partition("/")[2]
        if record.key.entity == PLAN and cause.startswith(MARK) and record.state is EffectState.DONE:
            plan = desk.decided(cause, booking.currency)
            if any(f"inv:{each.document.payment_id or each.document.key}:{cause}" not in known for each in plan):
                return True
    return False


def _approved(office: Office, booking: Booking, reason: str, mark: str, wrong: list[Document]) -> bool:
    """A question is answered once for the same data; declined it stays declined."""
    about = office.key(QUESTION, f"{booking.id}/{reason}/{mark}", "ask")
    numbers = ", ".join(document.number for document in wrong)
    return office.ask(about, reason, f"{WORDS[reason]} ({numbers})", APPROVE_OR_NOT) == "approve"


def _wrong(office: Office, desk: Desk, booking: Booking, client: int, reason: str) -> list[Document]:
    return [
        document
        for document in standing_invoices(desk.documents())
        if _judge(office, booking, client, desk.request_of(document)) == reason
    ]


def _judge(office: Office, booking: Booking, client: int, request: Request | None) -> str | None:
    if request is None:
        return None
    if request["idCliente"] != client and _payer_of(office, booking, request["idCliente"]) != booking.payer.id:
        return "payer_replaced"
    if request["simplificada"]:
        return "simplified_exchange" if booking.payer.fiscal_complete else None
    wished = {"idCliente": client, **recipient(booking.payer)}
    same = all(_plain(request.get(name)) == _plain(value) for name, value in wished.items())
    return None if same or not booking.payer.fiscal_complete else "invoice_data_wrong"


def _payer_of(office: Office, booking: Booking, client: int) -> str | None:
    """The payer of the platform whom a client of this booking stands for."""
    return next(iter(_payers(office, booking, client)), None)


def _payers(office: Office, booking: Booking, client: int) -> Iterable[str]:
    for record in office.records(booking.id):
        if (record.key.entity, record.key.operation) == ("cliente", CREATE) and record.outside_id == str(client):
            yield record.key.business_id.partition(":")[0]
    if office.made(client_key(office, booking.payer)) == client:
        # Another booking of the same payer made the client.
        yield booking.payer.id


def _mark(booking: Booking, client: int) -> str:
    """The data in short, giving none of it away: a question about the same data is the same question."""
    told = "\x1f".join(
        str(value) for value in (client, *recipient(booking.payer).values(), booking.payer.fiscal_complete)
    )
    return base64.b32encode(hashlib.sha256(told.encode()).digest()).decode()[:8].lower()


def _plain(value: object) -> str:
    return " ".join(str(value or "").casefold().split())
