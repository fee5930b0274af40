"""AirPlus' TAMARA: lines with their correction form, files, and answers with what came by other ways (contracts: tamara 3.9 to 3.12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.concurrency import run_in_threadpool

from domain import naming
from domain.money import Money
from domain.people import Role
from starter.console import labels
from starter.console.areas import Area, Link
from starter.console.languages import N_
from starter.console.listing import After, Column, OneAgency, Word, as_file, each, list_page, page_of, place_of
from starter.console.refusals import NotHere
from starter.console.rendering import back_to
from starter.console.visiting import Here, Operator, Surroundings, Viewer, Visitor
from starter.desk import tamara
from starter.desk.refusals import DeskError, NotFound
from store.tamara_answers import LineAnswer, StoredAnswer, Verdict
from store.tamara_lists import FilePlace
from store.tamara_tables import File, FileState, Line, LineState

router = APIRouter()
AREA = Area("tamara", router, (Link("/tamara/lines", N_("TAMARA (AirPlus)"), "money", 50),))
SIZE = 50
LINE_STATES: tuple[str, ...] = get_args(LineState)
FILE_STATES: tuple[str, ...] = get_args(FileState)
VERDICTS: tuple[str, ...] = get_args(Verdict)
BACK = ("REJECTED", "EXPIRED")
MENDABLE = ("STAGED", "REFUSED", *BACK)
PREFIX = "field:"

labels.add(
    "line_state",
    {
        "STAGED": N_("preparada"),
        "REFUSED": N_("retenida por una regla"),
        "SEALED": N_("en un fichero"),
        "SENT": N_("enviada"),
        "ACCEPTED": N_("aceptada"),
        "MATCHED": N_("conciliada"),
        "HELD": N_("en espera en AirPlus"),
        "EXPIRED": N_("caducada"),
        "REJECTED": N_("rechazada"),
        "CORRECTED": N_("corregida"),
        "ABANDONED": N_("abandonada"),
        "WITHDRAWN": N_("retirada"),
    },
)
labels.add(
    "file_state",
    {
        "SEALED": N_("sellado"),
        "RENDERED": N_("escrito"),
        "UPLOADING": N_("subiendo"),
        "DELIVERED": N_("entregado"),
        "DELIVERY_UNKNOWN": N_("entrega dudosa"),
        "ACKED": N_("confirmado"),
        "PARTIAL": N_("confirmado en parte"),
        "REFUSED": N_("rechazado"),
        "UNCONFIRMED": N_("sin respuesta"),
        "CLOSED": N_("cerrado"),
        "VOID": N_("anulado"),
    },
)
labels.add(
    "verdict",
    {
        "APPLIED": N_("aplicada"),
        "DUPLICATE": N_("repetida"),
        "UNKNOWN": N_("de un fichero no enviado"),
        "CONTRADICTION": N_("contradictoria"),
        "UNREADABLE": N_("ilegible"),
    },
)


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line with what AirPlus said of it last."""

    agency: str
    line: Line
    told: LineAnswer | None

    @property
    def stopped(self) -> tuple[str | None, str | None, str | None]:
        """Rule or reason, field and words of what stops it."""
        if self.line.state in BACK and self.told is not None:
            return self.told.reason, self.told.field, self.told.text
        if self.line.state == "REFUSED":
            return self.line.refused_rule, self.line.refused_field, self.line.refused_text
        return None, None, None


LINES: tuple[Column[LineRow], ...] = (
    Column(
        "line", N_("Línea"), lambda row: row.line.id, "id", link=lambda row: f"/tamara/lines/{row.agency}/{row.line.id}"
    ),
    Column("state", N_("Estado"), lambda row: row.line.state, "badge", "line_state"),
    Column(
        "booking",
        N_("Reserva"),
        lambda row: row.line.booking_id,
        "id",
        link=lambda row: f"/bookings/{row.agency}/{row.line.booking_id}",
    ),
    Column("type", N_("Tipo"), lambda row: f"{row.line.type} {row.line.dc}"),
    Column("amount", N_("Importe"), lambda row: Money(amount=row.line.signed, currency=row.line.currency), "money"),
    Column("invoice", N_("Factura"), lambda row: row.line.credit_note_number or row.line.invoice_number, "id"),
    Column("file", N_("Fichero"), lambda row: None if row.line.seq is None else f"{row.line.kind} {row.line.seq}"),
    Column("rule", N_("Regla"), lambda row: row.stopped[0], "id"),
    Column("field", N_("Campo"), lambda row: row.stopped[1], "id"),
    Column("what_to_do", N_("Qué hacer"), lambda row: row.stopped[2]),
    Column("workflow", N_("Proceso"), lambda row: naming.booking_workflow(row.agency, row.line.booking_id), "workflow"),
)
FileRow = tuple[FilePlace, File]
FILES: tuple[Column[FileRow], ...] = (
    Column("file", N_("Fichero"), lambda row: row[1].name, "id"),
    Column("kind", N_("Clase"), lambda row: row[1].kind),
    Column("number", N_("Número"), lambda row: row[1].seq, "number"),
    Column("state", N_("Estado"), lambda row: row[1].state, "badge", "file_state"),
    Column("day", N_("Día"), lambda row: row[1].day, "day"),
    Column("lines", N_("Líneas"), lambda row: row[1].lines, "number"),
    Column("delivered_at", N_("Entregado"), lambda row: row[1].delivered_at, "moment"),
    Column("answered_at", N_("Respondido"), lambda row: row[1].answered_at, "moment"),
    Column(
        "workflow",
        N_("Proceso"),
        lambda row: naming.tamara_workflow(row[1].agency, row[1].kind, row[1].day.isoformat()),
        "workflow",
    ),
)
ANSWERS: tuple[Column[StoredAnswer], ...] = (
    Column("received_at", N_("Recibida"), lambda row: row.received_at, "moment"),
    Column("answer", N_("Respuesta"), lambda row: row.name, "id"),
    Column("verdict", N_("Resultado"), lambda row: row.verdict, "badge", "verdict"),
    Column("file", N_("Fichero"), lambda row: f"{row.kind} {row.seq}" if row.kind else None),
    Column("status", N_("Estado"), lambda row: " ".join(filter(None, (row.file_status, row.file_reason)))),
    Column("accepted", N_("Aceptadas"), lambda row: row.accepted, "number"),
    Column("rejected", N_("Rechazadas"), lambda row: row.rejected, "number"),
    Column("held", N_("En espera"), lambda row: row.held, "number"),
    Column("text", N_("Qué dice"), lambda row: row.text),
    Column("seen_by", N_("Vista por"), lambda row: row.settled_by),
)
ENTERED: dict[Verdict | None, str] = {
    None: N_("Fichero %(file)s: esto mismo ya se había introducido."),
    "APPLIED": N_("Fichero %(file)s: aplicado."),
    "DUPLICATE": N_("Fichero %(file)s: ya se sabía, no cambia nada."),
    "UNKNOWN": N_("Fichero %(file)s: todavía no se ha enviado, no se aplicó nada."),
    "CONTRADICTION": N_("Fichero %(file)s: contradice lo que se sabía; se aplicó lo que está claro."),
    "UNREADABLE": N_("Fichero %(file)s: no se entiende."),
}
PASSES = N_("La línea cumple todas las reglas y sale con el próximo fichero.")
NOTHING_OWED = N_("La línea queda abandonada: ya no se debe nada.")
CHOOSE_FILE = N_("Elija un fichero.")


def _lines(
    here: Surroundings, agency: str, state: str, booking: str, rule: str, before: int | None, limit: int
) -> list[LineRow]:
    found = here.store.tamara_lists.lines(
        agency,
        states=[state] if state in LINE_STATES else [],  # type: ignore[list-item]
        booking=booking or None,
        rule=rule or None,
        before=before,
        limit=limit,
    )
    told = here.store.tamara_answers.of_lines([line.id for line in found])
    return [LineRow(agency, line, told.get(line.id)) for line in found]


@router.get("/tamara/lines")
def lines(
    request: Request,
    here: Here,
    visitor: Viewer,
    agency: OneAgency,
    state: Word = "",
    booking: Word = "",
    rule: Word = "",
    after: After = "",
) -> Response:
    place = place_of(after, int)
    found = _lines(here, agency, state, booking, rule, place[0] if place else None, SIZE + 1)
    rows, following = page_of(found, SIZE, lambda row: (row.line.id,))
    return list_page(
        request, "tamara/lines.html", agency=agency, columns=LINES, rows=rows, next=following, states=LINE_STATES
    )


@router.get("/tamara/lines.csv")
def export_lines(
    here: Here, visitor: Viewer, agency: OneAgency, state: Word = "", booking: Word = "", rule: Word = ""
) -> Response:
    visitor.did("export", "tamara lines", agency=agency)
    rows = each(
        lambda before, limit: _lines(here, agency, state, booking, rule, before, limit), lambda row: row.line.id
    )
    return as_file(f"tamara-lineas-{agency}", LINES, rows)


@router.get("/tamara/files")
def files(
    request: Request, here: Here, visitor: Viewer, agency: OneAgency, state: Word = "", after: After = ""
) -> Response:
    place = place_of(after, datetime.fromisoformat, str)
    found = here.store.tamara_lists.files(agency, state=state or None, after=place, limit=SIZE + 1)
    rows, following = page_of(found, SIZE, lambda row: row[0])
    return list_page(
        request, "tamara/files.html", agency=agency, columns=FILES, rows=rows, next=following, states=FILE_STATES
    )


@router.get("/tamara/files.csv")
def export_files(here: Here, visitor: Viewer, agency: OneAgency, state: Word = "") -> Response:
    visitor.did("export", "tamara files", agency=agency)

    def fetch(after: FilePlace | None, limit: int) -> Sequence[FileRow]:
        return here.store.tamara_lists.files(agency, state=state or None, after=after, limit=limit)

    return as_file(f"tamara-ficheros-{agency}", FILES, each(fetch, lambda row: row[0]))


@router.get("/tamara/answers")
def answers(
    request: Request, here: Here, visitor: Viewer, agency: OneAgency, verdict: Word = "", after: After = ""
) -> Response:
    return _answers(request, here, visitor, agency, verdict, after)


def _answers(
    request: Request,
    here: Surroundings,
    visitor: Visitor,
    agency: str,
    verdict: str = "",
    after: str = "",
    *,
    status: int = 200,
    wrong: str = "",
) -> Response:
    place = place_of(after, int)
    before = place[0] if place else None
    found = here.store.tamara_lists.answers(agency, verdict=verdict or None, before=before, limit=SIZE + 1)
    rows, following = page_of(found, SIZE, lambda row: (row.id,))
    return list_page(
        request,
        "tamara/answers.html",
        status,
        agency=agency,
        columns=ANSWERS,
        rows=rows,
        next=following,
        states=VERDICTS,
        largest=tamara.LARGEST,
        may_enter=visitor.may(Role.OPERATOR) and here.installation.agencies[agency].tamara is not None,
        wrong=wrong,
    )


@router.get("/tamara/answers.csv")
def export_answers(here: Here, visitor: Viewer, agency: OneAgency, verdict: Word = "") -> Response:
    visitor.did("export", "tamara answers", agency=agency)

    def fetch(before: int | None, limit: int) -> Sequence[StoredAnswer]:
        return here.store.tamara_lists.answers(agency, verdict=verdict or None, before=before, limit=limit)

    return as_file(f"tamara-respuestas-{agency}", ANSWERS, each(fetch, lambda row: row.id))


@router.post("/tamara/answers/{agency}")
async def enter(
    request: Request, here: Here, visitor: Operator, agency: str, file: UploadFile | None = None
) -> Response:
    """An answer that came by e-mail or stands in AirPlus' viewer, as `bookings tamara enter` takes it."""
    visitor.must_see(agency)
    if here.installation.agencies[agency].tamara is None:
        raise NotHere

    async def refused(text: str, status: int) -> Response:
        return await run_in_threadpool(_answers, request, here, visitor, agency, status=status, wrong=text)

    given = await file.read(tamara.LARGEST + 1) if file is not None else b""
    if not given:
        return await refused(visitor.say(CHOOSE_FILE), 422)
    try:
        found = await tamara.enter(here, visitor.acting, agency, given)
    except DeskError as refusal:
        return await refused(str(refusal), 413 if len(given) > tamara.LARGEST else 422)
    return back_to(
        f"/tamara/answers?agency={agency}",
        *(
            (
                "good" if told in (None, "APPLIED", "DUPLICATE") else "bad",
                _entered(visitor, told, f"{key.kind} {key.seq}"),
            )
            for key, told in found
        ),
    )


def _entered(visitor: Visitor, told: Verdict | None, file: str) -> str:
    return visitor.say(ENTERED[told], file=file)


@router.get("/tamara/lines/{agency}/{line}")
def one(request: Request, here: Here, visitor: Viewer, agency: str, line: int) -> Response:
    return _line_page(request, here, visitor, agency, line)


def _line_page(
    request: Request,
    here: Surroundings,
    visitor: Visitor,
    agency: str,
    number: int,
    *,
    status: int = 200,
    wrong: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    refusal: str = "",
    card: str = "",
) -> Response:
    """`wrong` says beside which field what is wrong; `typed` is what stood in the form and stands there again."""
    visitor.must_see(agency)
    try:
        line = tamara.line_of(here, visitor.acting, agency, number)
    except NotFound:
        raise NotHere from None
    row = LineRow(agency, line, here.store.tamara_answers.of_lines([line.id]).get(line.id))
    fields: Sequence[tamara.FormField] = ()
    if line.state in MENDABLE and visitor.may(Role.OPERATOR):
        try:
            fields = tamara.form_of(here, agency, line)
        except DeskError as error:
            refusal = refusal or str(error)
    stopped_at = row.stopped[1]
    return list_page(
        request,
        "tamara/line.html",
        status,
        agency=agency,
        row=row,
        line=line,
        versions=here.store.tamara_answers.versions(line.txn_ref),
        stopped=row.stopped,
        fields=sorted(fields, key=lambda field: (field.name != stopped_at, field.name)),
        may_abandon=line.state in BACK and visitor.may(Role.OPERATOR),
        wrong=wrong or {},
        typed=typed or {},
        refusal=refusal,
        card=card,
        prefix=PREFIX,
    )


@router.post("/tamara/lines/{agency}/{line}/fix")
async def fix(request: Request, here: Here, visitor: Operator, agency: str, line: int) -> Response:
    """The same function as `bookings tamara fix`; only what was changed in the form is set."""
    visitor.must_see(agency)
    form = await request.form()
    typed = {
        name.removeprefix(PREFIX): value.strip()
        for name, value in form.items()
        if name.startswith(PREFIX) and isinstance(value, str)
    }
    card = form.get("card")
    chosen = card if isinstance(card, str) and card else None

    def again(status: int, number: int = line, **values: Any) -> Response:
        return _line_page(
            request, here, visitor, agency, number, status=status, typed=typed, card=chosen or "", **values
        )

    changes = await run_in_threadpool(_changes, here, visitor, agency, line, typed)
    try:
        mended = await tamara.fix(here, visitor.acting, agency, line, changes, chosen)
    except tamara.WrongFields as refusal:
        return await run_in_threadpool(again, 422, wrong=dict(refusal.fields))
    except DeskError as refusal:
        return await run_in_threadpool(again, 409, refusal=str(refusal))
    if mended.state == "REFUSED":
        field, text = mended.refused_field or "", f"{mended.refused_rule}: {mended.refused_text}"
        return await run_in_threadpool(
            again, 422, mended.id, wrong={field: text}, refusal="" if field in typed else text
        )
    said = NOTHING_OWED if mended.state == "ABANDONED" else PASSES
    return back_to(f"/tamara/lines/{agency}/{mended.id}", ("good", visitor.say(said)))


def _changes(here: Surroundings, visitor: Visitor, agency: str, number: int, typed: dict[str, str]) -> dict[str, str]:
    """What was typed and does not stand in the line already."""
    try:
        line = tamara.line_of(here, visitor.acting, agency, number)
        known = {field.name: field.text for field in tamara.form_of(here, agency, line)}
    except NotFound:
        raise NotHere from None
    except DeskError:
        known = {}
    return {name: text for name, text in typed.items() if known.get(name) != text}


@router.post("/tamara/lines/{agency}/{line}/abandon")
async def abandon(
    request: Request,
    here: Here,
    visitor: Operator,
    agency: str,
    line: int,
    why: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    visitor.must_see(agency)
    try:
        await tamara.abandon(here, visitor.acting, agency, line, why)
    except NotFound:
        raise NotHere from None
    except DeskError as refusal:
        return await run_in_threadpool(
            _line_page,
            request,
            here,
            visitor,
            agency,
            line,
            status=409,
            wrong={"why": str(refusal)},
            typed={"why": why},
        )
    said = visitor.say(N_("La línea queda abandonada y contabilidad lo sabe."))
    return back_to(f"/tamara/lines/{agency}/{line}", ("good", said))
