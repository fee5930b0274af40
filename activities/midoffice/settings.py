"""What an agency configures for its mid-office (contracts: midoffice 1.3, 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from activities.midoffice.booking import ProductKind, TaxScheme

Text32 = Annotated[str, StringConstraints(min_length=1, max_length=32)]
CreditorNumber = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class MidOfficeSettings(BaseModel):
    """`supplier_numbers` gives each supplier of the platform (`sup_…`) its creditor id in the mid-office; lines of other
    suppliers are not transferred. `capabilities` names the product kinds that may go there: a kind needs a codec branch,
    so only hotel is allowed today. Timeouts are seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["midoco"] = "midoco"
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+.*$")]
    login: str
    password: SecretStr
    organisation_unit: str
    locale: str = "de"
    bearer_token: SecretStr | None = None
    agency_no: Text32
    branch_id: Text32 | None = None
    agent_id: Text32 | None = None
    supplier_numbers: Annotated[dict[str, CreditorNumber], Field(min_length=1)]
    capabilities: frozenset[Literal["hotel"]] = frozenset({"hotel"})
    margin_vat_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.21")
    vat_codes: dict[TaxScheme, str] = {}
    settlement_type: str | None = None
    connect_timeout: Annotated[float, Field(gt=0)] = 5.0
    timeout: Annotated[float, Field(gt=0)] = 30.0

    def takes(self, kind: ProductKind) -> bool:
        """Whether lines of this kind may be transferred."""
        return kind in self.capabilities
