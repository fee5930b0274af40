"""What an agency configures for MIDOCO (contracts: midoffice 4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from activities.midoffice.booking import TaxScheme
from activities.midoffice.settings import Text32, WebSettings


class MidocoSettings(WebSettings):
    """`vat_codes` are MIDOCO's own per tax scheme: they differ from installation to installation."""

    kind: Literal["midoco"] = "midoco"
    login: str
    password: SecretStr
    organisation_unit: str
    locale: str = "de"
    bearer_token: SecretStr | None = None
    agency_no: Text32
    vat_codes: dict[TaxScheme, str] = Field(default_factory=dict)
    settlement_type: str | None = None
