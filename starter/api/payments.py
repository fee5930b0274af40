"""Payments: find them, look at one from both sides, decide (contracts: payment-sync 4, 5, 8)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from domain.payment_sync import CAUSES, CommandOutcome, Kind
from domain.payment_sync.guards import WORDS
from starter.api.identity import Caller, Office
from starter.api.parameters import ID, After, AnyAgency, InAgency, Limit, PaymentId, Word, payment_filter
from starter.api.problems import CHANGES, READS
from starter.desk import payment_commands, payments
from starter.desk.payment_commands import BatchLine, Said
from starter.desk.payments import COLUMNS, PaymentDetail, PaymentsPage, WaitingCause
from starter.sheets import csv_lines
from store.payment_lists import Order, PaymentFilter

router = APIRouter(prefix="/payments", tags=["payments"])
MOST_AMOUNT = 10**15


def _wanted(
    office: Office,
    status: Annotated[
        list[str],
        Query(
            description="A state, or (a part of) its Spanish words; several may be given. `Pagado sin sincronizar` and "
            "`unsynchronised` are a view of nine states.",
            examples=[["unsynchronised"]],
            max_length=20,
        ),
    ] = [],  # noqa: B006 read, never changed
    cause: Annotated[
        list[str], Query(description=f"Why it waits, in one word: {', '.join(CAUSES)}.", max_length=20)
    ] = [],  # noqa: B006 read, never changed
    connector: Annotated[str | None, Query(description="The ERP.", max_length=200)] = None,
    older_than_hours: Annotated[
        float | None, Query(description="Captured at least so many hours ago.", ge=0, le=10**6)
    ] = None,
    younger_than_hours: Annotated[
        float | None, Query(description="Captured at most so many hours ago.", ge=0, le=10**6)
    ] = None,
    least: Annotated[int | None, Query(description="Least amount, in minor units.", ge=0, le=MOST_AMOUNT)] = None,
    most: Annotated[int | None, Query(description="Greatest amount, in minor units.", ge=0, le=MOST_AMOUNT)] = None,
    currency: Annotated[str | None, Query(description="ISO 4217.", pattern=r"^[A-Z]{3}$")] = None,
    claimed_by: Word = None,
    booking: Word = None,
    name: Annotated[
        str | None,
        Query(description="Payment, booking, locator, processor's reference or invoice number, whole.", max_length=200),
    ] = None,
) -> PaymentFilter:
    return payment_filter(
        office, status, cause, connector, older_than_hours, younger_than_hours, least, most, currency, claimed_by,
        booking, name,
    )  # fmt: skip


Wanted = Annotated[PaymentFilter, Depends(_wanted)]
InOrder = Annotated[
    Order, Query(description="`urgent`: paid and not synchronised first, the oldest first; `newest`: by capture.")
]


@router.get("", operation_id="listPayments", summary="Payments that fit every given filter", responses=READS)
def list_payments(
    office: Office,
    caller: Caller,
    wanted: Wanted,
    agency: AnyAgency = None,
    order: InOrder = "urgent",
    after: After = None,
    limit: Limit = 50,
) -> PaymentsPage:
    """A page at a time. Pages neither lose nor repeat a payment that stays in its place while they are turned."""
    return payments.list_payments(office, caller, wanted, agency=agency, order=order, after=after, limit=limit)


@router.get(
    ".csv",
    operation_id="exportPayments",
    summary="The same as a CSV file, whole",
    response_class=StreamingResponse,
    responses=READS | {200: {"description": "UTF-8, with a heading", "content": {"text/csv": {}}}},
)
def export_payments(
    office: Office, caller: Caller, wanted: Wanted, agency: AnyAgency = None, order: InOrder = "urgent"
) -> StreamingResponse:
    """Text that a spreadsheet would take for a formula begins with an apostrophe."""
    rows = payments.exported(office, caller, wanted, agency=agency, order=order)
    headers = {"Content-Disposition": 'attachment; filename="payments.csv"'}
    return StreamingResponse(csv_lines(COLUMNS, rows), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/waiting", operation_id="countWaiting", summary="What is not synchronised, by cause", responses=READS)
def waiting(office: Office, caller: Caller, agency: AnyAgency = None) -> list[WaitingCause]:
    """How many payments wait for each cause, and since when the oldest of them; the oldest first."""
    return payments.waiting(office, caller, agency)


class Batch(BaseModel):
    """All payments of one agency that wait for one cause."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"agency": "demo", "cause": "business"}]})

    agency: Annotated[str, Field(max_length=100)]
    cause: Annotated[str, Field(max_length=30)]


@router.post("/sync-now", operation_id="syncBatch", summary="Sincronizar ahora, for one cause", responses=CHANGES)
async def sync_batch(office: Office, caller: Caller, given: Batch) -> list[BatchLine]:
    """At most 200 payments, the oldest first, one after the other, each after its own look at the ERP."""
    return await payment_commands.batch(office, caller, given.agency, given.cause)


@router.get(
    "/{agency}/{payment}", operation_id="showPayment", summary="One payment, seen from both sides", responses=READS
)
def show(office: Office, caller: Caller, agency: InAgency, payment: PaymentId) -> PaymentDetail:
    """The payment beside the ERP's receipts, verdict, last error, line of time, and each command with why it is off."""
    return payments.show_payment(office, caller, agency, payment)


class Told(BaseModel):
    """`expected_version` is the `version` that the person saw; `command_id` makes a repetition harmless."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"expected_version": 7}]})

    expected_version: Annotated[int, Field(ge=0, le=10**9)]
    command_id: Annotated[str | None, Field(pattern=ID, max_length=100)] = None


class Explained(Told):
    """With the person's words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"expected_version": 7, "explanation": "seen in the ERP with the same authorisation code"}]
        },
    )

    explanation: Annotated[str, Field(min_length=WORDS, max_length=2000)]


class Overruling(Explained):
    """`override` is a supervisor's second explanation, where the ERP says otherwise."""

    override: Annotated[str, Field(max_length=2000)] = ""


class Proven(Told):
    """`explanation`: how the customer's word is known."""

    explanation: Annotated[str, Field(max_length=2000)] = ""


class Refunded(Told):
    """`reference` is the processor's of the refund."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"expected_version": 9, "reference": "re_771"}]}
    )

    reference: Annotated[str, Field(min_length=1, max_length=200)]
    explanation: Annotated[str, Field(max_length=2000)] = ""


COMMANDS: tuple[tuple[Kind, str, type[Told], str, str], ...] = (
    (Kind.CLAIM, "claimPayment", Told, "Look at it yourself",
     "For half an hour nobody else may decide; claiming again renews it. The ERP is looked at."),
    (Kind.RELEASE, "releasePayment", Told, "Let a claimed payment go", "It goes back to where it was claimed."),
    (Kind.SYNC_NOW, "syncPaymentNow", Told, "Sincronizar ahora",
     "Writes it into the ERP, after a look of this minute that says that it is unpaid there; else refused with that evidence."),
    (Kind.SYNC_MANUALLY, "syncPaymentManually", Overruling, "Sincronizar manualmente",
     "It is in the ERP already; nothing is written there. Needs a verdict of the same payment, or a supervisor's `override`."),
    (Kind.DECLARE_DUPLICATE, "declareDuplicate", Proven, "Something else has settled it",
     "For a claimed payment whose receivable the ERP shows as paid otherwise."),
    (Kind.ASK_CUSTOMER, "askCustomer", Proven, "Ask the customer: credit, or money back", "Of a duplicate."),
    (Kind.CHOOSE_CREDIT, "chooseCredit", Proven, "Credit a duplicate to later instalments", "In the customer's name."),
    (Kind.CHOOSE_REFUND, "chooseRefund", Proven, "Give a duplicate back", "Asks the processor; it is not done by that."),
    (Kind.REFUND_DONE, "confirmRefund", Refunded, "The processor has given it back", "Under its own reference."),
    (Kind.RETRY_REFUND, "retryRefund", Proven, "Ask the processor again", "After a refusal, or no answer."),
    (Kind.UNDO_MANUAL, "undoManual", Explained, "Take a manual mark back", "Supervisors, within 30 days."),
)  # fmt: skip


def _command(kind: Kind, body: type[Told]) -> Any:
    async def given_command(
        office: Office, caller: Caller, agency: InAgency, payment: PaymentId, told: Told
    ) -> CommandOutcome:
        said = Said(**told.model_dump())
        return await payment_commands.command(office, caller, agency, payment, kind, said)

    given_command.__annotations__["told"] = body
    return given_command


for _kind, _operation, _body, _summary, _description in COMMANDS:
    router.post(
        f"/{{agency}}/{{payment}}/{_kind.value.replace('_', '-')}",
        operation_id=_operation,
        summary=_summary,
        description=_description,
        responses=CHANGES,
        response_model=CommandOutcome,
    )(_command(_kind, _body))
