"""The mapping file: what the columns of an export mean as experiences, bookings and money (docs/import.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from domain.platform import CurrencyCode, PaymentMethod, ServiceKind
from starter.importing.expressions import Condition, DateOf, Spec, ValueOf

When = dict[str, tuple[str, ...]]
"""A rule applies when every named column or value has one of the texts listed for it; an empty table always applies."""
Token = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{2,30}$")]
Share = Annotated[float, Field(ge=0, le=100)]


class MappingError(Exception):
    """The mapping file cannot be used; the text names the place and the reason."""


class Refusal(Condition):
    """A row for which this holds is reported with `reason` and not imported."""

    reason: str


class ServiceMapping(Spec):
    """One service of the experience and the line it becomes: `quantity` × `unit_price` (major units)."""

    code: Token
    kind: ServiceKind
    description: str
    supplier: Token
    supplier_name: str
    unit: Literal["traveller", "room", "group", "night"] = "group"
    quantity: ValueOf
    unit_price: ValueOf
    cost_percent: Share = 0
    supplier_ref: str | None = None
    list_price: ValueOf | None = None


class ExperienceMapping(Spec):
    """Rows with the same `key` share one experience. `period`: the calendar month of arrival, or the row's own stay."""

    key: str
    title: str
    period: Literal["month", "stay"] = "month"
    sales_mode: Literal["group_b2b", "seat_b2c"] = "seat_b2c"
    package_travel: bool = False
    tax_regime: Literal["reav", "general", "mediation"] = "general"
    area: Literal["ES", "EU", "NON_EU", "MIXED"] = "ES"


class TaxIdMapping(Spec):
    """The payer's tax id; `value` and `country` (two letters) are templates."""

    type: Literal["NIF", "NIE", "VAT", "PASSPORT", "OTHER"]
    value: str
    country: str


class AddressMapping(Spec):
    """The payer's address, all templates; `country` is two letters."""

    line1: str
    postcode: str
    city: str
    country: str


class PayerMapping(Spec):
    """Who pays; the first rule that applies. Rows with the same `key` have the same payer.

    With `tax_id` and `address` a full invoice can be issued; without, only simplified ones up to the legal limit.
    """

    when: When = Field(default_factory=dict)
    kind: Literal["person", "company"]
    name: str
    key: str
    tax_id: TaxIdMapping | None = None
    address: AddressMapping | None = None


class TravellerMapping(Spec):
    """`count` travellers of one kind, named by the templates (`{n}` counts them)."""

    kind: Literal["adult", "child", "infant"]
    count: ValueOf
    first_name: str
    last_name: str


class ExtraMapping(Spec):
    """What an amendment adds: one more line."""

    description: str
    unit_price: ValueOf
    cost_percent: Share = 0


class ChangesMapping(Spec):
    """`count` amendments between booking and the end, of the given kinds in turn."""

    count: ValueOf
    kinds: Annotated[tuple[Literal["service_changed", "modified"], ...], Field(min_length=1)]
    extra: ExtraMapping


class PaymentMapping(Spec):
    """Money captured `on` a date: a share of the total, or the balance that is still due. Nothing due, no payment."""

    when: When = Field(default_factory=dict)
    on: str
    percent: Share | Literal["balance"]
    method: PaymentMethod


class CancellationMapping(Spec):
    """How a cancelled row ends. `penalty_percent` of the price or of what was captured; the rest goes back."""

    when: When
    on: str
    cause: Literal["customer_choice", "no_show", "non_payment", "unavoidable_circumstances", "min_travellers", "error"]
    initiated_by: Literal["customer", "planner", "supplier"] = "customer"
    penalty_percent: Share = 0
    penalty_of: Literal["total", "captured"] = "total"
    treatment: Literal["indemnity_not_subject", "taxable_fee", "no_show_consideration", "undecided"]
    supplier_percent: Share = 0
    refund_after_days: Annotated[int, Field(ge=0)] | None = None


class Mapping(Spec):
    """The whole file. `dates` must name `booked`, `arrival` and `departure`."""

    name: str
    currency: CurrencyCode
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    missing: tuple[str, ...] = ("",)
    values: dict[str, ValueOf] = Field(default_factory=dict)
    dates: dict[str, DateOf]
    unusable: tuple[Refusal, ...] = ()
    experience: ExperienceMapping
    payers: Annotated[tuple[PayerMapping, ...], Field(min_length=1)]
    travellers: Annotated[tuple[TravellerMapping, ...], Field(min_length=1)]
    services: Annotated[tuple[ServiceMapping, ...], Field(min_length=1)]
    changes: ChangesMapping | None = None
    payments: tuple[PaymentMapping, ...] = ()
    cancellations: tuple[CancellationMapping, ...] = ()

    @model_validator(mode="after")
    def _dates_are_named(self) -> Mapping:
        absent = {"booked", "arrival", "departure"} - self.dates.keys()
        if absent:
            raise ValueError(f"dates: {', '.join(sorted(absent))} must be given")
        return self


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file. Raises `MappingError`."""
    try:
        return Mapping.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise MappingError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise MappingError(f"{path}: {place}: {fault['msg']}") from None
    except ValueError as error:
        raise MappingError(f"{path}: not valid TOML: {error}") from None
