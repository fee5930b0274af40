"""What an agency configures for Kommo: settings section `kommo` (contracts: kommo 1, 2, 3.1, 3.2, 4)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from activities.kommo.fields import CODES

StatusId = Annotated[int, Field(ge=1)]
MIN_SECRET = 22
"""Characters of a hook secret: 128 bits in base64."""


class KommoSettings(BaseModel):
    """One account. Either `token` (long-lived) or `client_id`, `client_secret` and `redirect_uri` (OAuth; widget, Salesbot).

    A deal that reaches one of `trigger_stages` of `pipeline` is to be invoiced; `waiting_stage` and `paid_stage` are
    where it is moved when the link was sent and when it was paid (None: it stays). `fields` names the field of each of
    our values by id or by code. `gateway_url` is where Kommo reaches us from outside.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^/\s@?#]+$")]
    account_id: Annotated[int, Field(ge=1)]
    token: SecretStr | None = None
    token_expires: date | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    redirect_uri: str | None = None
    consent_url: str = "https://www.kommo.com/oauth"
    pipeline: Annotated[int, Field(ge=1)]
    trigger_stages: Annotated[frozenset[StatusId], Field(min_length=1)]
    waiting_stage: StatusId | None = None
    paid_stage: StatusId | None = None
    fields: dict[str, int | str] = {}
    gateway_url: str | None = None
    hook_secret: SecretStr | None = None
    retiring_hook_secret: SecretStr | None = None
    poll_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 48
    """How far back the sweep for lost webhooks looks."""
    calls_per_second: Annotated[float, Field(gt=0, le=50)] = 5.0
    connect_seconds: Annotated[float, Field(gt=0)] = 5.0
    read_seconds: Annotated[float, Field(gt=0)] = 20.0
    token_seconds: Annotated[float, Field(gt=0)] = 15.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.token is None and not self.uses_oauth:
            raise ValueError("give token, or client_id, client_secret and redirect_uri")
        if unknown := sorted(set(self.fields) - set(CODES)):
            raise ValueError(f"fields: {', '.join(unknown)} is no value of ours; there are {', '.join(CODES)}")
        for secret in (self.hook_secret, self.retiring_hook_secret):
            if secret is not None and len(secret.get_secret_value()) < MIN_SECRET:
                raise ValueError(f"hook_secret needs at least {MIN_SECRET} characters")
        return self

    @property
    def uses_oauth(self) -> bool:
        """Tokens come from the consent of an administrator and are refreshed; a long-lived token counts first."""
        return self.token is None and None not in (self.client_id, self.client_secret, self.redirect_uri)

    @property
    def host(self) -> httpx.URL:
        return httpx.URL(self.url)
