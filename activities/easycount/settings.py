"""What an agency configures for EasyCount: settings section `easycount` (contracts: easycount 1, 2.7)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

REAL_HOSTS = frozenset({"api.ezcount.co.il", "www.ezcount.co.il"})
DEMO_HOST = "demo.ezcount.co.il"


class EasyCountSettings(BaseModel):
    """One account. `mode` says what is issued when: a proforma and at payment an invoice with receipt, or an invoice first.

    `vat_kind` of every item: `INC` the price includes it, `PRE` it comes on top, `NON` there is none; `vat` is the rate of
    the documents in percent, None the account's own. `e_mails`: EasyCount sends the document to the customer.
    `environment` is told by EasyCount's own hosts; for any other address it is `live` unless it is said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://[^/\s@?#]+$")
    environment: Literal["demo", "live"] | None = None
    api_key: SecretStr
    developer_email: str
    ua_uuid: str | None = None
    distributor_key: SecretStr | None = None
    mode: Literal["proforma", "invoice_first"] = "proforma"
    currency: str = Field("ILS", pattern=r"^[A-Z]{3}$")
    vat_kind: Literal["INC", "PRE", "NON"] = "INC"
    vat: Decimal | None = None
    e_mails: bool = True
    payments: str = Field("1", pattern=r"^\d{1,2}(-\d{1,2})?$")
    success_url: str
    link_hours: int = Field(72, ge=1, le=24 * 90)
    calls_per_second: float = Field(5.0, gt=0, le=50)
    connect_seconds: float = Field(5.0, gt=0)
    read_seconds: float = Field(45.0, gt=30)
    """Above the 30 s that EasyCount asks for."""
    allocation_threshold: Decimal | None = None
    """Total above which the tax authority's allocation number is needed; None: not our country."""

    @model_validator(mode="after")
    def _of_its_environment(self) -> Self:
        host = urlsplit(self.url).hostname
        if (host in REAL_HOSTS and self.environment == "demo") or (host == DEMO_HOST and self.environment == "live"):
            raise ValueError(f"environment: {host} is not the {self.environment} environment")
        return self

    @property
    def kind_of_environment(self) -> Literal["demo", "live"]:
        if self.environment is not None:
            return self.environment
        return "demo" if urlsplit(self.url).hostname == DEMO_HOST else "live"

    @property
    def link_lasts(self) -> timedelta:
        return timedelta(hours=self.link_hours)
