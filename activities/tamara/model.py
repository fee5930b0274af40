"""The canonical TAMARA file: the roots that a layout may name as sources (contracts: tamara 3.1, 3.4).

Amounts are unsigned integers in minor units; the direction is in `dc`. Currencies are ISO 4217 numbers as text.
"""

from __future__ import annotations

import datetime as dt
import keyword
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from activities.tamara.card import CardNumber
from activities.tamara.details import (
    Car,
    DebitCredit,
    Event,
    Fee,
    Flight,
    Ground,
    Hotel,
    Other,
    Part,
    Rail,
    Segment,
    Text,
)

CURRENCIES: dict[str, tuple[str, int]] = {
    "EUR": ("978", 2),
    "GBP": ("826", 2),
    "USD": ("840", 2),
    "CHF": ("756", 2),
    "PLN": ("985", 2),
    "CZK": ("203", 2),
    "HUF": ("348", 2),
    "SEK": ("752", 2),
    "DKK": ("208", 2),
    "NOK": ("578", 2),
    "ILS": ("376", 2),
    "CNY": ("156", 2),
    "JPY": ("392", 0),
    "KRW": ("410", 0),
    "BHD": ("048", 3),
    "KWD": ("414", 3),
    "TND": ("788", 3),
}
"""ISO 4217: number and minor units of each currency that may stand in a file (contracts: tamara 3.7)."""
DECIMALS: dict[str, int] = dict(CURRENCIES.values())
"""Minor units by ISO 4217 number."""

Kind = Literal["BSP", "MA"]
Mode = Literal["T", "P"]
TransactionType = Literal["SA", "RF", "CX"]
ServiceCode = Literal["FL", "EM", "LC", "FE", "RL", "HO", "CA", "GT", "EV", "OT"]


def _moment(value: object) -> object:
    """A time stamp that travelled as local date, local time and offset."""
    if isinstance(value, list) and len(value) == 3:
        day, clock, offset = value
        if isinstance(day, dt.date) and isinstance(clock, dt.time) and isinstance(offset, str):
            zone = dt.datetime.strptime(offset, "%z").tzinfo
            return dt.datetime.combine(day, clock, zone)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], dt.date) and isinstance(value[1], dt.time):
        return dt.datetime.combine(value[0], value[1])
    return value


Moment = Annotated[dt.datetime, BeforeValidator(_moment)]


class FileHead(Part):
    """What the header says of the file; `created_at` is the sealing time in the agency's zone."""

    kind: Kind
    seq: int
    reprint: int = 0
    created_at: Moment
    period_from: dt.date
    period_to: dt.date
    mode: Mode
    software: str | None = None


class AgencyBlock(Part):
    """What the header says of the agency (contracts: tamara 2.1)."""

    tamara_version: str
    delivery_version: str
    partner_id: str
    agency_id: str
    name: str
    country: str
    iata_no: str | None = None
    acquirer_id: str
    card_id: str


class Numbered(Part):
    """An invoice or a credit note: its number and its date."""

    number: str
    date: dt.date


class Authorisation(Part):
    code: str
    date: dt.date


class Amount(Part):
    """NET + VAT = GROSS in minor units; `vat_rate` in percent, None when mixed."""

    currency: str
    decimals: int
    net: int
    vat_rate: Decimal | None = None
    vat: int = 0
    gross: int


class Customer(Part):
    name: str | None = None
    place: str | None = None


class Original(Part):
    ref: str


class Txn(Part):
    """One transaction. `card` is filled only while a file is rendered; what is stored carries no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    ref: str
    version: int = 0
    class_: Kind
    type: TransactionType
    dc: DebitCredit
    service: ServiceCode
    card: CardNumber | None = None
    card_expiry: str | None = None
    auth: Authorisation | None = None
    invoice: Numbered | None = None
    credit_note: Numbered | None = None
    sale_date: dt.date
    value_date: dt.date
    amount: Amount
    passenger: str | None = None
    customer: Customer = Customer()
    dossier: str | None = None
    pnr: str | None = None
    original: Original | None = None
    reason: str | None = None


class AmountPart(Part):
    """One group of the breakdown; `dc` relative to the transaction: D adds to GROSS, C lowers it."""

    type: Literal["BAS", "VAT", "TAX", "SUR", "FEE", "DSC", "INS", "CAN", "OTH"]
    code: str | None = None
    rate: Decimal | None = None
    dc: DebitCredit
    base: int | None = None
    amount: int


class Dbi(Part):
    """The ten codes of descriptive billing information (contracts: tamara 2.3)."""

    PK: str | None = None
    KS: str | None = None
    DS: str | None = None
    AE: str | None = None
    IK: str | None = None
    BD: str | None = None
    PR: str | None = None
    AU: str | None = None
    AK: str | None = None
    RZ: str | None = None
    profile: str | None = None


class Transaction(Part):
    """A transaction with its dependents; exactly one detail is filled."""

    txn: Txn
    amounts: tuple[AmountPart, ...] = ()
    dbi: Dbi | None = None
    flight: Flight | None = None
    segments: tuple[Segment, ...] = ()
    rail: Rail | None = None
    fee: Fee | None = None
    car: Car | None = None
    hotel: Hotel | None = None
    ground: Ground | None = None
    event: Event | None = None
    other: Other | None = None
    texts: tuple[Text, ...] = ()
    ext: dict[str, str] = Field(default_factory=dict)


class CurrencyTotal(Part):
    """Debits and credits of one currency in minor units."""

    currency: str
    decimals: int
    debit_count: int = 0
    debit_total: int = 0
    credit_count: int = 0
    credit_total: int = 0
    net_dc: DebitCredit = "D"
    net_total: int = 0


class TamaraFile(BaseModel):
    """The sealed content. `transactions` is read once and in order, so it may be a generator over the store."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    file: FileHead
    agency: AgencyBlock
    transactions: Any = ()
    totals: tuple[CurrencyTotal, ...] = ()


class Acknowledgement(Part):
    """Header of an answer file (contracts: tamara 3.11)."""

    partner_id: str
    kind: Kind
    file_seq: int
    file_name: str
    file_status: Literal["A", "P", "R", "D"]
    file_reason: str | None = None
    expected_seq: int
    received_at: Moment
    mode: Mode


class Answer(Part):
    """What AirPlus says of one transaction (contracts: tamara 3.11)."""

    txn_ref: str
    txn_version: int
    status: Literal["A", "R", "H", "M", "E"]
    reason: str | None = None
    field: str | None = None
    card_tail: str | None = None
    invoice: str | None = None
    document: str | None = None
    text: str | None = None


class AnswerFile(Part):
    ack: Acknowledgement
    answers: tuple[Answer, ...] = ()


def totals_of(amounts: Iterable[tuple[DebitCredit, str, int]]) -> tuple[CurrencyTotal, ...]:
    """Totals per currency, ascending by ISO number, of (dc, currency number, gross in minor units)."""
    return totals_of_sums((dc, currency, 1, gross) for dc, currency, gross in amounts)


def totals_of_sums(found: Iterable[tuple[DebitCredit, str, int, int]]) -> tuple[CurrencyTotal, ...]:
    """As `totals_of`, of (dc, currency number, count, gross) over several transactions each."""
    sums: dict[str, list[int]] = {}
    for dc, currency, count, gross in found:
        row = sums.setdefault(currency, [0, 0, 0, 0])
        place = 0 if dc == "D" else 2
        row[place] += count
        row[place + 1] += gross
    return tuple(
        CurrencyTotal(
            currency=currency,
            decimals=DECIMALS[currency],
            debit_count=debits,
            debit_total=debit,
            credit_count=credits_,
            credit_total=credit,
            net_dc="D" if debit >= credit else "C",
            net_total=abs(debit - credit),
        )
        for currency, (debits, debit, credits_, credit) in sorted(sums.items())
    )


def roots() -> Mapping[str, type[BaseModel]]:
    """The first step of every source path, with the model behind it; `ext` is free and not listed."""
    found: dict[str, type[BaseModel]] = {}
    for owner in (TamaraFile, Transaction, AnswerFile):
        for name, field in owner.model_fields.items():
            model = _model_in(field.annotation)
            if model is not None:
                found[name] = model
    return found


def knows(path: str) -> bool:
    """Whether `path` (`txn.amount.gross`, `amounts[].type`) leads to a value of the canonical model."""
    steps = path.replace("[]", "").split(".")
    if steps[0] == "ext":
        return len(steps) > 1
    model: type[BaseModel] | None = roots().get(steps[0])
    for place, step in enumerate(steps[1:], start=2):
        field = model.model_fields.get(attribute(step)) if model is not None else None
        if field is None:
            return False
        model = _model_in(field.annotation)
        if place == len(steps):
            return True
    return False


def type_of(path: str) -> Any:
    """What the model says of the value at the end of `path`; None for `ext` and unions other than with None."""
    steps = path.replace("[]", "").split(".")
    model: type[BaseModel] | None = roots().get(steps[0])
    for step in steps[1:]:
        field = model.model_fields.get(attribute(step)) if model is not None else None
        if field is None:
            return None
        model, annotation = _model_in(field.annotation), field.annotation
    members = [member for member in getattr(annotation, "__args__", (annotation,)) if member is not type(None)]
    return members[0] if len(members) == 1 else None


def attribute(step: str) -> str:
    """The Python name of a step of a path (`class` and `from` are words of the language)."""
    return f"{step}_" if keyword.iskeyword(step) else step


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        model = _model_in(argument)
        if model is not None:
            return model
    return None
