"""What an agency configures for AirPlus TAMARA (contracts: tamara 2.1, 2.3, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from activities.tamara.layout import Layout, load_layout, our_layout
from activities.tamara.model import AgencyBlock
from activities.tamara.transport import FtpsSettings, OpenPgpSettings, RetrySettings, SftpSettings

DbiCode = Literal["PK", "KS", "DS", "AE", "IK", "BD", "PR", "AU", "AK", "RZ"]
Prefix = Annotated[str, StringConstraints(pattern=r"^1\d{3}$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DbiRule(Part):
    """What a customer agreed with AirPlus for one code; lengths are characters, `pattern` must match the whole value."""

    use: Literal["mandatory", "optional", "unused"] = "optional"
    shortest: Annotated[int, Field(ge=0)] = 1
    longest: Annotated[int, Field(ge=1, le=30)] = 30
    pattern: str | None = None


class DbiProfile(Part):
    """A rule set and the payers (`cus_…`) it holds for; a code that is not named is optional."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=10)]
    customers: tuple[str, ...] = ()
    codes: dict[DbiCode, DbiRule] = {}

    def rule(self, code: DbiCode) -> DbiRule:
        return self.codes.get(code, DbiRule())


class Airline(Part):
    """A supplier that flies: its IATA designator, and whether its tickets are settled through the BSP."""

    carrier: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,3}$")]
    bsp: bool = False


NO_PROFILE = DbiProfile(name="DEFAULT")


class TamaraSettings(Part):
    """The agency block of the header, the delivery, and the agency's own choices.

    `mode` T sends test files with test cards only and counts apart. `city` and `country` stand for events without a
    place of their own. `vat_rate` (percent, inside the price) is used for sales under the general regime only.
    `producer` says which side makes the lines: exactly one does, and with `midoco` we make none (contracts: midoffice).
    `airlines` are suppliers whose flights are told as flights. Answers lie in the folder `answers` (empty: AirPlus writes
    none) and are put into `answered` once they are applied; one is overdue `answer_days` working days after delivery. A line
    goes out at most `max_versions` times.
    """

    partner_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{12}$")]
    agency_id: Annotated[str, StringConstraints(max_length=12)] | None = None
    name: Annotated[str, StringConstraints(min_length=1)]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "ES"
    city: Annotated[str, StringConstraints(min_length=1)]
    iata_no: Annotated[str, StringConstraints(pattern=r"^\d{8}$")] | None = None
    acquirer_id: str = "LASG000"
    card_id: str = "TP"
    version: str = "v01.32"
    delivery_version: str = "."
    mode: Literal["T", "P"] = "T"
    prefixes: tuple[Prefix, ...] = ("1220", "1920")
    timezone: str = "Europe/Madrid"
    software: str = "booking-orchestrator"
    vat_rate: Annotated[Decimal, Field(ge=0, lt=100, decimal_places=2)] = Decimal("21.00")
    max_age_days: Annotated[int, Field(ge=1)] = 60
    profiles: tuple[DbiProfile, ...] = ()
    producer: Literal["orchestrator", "midoco"] = "orchestrator"
    airlines: dict[str, Airline] = {}
    answers: str | None = "out"
    answered: str | None = "archive"
    answer_days: Annotated[int, Field(ge=1)] = 2
    max_versions: Annotated[int, Field(ge=1, le=100)] = 5
    layout: Path | None = None
    sftp: SftpSettings | None = None
    ftps: FtpsSettings | None = None
    retry: RetrySettings = RetrySettings()
    openpgp: OpenPgpSettings | None = None

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if self.producer == "midoco":
            return self
        if (self.sftp is None) == (self.ftps is None):
            raise ValueError("needs either sftp or ftps")
        return self

    @classmethod
    def of(cls, section: Mapping[str, Any], *, name: str | None = None, timezone: str | None = None) -> TamaraSettings:
        """Check the raw section of an agency, whose name and time zone count unless the section has its own.

        Raises pydantic's `ValidationError`.
        """
        given = {key: value for key, value in (("name", name), ("timezone", timezone)) if value is not None}
        return cls.model_validate({**given, **section})

    @cached_property
    def used_layout(self) -> Layout:
        """The layout document of this partner; ours unless a path is configured. Raises `LayoutError`."""
        return our_layout() if self.layout is None else load_layout(self.layout)

    @property
    def transport(self) -> SftpSettings | FtpsSettings:
        """The way to the partner's folder."""
        way = self.sftp or self.ftps
        assert way is not None
        return way

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def block(self) -> AgencyBlock:
        """What the header says of the agency."""
        return AgencyBlock(
            tamara_version=self.version,
            delivery_version=self.delivery_version,
            partner_id=self.partner_id,
            agency_id=self.agency_id or self.partner_id,
            name=self.name,
            country=self.country,
            iata_no=self.iata_no,
            acquirer_id=self.acquirer_id,
            card_id=self.card_id,
        )

    def profile_of(self, payer_id: str) -> DbiProfile:
        return next((profile for profile in self.profiles if payer_id in profile.customers), NO_PROFILE)
