"""What an agency configures for TINA (contracts: midoffice 5.1, 5.2)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from activities.midoffice.settings import Text32, WebSettings


class TinaSettings(WebSettings):
    """`mode`: we push, or TINA fetches from the supplier by itself and we only verify, for at most `verify_hours`."""

    kind: Literal["tina"] = "tina"
    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: SecretStr = Field(min_length=1, max_length=64)
    reseller_code: Text32
    lang: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "en"
    mode: Literal["push", "verify"] = "push"
    verify_hours: Annotated[float, Field(gt=0)] = 24.0
