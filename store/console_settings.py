"""What an installation settles about its console (docs/settings.md)."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from domain.people import Role


class OpenIdSettings(BaseModel):
    """A provider that signs people in. `roles` maps values of the claim `role_claim` to our roles; who has none stays out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    label: str = "OpenID Connect"
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: dict[str, Role]
    agency_claim: str | None = None
    """The claim that lists agencies; None: everybody of this provider sees all of them."""


def _network(given: str) -> str:
    try:
        return str(ip_network(given)) if "/" in given else str(ip_address(given))
    except ValueError:
        raise ValueError(f"'{given}' is not an address or a network such as 10.0.0.0/8") from None


TrustedProxies = tuple[Annotated[str, AfterValidator(_network)], ...]
"""Proxies whose word on scheme and address of a guest is believed."""


class ConsoleSettings(BaseModel):
    """`public_url` is the address that people type; over https, cookies are given to https only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = 8081
    trusted_proxies: TrustedProxies = ()
    public_url: Annotated[str | None, Field(pattern=r"^https?://[^/\s]+$")] = None
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    longest_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 12
    openid: OpenIdSettings | None = None

    @field_validator("public_url", mode="before")
    @classmethod
    def _without_slash(cls, value: object) -> object:
        return value.rstrip("/") if isinstance(value, str) else value

    @property
    def url(self) -> str:
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def over_https(self) -> bool:
        return self.url.startswith("https://")

    @property
    def idle(self) -> timedelta:
        return timedelta(minutes=self.idle_minutes)

    @property
    def longest(self) -> timedelta:
        return timedelta(hours=self.longest_hours)
