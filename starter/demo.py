"""`bookings demo`: everything on this machine, a season played through it, and what came out (DESIGN section 8)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import socket
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.people import Role
from starter.answers import CommandError
from starter.children import Child, Recipe
from starter.embedded import port_is_free
from starter.opening import opened_store
from store.installation import Installation

AGENCY = "demo"
CONSOLE_NAME = "demo"
"""Who signs in to the console of a demo, as administrator."""
RATEHAWK_LIMIT = 300
"""Requests a minute, as after a certification: a season happens in a minute."""
CARD_TOKEN = "airplus-meridian"  # noqa: S105 the name under which the season's company account is lodged
CARD_NUMBER = "192000000000008"
"""A synthetic account number with a right check digit; nothing can be charged to it."""
CARD_EXPIRY = "1230"

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"
TEMPLATE = EXAMPLES / "demo.toml"
MID_OFFICES = tuple(sorted(path.stem for path in (EXAMPLES / "midoffices").glob("*.toml")))
"""The mid-offices that the demo's agency may have, each with its section of the settings."""

PREFERRED_PORTS = {
    "temporal": 7233,
    "temporal_ui": 8233,
    "gateway": 8080,
    "console": 8081,
    "giav": 18101,
    "midoco": 18102,
    "airplus": 18103,
    "platform": 18104,
    "ratehawk": 18105,
    "tina": 18106,
    "sapeig": 18107,
    "xmid": 18108,
    "ziel": 18109,
    "easycount": 18110,
    "kommo": 18111,
    "postbox": 18112,
    "sftp": 18122,
    "ziel-sftp": 18123,
    "smtp": 18125,
}
"""Taken for a new demo where they are free; an existing demo keeps its own, because its systems know each other by them."""

SANDBOX_PORTS = tuple(name for name in PREFERRED_PORTS if name not in ("temporal", "temporal_ui", "gateway", "console"))

Announce = Callable[[str], None]


class DemoState(BaseModel):
    """What a demo invented at its first start and keeps: ports and credentials. None of it guards anything real."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ports: dict[str, int]
    master_key: str
    platform_secret: str
    platform_token: str
    giav_key: str
    midoco_password: str
    sftp_password: str
    ratehawk_key: str
    easycount_key: str
    kommo_token: str
    kommo_secret: str
    kommo_hook: str
    console_password: str
    midoffice: str = "midoco"

    @classmethod
    def invent(cls, *, any_ports: bool = False, midoffice: str = "midoco") -> DemoState:
        """A new demo; on the well-known ports where they are free, unless `any_ports` will do."""
        return cls(
            ports=_choose_ports(dict.fromkeys(PREFERRED_PORTS, 0) if any_ports else PREFERRED_PORTS),
            master_key=base64.b64encode(secrets.token_bytes(32)).decode(),
            platform_secret=f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}",
            platform_token=secrets.token_urlsafe(24),
            giav_key=secrets.token_urlsafe(24),
            midoco_password=secrets.token_urlsafe(24),
            sftp_password=secrets.token_urlsafe(24),
            ratehawk_key=str(uuid.uuid4()),
            easycount_key=secrets.token_hex(32),
            kommo_token=secrets.token_urlsafe(48),
            kommo_secret=secrets.token_urlsafe(48),
            kommo_hook=secrets.token_urlsafe(32),
            console_password=secrets.token_urlsafe(15),
            midoffice=midoffice,
        )

    @classmethod
    def of(cls, folder: Path, *, any_ports: bool = False, midoffice: str | None = None) -> DemoState:
        """The state of an existing demo, or a new one, written so that only its owner reads it.

        A demo keeps the mid-office that it began with; raises `CommandError` when another one is asked for.
        """
        path = folder / "demo.json"
        if path.exists():
            try:
                kept = cls._completed(json.loads(path.read_text("utf-8")))
            except (ValueError, KeyError, TypeError):
                raise CommandError(f"{path} cannot be read; remove the folder to begin anew") from None
            if midoffice not in (None, kept.midoffice):
                raise CommandError(
                    f"the demo in {folder} began with {kept.midoffice} and keeps it; leave --midoffice out, or name another "
                    f"folder with --data"
                )
            return kept
        state = cls.invent(any_ports=any_ports, midoffice=midoffice or "midoco")
        write_private(path, state.model_dump_json(indent=2))
        return state

    @classmethod
    def _completed(cls, kept: dict[str, Any]) -> DemoState:
        """A demo of an earlier version did not have every system: what is missing is invented, and then its own."""
        missing = {name: port for name, port in PREFERRED_PORTS.items() if name not in kept["ports"]}
        ports = {**_choose_ports(missing), **kept["ports"]}
        invented: dict[str, str] = {"ratehawk_key": str(uuid.uuid5(uuid.NAMESPACE_URL, kept["master_key"]))}
        for name in ("easycount_key", "kommo_token", "kommo_secret", "kommo_hook", "console_password"):
            # The same at every start, because nobody writes them down.
            invented[name] = hashlib.sha256(f"{name}:{kept['master_key']}".encode()).hexdigest()
        return cls.model_validate({**invented, **kept, "ports": ports})


def _choose_ports(preferred: Mapping[str, int]) -> dict[str, int]:
    """A free port for each name; 0 leaves the choice to the system."""
    chosen: dict[str, int] = {}
    for name, port in preferred.items():
        while not port or port in chosen.values() or not port_is_free("127.0.0.1", port):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        chosen[name] = port
    return chosen


def let_in(installation: Installation, state: DemoState) -> None:
    """The person of a demo, once; whoever gave another password meanwhile keeps it."""
    with opened_store(installation) as store:
        if store.people.get(CONSOLE_NAME) is None:
            store.people.add(CONSOLE_NAME, Role.ADMINISTRATOR, None, password=state.console_password, by="demo")


def write_private(path: Path, text: str) -> None:
    """Write a file that holds secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, "utf-8")


def write_settings(folder: Path, state: DemoState, fingerprints: Mapping[str, str]) -> Path:
    """The settings file of the demo, from the template in docs/examples."""
    try:
        text = TEMPLATE.read_text("utf-8")
        section = (EXAMPLES / "midoffices" / f"{state.midoffice}.toml").read_text("utf-8")
    except OSError as error:
        raise CommandError(f"{error.filename} is missing; run the demo from a checkout of the project") from None
    words = {"midoffice_section": section.rstrip()}
    words |= {f"{name}_port": str(port) for name, port in state.ports.items()}
    words |= state.model_dump(exclude={"ports"})
    words |= {f"{name}_fingerprint": fingerprint for name, fingerprint in fingerprints.items()}
    for name, word in words.items():
        text = text.replace("{{" + name + "}}", word)
    path = folder / "settings.toml"
    write_private(path, text)
    return path


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The stand-ins as one child process."""

    child: Child
    told: Mapping[str, Any]
    """What it printed when all of them listened: addresses, and the fingerprints of the drop boxes."""

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the host keys, by the names that the ports have."""
        boxes = {"sftp": "airplus", "ziel-sftp": "ziel"}
        return {name: str(self.told[system]["sftp"]["fingerprint"]) for name, system in boxes.items()}

    def url(self, system: str) -> str:
        return str(self.told[system]["url"])


async def start_sandbox(folder: Path, state: DemoState, announce: Announce) -> Sandbox:
    """Serve the stand-ins with the demo's credentials; their state survives in the folder."""
    for name in SANDBOX_PORTS:
        if not port_is_free("127.0.0.1", state.ports[name]):
            raise CommandError(
                f"port {state.ports[name]} ({name} of the sandbox) is in use; end what uses it "
                f"(ss -ltnp sport = :{state.ports[name]}) or remove {folder / 'demo.json'} to choose others"
            )
    command = [sys.executable, "-m", "sandbox", "serve", "--data", str(folder / "sandbox")]
    for name in SANDBOX_PORTS:
        command += [f"--{name}-port", str(state.ports[name])]
    command += ["--gateway-url", f"http://127.0.0.1:{state.ports['gateway']}/events"]
    # With an equals sign, because an invented word may begin with a dash.
    command += [f"--giav-key={state.giav_key}", f"--midoco-password={state.midoco_password}"]
    command += [f"--sftp-password={state.sftp_password}"]
    command += [f"--platform-token={state.platform_token}", f"--platform-secret={state.platform_secret}"]
    command += [f"--ratehawk-key={state.ratehawk_key}", "--ratehawk-limit", str(RATEHAWK_LIMIT)]
    command += ["--ratehawk-webhook-url", f"http://127.0.0.1:{state.ports['gateway']}/suppliers/ratehawk"]
    command += [f"--easycount-key={state.easycount_key}", f"--kommo-token={state.kommo_token}"]
    command += [f"--kommo-secret={state.kommo_secret}"]
    child = Child(Recipe("sandbox", command), folder / "logs", announce)
    said = child.log_file.stat().st_size if child.log_file.exists() else 0
    await child.start()
    try:
        async with asyncio.timeout(60):
            while (told := _ready_line(child.log_file, said)) is None:  # noqa: ASYNC110 another process writes the file
                await asyncio.sleep(0.1)
    except TimeoutError:
        await child.stop()
        raise CommandError(f"the sandbox did not start; see {child.log_file}") from None
    announce(
        "sandbox ready: GIAV, five mid-offices, AirPlus, RateHawk, EasyCount, Kommo, a postbox and the booking platform"
    )
    return Sandbox(child, told)


def _ready_line(log_file: Path, said: int) -> dict[str, Any] | None:
    """The line of JSON that the sandbox prints when everything listens."""
    if not log_file.exists():
        return None
    with log_file.open("rb") as lines:
        lines.seek(said if log_file.stat().st_size >= said else 0)
        for line in lines:
            if line.startswith(b'{"ready"') and line.endswith(b"\n"):
                return dict(json.loads(line))
    return None


async def run_to_end(command: list[str], *, given: str | None = None) -> int:
    """Run a command with our terminal, `given` on its standard input; its exit code. Ended with us if we are cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE if given is not None else asyncio.subprocess.DEVNULL
    )
    try:
        await process.communicate(given.encode() if given is not None else None)
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode


def season_command(sandbox: Sandbox, state: DemoState, pace: float, scene: str | None = None) -> list[str]:
    """The season of the sandbox, or one of the scenes after it, against its own stand-ins."""
    command = [sys.executable, "-m", "sandbox", "season", "--platform", sandbox.url("platform")]
    for system in ("giav", state.midoffice, "airplus", "ratehawk"):
        command += [f"--{system}", sandbox.url(system)]
    command += ["--scene", scene] if scene else []
    return [*command, "--midoffice", state.midoffice, f"--token={state.platform_token}", "--pace", str(pace)]
