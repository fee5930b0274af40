"""Runs every stand-in in one process, each on its own port, until it is told to stop."""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.remote import PORTS, SFTP_PORT, SMTP_PORT, ZIEL_SFTP_PORT
from sandbox.running import Listener, configured, loopback_socket
from sandbox.serving import StandIn


class CannotServe(Exception):
    """A stand-in is missing or its port is taken; the text is one line."""


@dataclass(frozen=True)
class Wishes:
    """What to serve and where; None leaves the stand-in's own sandbox default."""

    data: Path | None = None
    host: str = "127.0.0.1"
    ports: dict[str, int] = field(default_factory=lambda: dict(PORTS))
    sftp_port: int = SFTP_PORT
    ftps_port: int | None = None
    only: Sequence[str] = ()
    gateway_url: str | None = None
    giav_key: str | None = None
    midoco_login: str | None = None
    midoco_password: str | None = None
    sftp_user: str | None = None
    sftp_password: str | None = None
    sftp_public_key: Path | None = None
    platform_token: str | None = None
    platform_secret: str | None = None
    ratehawk_key: str | None = None
    ratehawk_webhook_url: str | None = None
    ratehawk_limit: int | None = None
    xmid_token: str | None = None
    ziel_sftp_port: int = ZIEL_SFTP_PORT
    ziel_password: str | None = None
    smtp_port: int = SMTP_PORT
    easycount_key: str | None = None
    kommo_token: str | None = None
    kommo_secret: str | None = None
    kommo_redirect: str | None = None


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _giav(module: Any, wishes: Wishes) -> StandIn:
    path = wishes.data / "giav.sqlite" if wishes.data else None
    made: StandIn = module.GiavStandIn(path, **_given(api_key=wishes.giav_key))
    return made


def _midoco(module: Any, wishes: Wishes) -> StandIn:
    login = wishes.midoco_login or module.LOGIN
    made: StandIn = module.MidocoStandIn(wishes.data, logins={login: wishes.midoco_password or module.PASSWORD})
    return made


def _airplus(module: Any, wishes: Wishes) -> StandIn:
    keys = (wishes.sftp_public_key.read_text(),) if wishes.sftp_public_key else ()
    account = module.Account(wishes.sftp_user or module.USER, wishes.sftp_password or module.PASSWORD, keys)
    made: StandIn = module.AirplusStandIn(wishes.data, accounts=(account,))
    return made


def _platform(module: Any, wishes: Wishes) -> StandIn:
    made: StandIn = module.PlatformStandIn(
        wishes.data, wishes.gateway_url, **_given(token=wishes.platform_token, secret=wishes.platform_secret)
    )
    return made


def _ratehawk(module: Any, wishes: Wishes) -> StandIn:
    limits = dict(module.LIMITS)
    if wishes.ratehawk_limit is not None:
        limits[module.ORDERS] = (wishes.ratehawk_limit, 60)
    made: StandIn = module.RateHawkStandIn(
        wishes.data, webhook_url=wishes.ratehawk_webhook_url, limits=limits, **_given(api_key=wishes.ratehawk_key)
    )
    return made


def _xmid(module: Any, wishes: Wishes) -> StandIn:
    made: StandIn = module.XmidStandIn(wishes.data, **_given(token=wishes.xmid_token))
    return made


def _ziel(module: Any, wishes: Wishes) -> StandIn:
    account = module.Account(module.USER, wishes.ziel_password or module.PASSWORD)
    made: StandIn = module.ZielStandIn(wishes.data, accounts=(account,))
    return made


def _easycount(module: Any, wishes: Wishes) -> StandIn:
    made: StandIn = module.EasyCountStandIn(wishes.data, **_given(api_key=wishes.easycount_key))
    return made


def _kommo(module: Any, wishes: Wishes) -> StandIn:
    given = _given(token=wishes.kommo_token, client_secret=wishes.kommo_secret, redirect_uri=wishes.kommo_redirect)
    made: StandIn = module.KommoStandIn(wishes.data, **given)
    return made


def _kept(stand_in: Any) -> StandIn:
    """A stand-in with its own sandbox credentials."""
    made: StandIn = stand_in
    return made


MAKERS: dict[str, Callable[[Any, Wishes], StandIn]] = {
    "giav": _giav,
    "midoco": _midoco,
    "airplus": _airplus,
    "platform": _platform,
    "ratehawk": _ratehawk,
    "tina": lambda module, wishes: _kept(module.TinaStandIn(wishes.data)),
    "sapeig": lambda module, wishes: _kept(module.SapeigStandIn(wishes.data)),
    "xmid": _xmid,
    "ziel": _ziel,
    "easycount": _easycount,
    "kommo": _kommo,
    "postbox": lambda module, wishes: _kept(module.PostboxStandIn(wishes.data)),
}

WITH_SFTP: dict[str, Callable[[Wishes], int]] = {
    "airplus": lambda wishes: wishes.sftp_port,
    "ziel": lambda wishes: wishes.ziel_sftp_port,
}
"""Stand-ins that listen for SFTP, too, and on which port."""


def make(system: str, wishes: Wishes) -> StandIn:
    """The stand-in of `system`, not yet listening; raises CannotServe."""
    place = f"sandbox.{system}.stand_in"
    try:
        module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise CannotServe(f"the stand-in {system} is not installed ({place}: {error})") from error
    try:
        return MAKERS[system](module, wishes)
    except OSError as error:
        raise CannotServe(f"the stand-in {system} cannot start: {error}") from error


async def serve(wishes: Wishes, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `ready` gets one line of JSON once everything listens. Raises CannotServe."""
    if wishes.data:
        wishes.data.mkdir(parents=True, exist_ok=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stand_ins = [make(system, wishes) for system in MAKERS if system in (wishes.only or MAKERS)]
    listeners: list[tuple[Listener, asyncio.Task[None]]] = []
    told: dict[str, Any] = {"ready": True}
    try:
        for stand_in in stand_ins:
            listener, told[stand_in.name] = _listen(stand_in, wishes)
            listeners.append((listener, asyncio.create_task(listener.serve(sockets=listener.bound))))
            if stand_in.name in WITH_SFTP:
                told[stand_in.name]["sftp"] = await _sftp(stand_in, wishes)
            if stand_in.name == "postbox":
                told["postbox"]["smtp"] = await _smtp(stand_in, wishes)
            if stand_in.name == "airplus" and wishes.ftps_port is not None:
                told["airplus"]["ftps"] = _ftps(stand_in, wishes, wishes.ftps_port)
        for listener, _ in listeners:
            await asyncio.to_thread(listener.listening.wait)
        _link(stand_ins, told)
        ready(json.dumps(told))
        await stop.wait()
    finally:
        for listener, task in listeners:
            listener.should_exit = True
            await task
        for stand_in in stand_ins:
            if stand_in.name in WITH_SFTP:
                await stand_in.stop_sftp()  # type: ignore[attr-defined]  # its class is imported late
            if stand_in.name == "postbox":
                await stand_in.stop_smtp()  # type: ignore[attr-defined]  # as above
            stand_in.close()


def _link(stand_ins: Sequence[Any], told: dict[str, Any]) -> None:
    """The platform orders its hotels at RateHawk, where both are served."""
    for stand_in in stand_ins:
        if stand_in.name == "platform" and "ratehawk" in told:
            stand_in.ordering.url = told["ratehawk"]["url"]


def _listen(stand_in: StandIn, wishes: Wishes) -> tuple[Listener, dict[str, Any]]:
    port = wishes.ports[stand_in.name]
    try:
        bound = loopback_socket(port, wishes.host)
    except OSError as error:
        raise CannotServe(f"{stand_in.name}: port {port} of {wishes.host} cannot be used: {error.strerror}") from error
    listener = Listener(configured(stand_in), [bound])
    return listener, {"url": f"http://{wishes.host}:{bound.getsockname()[1]}"}


async def _sftp(stand_in: Any, wishes: Wishes) -> dict[str, Any]:
    wanted = WITH_SFTP[stand_in.name](wishes)
    try:
        port = await stand_in.start_sftp(wanted, wishes.host)
    except OSError as error:
        raise CannotServe(f"{stand_in.name}: SFTP port {wanted} cannot be used: {error.strerror}") from error
    return {"host": wishes.host, "port": port, "fingerprint": stand_in.fingerprint, "host_key": stand_in.host_key}


async def _smtp(stand_in: Any, wishes: Wishes) -> dict[str, Any]:
    try:
        port = await stand_in.start_smtp(wishes.smtp_port, wishes.host)
    except OSError as error:
        raise CannotServe(f"postbox: SMTP port {wishes.smtp_port} cannot be used: {error.strerror}") from error
    return {"host": wishes.host, "port": port}


def _ftps(stand_in: Any, wishes: Wishes, port: int) -> dict[str, Any]:
    try:
        taken = stand_in.start_ftps(port, wishes.host)
    except OSError as error:
        raise CannotServe(f"airplus: FTPS port {port} cannot be used: {error.strerror}") from error
    return {"host": wishes.host, "port": taken, "pin": stand_in.papers.pin, "ca": str(stand_in.papers.ca)}
