"""Who pays, books and travels, and the base of every fact (contracts: platform-events 5.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}_[0-9A-Za-z]{1,40}$")]
"""Platform identifiers: a prefix that names the kind, an underscore, letters and digits."""
Percent = Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,4})?$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
PositiveInt = Annotated[int, Field(ge=1)]


class Fact(BaseModel):
    """Base of everything the platform sends: immutable, unknown members kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class TaxId(Fact):
    type: Literal["NIF", "NIE", "VAT", "PASSPORT", "OTHER"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    country: str


class Address(Fact):
    line1: str
    line2: str | None = None
    postcode: str
    city: str
    region: str | None = None
    country: str


class Party(Fact):
    """A payer or booker; `fiscal_complete` says that a full invoice can be issued to them."""

    id: Id
    kind: Literal["person", "company"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    first_name: str | None = None
    last_name: str | None = None
    tax_id: TaxId | None = None
    address: Address | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    fiscal_complete: bool = False


class Corporate(Fact):
    """Fields that a company wants on its AirPlus invoice."""

    employee_no: str | None = None
    cost_centre: str | None = None
    project_no: str | None = None
    department: str | None = None
    purchase_order: str | None = None


class Traveller(Fact):
    id: Id
    first_name: str
    last_name: str
    kind: Literal["adult", "child", "infant"]
    status: Literal["active", "cancelled"] = "active"
    is_payer: bool = False
    room_ref: str | None = None
    corporate: Corporate | None = None
