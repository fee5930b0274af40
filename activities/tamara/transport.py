"""What an agency configures for the way to AirPlus: SFTP or FTPS, patience, encryption (contracts: tamara 4.2 to 4.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
OpenPgpFingerprint = Annotated[
    str,
    StringConstraints(pattern=r"^([0-9A-F]{40}|[0-9A-F]{64})$"),
    BeforeValidator(lambda given: given.replace(" ", "").upper() if isinstance(given, str) else given),
]
"""As programs print it: with or without spaces, in either case."""


Publish = Literal["rename", "marker", "direct"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FolderSettings(Part):
    """What both ways have in common: who logs in where, the folder, and the seconds for connecting and reading.

    `read_back`: the partner lets us read what we wrote, so contents are compared and not sizes only. `publish`: how a file
    becomes final: by renaming; under its name with an empty `NAME.done` behind it; or under its name at once.
    """

    host: str
    username: str
    folder: str = "in"
    read_back: bool = True
    publish: Publish = "rename"
    connect_seconds: Annotated[float, Field(gt=0)] = 20.0
    read_seconds: Annotated[float, Field(gt=0)] = 60.0


class SftpSettings(FolderSettings):
    """Files by SFTP. `host_keys` pins the server by SHA-256 fingerprints (`ssh-keygen -lf`); two at a time for rotation.

    Key before password when both are given. `fsync` asks the server to put a file on disk before it is renamed, where
    it offers that.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 22
    password: SecretStr | None = None
    private_key: SecretStr | None = None
    private_key_passphrase: SecretStr | None = None
    host_keys: Annotated[tuple[Fingerprint, ...], Field(min_length=1)]
    fsync: bool = True
    keep_alive_seconds: Annotated[int, Field(ge=1)] = 15

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        if self.password is None and self.private_key is None:
            raise ValueError("needs private_key or password")
        return self


class FtpsSettings(FolderSettings):
    """Files by FTP under TLS. The server is known by a CA (`ca`, a PEM file, or `system`) and its name, or by pins.

    `pins` are SHA-256 of the certificate's public key (SPKI), two at a time for rotation; with pins the CA does not count.
    `server_name` is the name in the certificate where it is not `host`. `newest_tls` caps the version.
    """

    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    mode: Literal["explicit", "implicit"] = "explicit"
    password: SecretStr
    ca: Path | Literal["system"] | None = None
    pins: tuple[Fingerprint, ...] = ()
    server_name: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    newest_tls: Literal["1.2", "1.3"] = "1.3"

    @model_validator(mode="after")
    def _knows_the_server(self) -> Self:
        if self.ca is None and not self.pins:
            raise ValueError("needs ca (a PEM file, or 'system') or pins: a server is never trusted unseen")
        if self.certificate_key is not None and self.certificate is None:
            raise ValueError("certificate_key without certificate")
        return self

    @property
    def used_port(self) -> int:
        """990 speaks TLS from the first byte, 21 begins in clear and changes before anything is said."""
        return self.port or (990 if self.mode == "implicit" else 21)


class RetrySettings(Part):
    """Patience with a server that is away: from `first_seconds`, doubled up to `longest_seconds`; after `alarm_hours` a
    person is told and it is tried every `late_seconds`. `denied_seconds`: a full disk, missing rights."""

    first_seconds: Annotated[float, Field(gt=0)] = 30.0
    longest_seconds: Annotated[float, Field(gt=0)] = 900.0
    alarm_hours: Annotated[float, Field(gt=0)] = 12.0
    late_seconds: Annotated[float, Field(gt=0)] = 3600.0
    denied_seconds: Annotated[float, Field(gt=0)] = 900.0


class OpenPgpSettings(Part):
    """Files are encrypted for the recipient and signed with our key before they leave.

    `recipient` is the partner's certificate (armoured text); only the one of `recipient_fingerprint` is accepted.
    """

    recipient: str
    recipient_fingerprint: OpenPgpFingerprint
    signing_key: SecretStr
    signing_key_passphrase: SecretStr | None = None
