"""Payments: "Pagado sin sincronizar" first, one of them from both sides, and what a person decides (contracts: payment-sync 8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import StreamingResponse

from domain.payment_sync import CAUSES, TERMINAL, CommandOutcome, Kind, State, Verdict
from domain.payment_sync.commands import COMMANDS
from domain.people import Role
from starter.console.areas import Area, Link
from starter.console.labels import label
from starter.console.languages import N_
from starter.console.pages.payments_words import in_words
from starter.console.refusals import NotHere
from starter.console.rendering import back_to, page
from starter.console.visiting import ChosenAgencies, Here, Operator, Surroundings, Viewer, Visitor
from starter.desk import payment_commands, payments
from starter.desk.payment_commands import Said
from starter.desk.payments import COLUMNS, PaymentDetail, states_called
from starter.desk.refusals import Away, DeskError, MovedOn, NotAllowed, NotFound, Refused, Unclear
from starter.sheets import csv_lines
from store.payment_lists import Order, PaymentFilter

router = APIRouter()
AREA = Area("payments", router, (Link("/payments", N_("Cobros"), "money", 10),))

A_PAGE = 50
BATCH = 50
"""Payments that one click synchronises at most: somebody waits for the answer."""
STATUSES = ("unsynchronised", *(state.value for state in State if state not in (State.REQUESTED, State.EXPIRED)))
AGES = {"1": N_("más de 1 hora"), "24": N_("más de 24 horas"), "168": N_("más de 7 días")}
TEMPLATES = {
    "by_hand": N_("Ya estaba registrado a mano en el ERP con el mismo código de autorización."),
    "accounting": N_("Contabilidad lo ha comprobado en el ERP y confirma que está registrado."),
    "other_document": N_("Está contabilizado en otro documento del ERP."),
}
"""Explanations that are given often; the person's own words come after them."""
AMBER, RED = timedelta(hours=1), timedelta(hours=24)
DONE = N_("%(command)s: hecho. Estado: %(state)s.")
NOT_DONE = N_("%(command)s: no se ha hecho, %(reason)s.")
FASTER = N_("Otra persona o el sistema se ha adelantado: el cobro ha cambiado. Revíselo antes de decidir.")

Text = Annotated[str, Query(max_length=200)]
Words = Annotated[str, Form(max_length=2000)]


def _wanted(
    here: Surroundings, status: str, cause: str, connector: str, age: str, least: str, most: str, name: str
) -> PaymentFilter:
    if status and status not in STATUSES:
        raise Unclear(f"no status is called '{status}'")
    return PaymentFilter(
        states=states_called(status),
        causes=frozenset({cause}) if cause else frozenset(),
        connector=connector or None,
        captured_before=here.now() - timedelta(hours=int(age)) if age in AGES else None,
        least=_minor(least),
        most=_minor(most),
        text=name.strip() or None,
    )


@router.get("/payments")
def index(
    request: Request,
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    status: Text = "unsynchronised",
    cause: Text = "",
    connector: Text = "",
    age: Text = "",
    least: Text = "",
    most: Text = "",
    name: Text = "",
    order: Order = "urgent",
    after: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    agency = agencies[0] if len(agencies) == 1 else None
    asked = {"status": status, "cause": cause, "connector": connector, "age": age, "least": least, "most": most,
             "name": name}  # fmt: skip
    wanted = _wanted(here, **asked)
    found = payments.list_payments(here, visitor.acting, wanted, agency=agency, order=order, after=after, limit=A_PAGE)
    return page(
        request,
        "payments/list.html",
        found=found,
        waiting=payments.waiting(here, visitor.acting, agency),
        asked=asked,
        order=order,
        statuses=STATUSES,
        causes=CAUSES,
        ages=AGES,
        connectors=here.store.payment_lists.connectors(agencies),
        batch_of=agency if cause and visitor.may(Role.OPERATOR) else None,
        batch_size=BATCH,
        amber=AMBER.total_seconds(),
        red=RED.total_seconds(),
    )


@router.get("/payments.csv")
def export(
    here: Here,
    visitor: Viewer,
    agencies: ChosenAgencies,
    status: Text = "unsynchronised",
    cause: Text = "",
    connector: Text = "",
    age: Text = "",
    least: Text = "",
    most: Text = "",
    name: Text = "",
    order: Order = "urgent",
) -> Response:
    wanted = _wanted(here, status, cause, connector, age, least, most, name)
    agency = agencies[0] if len(agencies) == 1 else None
    rows = payments.exported(here, visitor.acting, wanted, agency=agency, order=order)
    headers = {"Content-Disposition": 'attachment; filename="payments.csv"'}
    return StreamingResponse(csv_lines(COLUMNS, rows), media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/payments/sync-now")
async def sync_batch(
    here: Here,
    visitor: Operator,
    agency: Annotated[str, Form(max_length=100)],
    cause: Annotated[str, Form(max_length=30)],
) -> Response:
    visitor.must_see(agency)
    lines = await payment_commands.batch(here, visitor.acting, agency, cause, limit=BATCH)
    done = sum(line.accepted for line in lines)
    told = [
        ("good" if done else "plain", visitor.say("Sincronizados: %(done)s de %(all)s.", done=done, all=len(lines)))
    ]
    refused = [line for line in lines if not line.accepted]
    if refused:
        words = "; ".join(f"{line.payment}: {in_words(line.reason, visitor.say)}" for line in refused[:5])
        told.append(("bad", words + ("; …" if len(refused) > 5 else "")))
    return back_to(f"/payments?agency={agency}&cause={cause}", *told)  # type: ignore[arg-type]


@router.get("/payments/{agency}/{payment}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, payment: str, seen: str = "") -> Response:
    """`seen` is the version that the forms of the open page carry, when only a part of it is asked for."""
    visitor.must_see(agency)
    return _one(request, here, visitor, agency, payment, seen=seen)


@router.post("/payments/{agency}/{payment}/{command}")
async def act(
    request: Request,
    here: Here,
    visitor: Operator,
    agency: str,
    payment: str,
    command: str,
    version: Annotated[int, Form(ge=0)],
    template: Words = "",
    explanation: Words = "",
    override: Words = "",
    reference: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    visitor.must_see(agency)
    kind = next((each for each in COMMANDS if each.value.replace("_", "-") == command), None)
    if kind is None:
        raise NotHere
    words = " ".join(part for part in (visitor.say(TEMPLATES.get(template, "")), explanation.strip()) if part)
    said = Said(explanation=words, override=override.strip(), reference=reference.strip(), expected_version=version)
    name = visitor.say(_called(kind))
    try:
        done = await payment_commands.command(here, visitor.acting, agency, payment, kind, said)
    except (NotFound, NotAllowed):
        raise
    except DeskError as refusal:
        wrong = visitor.say(NOT_DONE, command=name, reason=in_words(str(refusal), visitor.say))
        typed = {"template": template, "explanation": explanation, "override": override, "reference": reference}
        return await asyncio.to_thread(
            _one,
            request,
            here,
            visitor,
            agency,
            payment,
            wrong=visitor.say(FASTER) if isinstance(refusal, MovedOn) else wrong,
            typed=typed | {"kind": kind.value},
            outcome=refusal.outcome if isinstance(refusal, Refused) else None,
            status=503 if isinstance(refusal, Away) else 409,
        )
    state = visitor.say(_shown(done))
    return back_to(f"/payments/{agency}/{payment}", ("good", visitor.say(DONE, command=name, state=state)))


def _one(
    request: Request,
    here: Surroundings,
    visitor: Visitor,
    agency: str,
    payment: str,
    *,
    seen: str = "",
    wrong: str = "",
    typed: dict[str, str] | None = None,
    outcome: CommandOutcome | None = None,
    status: int = 200,
) -> Response:
    found = payments.show_payment(here, visitor.acting, agency, payment)
    if outcome is not None and outcome.evidence is not None and not _same_look(found, outcome):
        found = payments.with_evidence(found, outcome.evidence)
    reasons = {each.command: in_words(each.why_not, visitor.say) for each in found.actions}
    overrules = found.evidence is None or found.evidence.verdict is not Verdict.SAME_PAYMENT
    return page(
        request,
        "payments/one.html",
        status,
        payment=found,
        reasons=reasons,
        told=lambda text: in_words(text, visitor.say),
        able=[kind for kind, why_not in reasons.items() if not why_not],
        overrules=overrules and visitor.may(Role.SUPERVISOR),
        ended=found.state in TERMINAL,
        templates=TEMPLATES,
        moved_on=seen.isdecimal() and int(seen) != found.version,
        wrong=wrong,
        typed=typed or {},
    )


def _same_look(found: PaymentDetail, outcome: CommandOutcome) -> bool:
    return found.evidence == outcome.evidence


def _called(kind: Kind) -> str:
    return label("payment_command", kind)


def _shown(done: CommandOutcome) -> str:
    return label("sync_state", done.state)


def _minor(text: str) -> int | None:
    """An amount as people type it, in major units, with a comma or a point."""
    if not text.strip():
        return None
    try:
        value = Decimal(text.strip().replace(",", ".")) * 100
    except InvalidOperation:
        raise Unclear(f"'{text}' is no amount; write it like 120,50") from None
    if not value.is_finite() or not 0 <= value <= 10**15:
        raise Unclear(f"'{text}' is no amount; write it like 120,50")
    return round(value)
