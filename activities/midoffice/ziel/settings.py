"""What an agency configures for Z.I.E.L. (contracts: midoffice 8.1)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from activities.midoffice.settings import MidOfficeSettings

Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Folder = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00]+$")]


class PostBoxSettings(BaseModel):
    """Where files go and answers come from. `host_keys` pins the server by SHA-256 fingerprints (`ssh-keygen -lf`); two at
    a time for rotation. Key before password when both are given. Seconds are for connecting and for one answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    username: str
    password: SecretStr | None = None
    private_key: SecretStr | None = None
    private_key_passphrase: SecretStr | None = None
    host_keys: Annotated[tuple[Fingerprint, ...], Field(min_length=1)]
    in_folder: Folder = "in"
    ack_folder: Folder = "ack"
    status_folder: Folder = "status"
    connect_seconds: Annotated[float, Field(gt=0)] = 20.0
    read_seconds: Annotated[float, Field(gt=0)] = 60.0

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.password is None and self.private_key is None:
            raise ValueError("needs private_key or password")
        return self


class ZielSettings(MidOfficeSettings):
    """`agency_no` is part of every file's name. `mediation_collected_by` says who takes the customer's money where the
    agency only mediates; on sales of its own it always does.
    """

    kind: Literal["ziel"] = "ziel"
    agency_no: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
    mediation_collected_by: Literal["agency", "supplier"] = "agency"
    sftp: PostBoxSettings
