"""What an agency configures for Sapeig (contracts: midoffice 6.1)."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from activities.midoffice.settings import Text32, WebSettings


class SapeigSettings(WebSettings):
    """`owner` is the agency's number there, `uid` and `password` the requester's."""

    kind: Literal["sapeig"] = "sapeig"
    uid: Text32
    password: SecretStr
    owner: Text32
    requester_code: Text32 = "ORCHESTRATOR"
