"""What an installation is made of: one TOML file names every address, credential and pin (docs/settings.md)."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from store.console_settings import ConsoleSettings, TrustedProxies

OutsideQueue = Literal["giav", "midoffice", "tamara", "accounting", "platform", "office", "supplier", "crm"]


class SettingsError(Exception):
    """The settings file cannot be used; the text names the file, the path inside it and the reason."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(Section):
    """TLS to a server: whose certificates are believed, and our own certificate where the server asks for one (mTLS).

    All are files in PEM. Without `ca` the system's authorities are believed; `server_name` is the name in the server's certificate
    where it differs from the address.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together: name both or neither")
        return self


class CodecSettings(Section):
    """Payloads sealed with AES-GCM: `key` (32 bytes in base64) seals, `retired_keys` open what they sealed.

    Without `key` nothing new is sealed. Temporal UI at `ui_origin` (by default the UI's own address) may ask the console to
    open payloads for a person who has signed in there.
    """

    key: SecretStr | None = None
    retired_keys: tuple[SecretStr, ...] = ()
    ui_origin: Annotated[str, Field(pattern=r"^https?://[^/\s*]+$")] | None = None


class TemporalSettings(Section):
    """Where Temporal is. Without an address an embedded server is started on `port`, its UI on `ui_port`."""

    address: str | None = None
    namespace: str = "default"
    tls: TlsSettings | None = None
    api_key: SecretStr | None = None
    codec: CodecSettings | None = None
    port: int = 7233
    ui_port: int = 8233
    ui_url: str | None = None

    @model_validator(mode="after")
    def _no_key_in_clear(self) -> Self:
        if self.api_key is not None and self.tls is None:
            raise ValueError("api_key is sent over TLS only: add temporal.tls")
        return self

    @property
    def target(self) -> str:
        return self.address or f"127.0.0.1:{self.port}"

    @property
    def ui(self) -> str:
        return self.ui_url or f"http://127.0.0.1:{self.ui_port}"


class StoreSettings(Section):
    """`url` is an SQLAlchemy URL, by default an SQLite file in the data folder; `master_key` seals secrets.

    A master key is 32 bytes in base64. `retired_keys` still open what they sealed, until `bookings store rotate-key`.
    """

    url: SecretStr | None = None
    master_key: SecretStr | None = None
    retired_keys: tuple[SecretStr, ...] = ()


class TelemetrySettings(Section):
    """What is seen of the processes: form and level of their logs, and the collector that traces are sent to (OTLP over HTTP)."""

    logs: Literal["text", "json"] = "text"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    traces: str | None = None


class GatewaySettings(Section):
    host: str = "127.0.0.1"
    port: int = 8080
    trusted_proxies: TrustedProxies = ()
    catching_up_per_second: Annotated[float, Field(gt=0)] = 1.0
    """Events a second of an agency that has hundreds waiting, while others are at work: as many as its ERP gets through."""


class WebhookSecret(Section):
    """A Standard Webhooks secret (`whsec_…`); `retiring` is still accepted, `revoked` is not."""

    value: SecretStr
    state: Literal["active", "retiring", "revoked"] = "active"


class PlatformSettings(Section):
    """The booking platform of an agency: its event source, its secrets, and where the truth can be read back."""

    source: str
    event_prefix: str = "example.planner"
    url: str | None = None
    token: SecretStr | None = None
    calls_per_second: Annotated[float, Field(gt=0)] | None = None
    """Of one worker process; none: no limit."""
    webhook_secrets: Annotated[tuple[WebhookSecret, ...], Field(max_length=3)] = ()
    refunds: Literal["by_hand", "processor"] = "by_hand"
    """Whether the processor behind the platform gives money back on our order; else a person does, and declares it there."""


class PrivacySettings(Section):
    """How long books keep whom an invoice was issued to: full years after the year of a booking's last document."""

    keep_years: Annotated[int, Field(ge=0, le=30)] = 6


class AgencySettings(Section):
    """One tenant. The sections of outside systems are validated by the package that talks to the system."""

    name: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    timezone: str = "Europe/Madrid"
    environment: Literal["live", "test"] = "test"
    check_files_at: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = "04:00"
    """Local time of the nightly check of the ERP's files; empty: never."""
    reconcile_at: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = "01:30"
    """UTC time of the nightly reconciliation of payments and receipts; empty: never."""
    limits: dict[OutsideQueue, Annotated[int, Field(ge=1)]] = {}
    """How many steps of this agency are at work on a system's queue at once, in each worker process."""
    erp: Literal["giav", "journal"] = "giav"
    """Where captured payments are synchronised to; an agency without GIAV keeps its receipts in the journal."""
    platform: PlatformSettings
    giav: dict[str, Any] | None = None
    midoffice: dict[str, Any] | None = None
    tamara: dict[str, Any] | None = None
    ratehawk: dict[str, Any] | None = None
    easycount: dict[str, Any] | None = None
    kommo: dict[str, Any] | None = None
    deals: dict[str, Any] | None = None
    plans: dict[str, Any] = {}
    mail: dict[str, Any] | None = None
    journal: dict[str, Any] = {}
    desk: dict[str, Any] = {}
    privacy: PrivacySettings = PrivacySettings()

    def section(self, system: str) -> dict[str, Any] | None:
        """The raw settings of one outside system, None when the agency does not use it."""
        value: dict[str, Any] | None = getattr(self, system)
        return value


class Installation(Section):
    """Everything that `bookings up` needs to know. `data` is the folder of files that survive a restart."""

    data: Path = Path("var")
    temporal: TemporalSettings = TemporalSettings()
    store: StoreSettings = StoreSettings()
    gateway: GatewaySettings = GatewaySettings()
    console: ConsoleSettings = ConsoleSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    agencies: Annotated[dict[str, AgencySettings], Field(min_length=1)]

    @property
    def store_url(self) -> str:
        if self.store.url is not None:
            return self.store.url.get_secret_value()
        return f"sqlite:///{self.data / 'store.db'}"


def load_installation(path: Path) -> Installation:
    """Read and check a settings file; relative paths count from the file's own folder. Raises `SettingsError`.

    Any text may stand elsewhere: `{ file = "/run/secrets/token" }` is what that file holds, `{ env = "TOKEN" }` that variable.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    try:
        return _resolved(Installation.model_validate(_fetched(raw, path.parent)), path.parent)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}") from None
    except _Missing as error:
        raise SettingsError(f"{path}: {error}") from None


class _Missing(Exception):
    """A file or variable that the settings name is not there."""


def _fetched(value: Any, folder: Path, where: str = "") -> Any:
    """`value` with every `{file = …}` and `{env = …}` replaced by the text that it names."""
    match value:
        case {"file": str(name), **rest} if not rest:
            try:
                return (folder / name).read_text("utf-8").removesuffix("\n")
            except (OSError, UnicodeDecodeError) as error:
                raise _Missing(f"{where}: the file {name} cannot be read ({error})") from None
        case {"env": str(name), **rest} if not rest:
            try:
                return os.environ[name]
            except KeyError:
                raise _Missing(f"{where}: the environment variable {name} is not set") from None
        case dict():
            return {key: _fetched(each, folder, f"{where}.{key}".lstrip(".")) for key, each in value.items()}
        case list():
            return [_fetched(each, folder, f"{where}.{place}") for place, each in enumerate(value)]
    return value


def _resolved(installation: Installation, folder: Path) -> Installation:
    """Paths of the installation itself, counted from `folder`."""
    update: dict[str, Any] = {"data": (folder / installation.data).resolve()}
    if (tls := installation.temporal.tls) is not None:
        files = {
            name: folder / path for name in ("ca", "certificate", "key") if (path := getattr(tls, name)) is not None
        }
        for name, path in files.items():
            if not os.access(path, os.R_OK):
                raise _Missing(f"temporal.tls.{name}: the file {path} cannot be read")
        update["temporal"] = installation.temporal.model_copy(update={"tls": tls.model_copy(update=files)})
    return installation.model_copy(update=update)
