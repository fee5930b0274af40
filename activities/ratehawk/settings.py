"""What an agency configures for RateHawk (contracts: midoffice 2.1, 2.3, 2.7, 2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from activities.ratehawk.client import RateHawkClient
from activities.ratehawk.wire import ReadTimes
from domain.money import Money
from domain.supplier_steps import SellingModel, TaxScheme

Minutes = Annotated[int, Field(ge=1, le=1440)]


class RateHawkSettings(BaseModel):
    """`suppliers` are the platform's supplier ids (`sup_…`) behind which RateHawk stands. Timeouts are seconds.

    A confirmed cost that differs from the estimate by no more than `tolerance_percent` or `tolerance` (minor units,
    whichever is more) is taken over; anything else asks a person. `poll_minutes` counts from sweep to sweep, each
    beginning `overlap_minutes` before the newest change that the last one saw; an order that no booking claims within
    `claim_minutes` was made without the platform and is treated as `own_orders` says, under `own_selling_model` and `own_tax_scheme`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")]
    key_id: Annotated[int, Field(ge=1)]
    api_key: SecretStr
    webhook: bool = True
    webhook_keys: tuple[SecretStr, ...] = ()
    agreements: frozenset[str] = frozenset()
    suppliers: Annotated[frozenset[str], Field(min_length=1)] = frozenset({"sup_rh"})
    poll_minutes: Minutes = 15
    overlap_minutes: Minutes = 30
    claim_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    first_days: Annotated[int, Field(ge=1, le=3650)] = 30
    own_orders: Literal["transfer", "list"] = "transfer"
    own_selling_model: SellingModel = "MERCHANT"
    own_tax_scheme: TaxScheme = "MARGIN_SCHEME"
    tolerance_percent: Annotated[float, Field(ge=0, le=100)] = 1.0
    tolerance: Annotated[int, Field(ge=0)] = 100
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    connect_timeout: Annotated[float, Field(gt=0)] = 5.0
    read_timeout: Annotated[float, Field(gt=0)] | None = None

    def tolerates(self, estimated: Money, confirmed: Money) -> bool:
        """Whether the confirmed cost may be taken over without asking anybody; another currency never."""
        if estimated.currency != confirmed.currency:
            return False
        by_share = estimated.percent(str(self.tolerance_percent)).amount
        return abs(confirmed.amount - estimated.amount) <= max(by_share, self.tolerance)

    def times(self) -> ReadTimes:
        """How long each call may take; `read_timeout` replaces the contract's times."""
        return ReadTimes(self.connect_timeout, self.read_timeout)


@dataclass(frozen=True, slots=True)
class RateHawkAccount:
    """An agency's line to RateHawk and its settings."""

    client: RateHawkClient
    settings: RateHawkSettings

    @classmethod
    def open(cls, section: Mapping[str, Any], transport: httpx.BaseTransport | None = None) -> RateHawkAccount:
        """From the raw settings section of an agency; raises pydantic's `ValidationError`. Nothing is called yet."""
        settings = RateHawkSettings.model_validate(section)
        client = RateHawkClient(
            settings.url,
            settings.key_id,
            settings.api_key.get_secret_value(),
            times=settings.times(),
            language=settings.language,
            transport=transport,
        )
        return cls(client, settings)
