"""The sandbox on the command line: serve the stand-ins, make them misbehave, look into them, play a season."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.faults import Kind
from sandbox.remote import FTPS_PORT, PORTS, SFTP_PORT, SMTP_PORT, ZIEL_SFTP_PORT, Remote, Unreachable
from sandbox.together import CannotServe, Wishes, serve

SEASON = "sandbox.season.command"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a problem said in one line, 2 a wrong command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen = _parser(given).parse_args(given)
        return int(chosen.run(chosen))
    except (Unreachable, CannotServe) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="run the stand-ins in this process until it is stopped"))
    _add_fault(commands.add_parser("fault", help="make the next calls of an operation misbehave"))
    _add_faults(commands.add_parser("faults", help="show or clear the switched-on faults"))
    for name, what in (("calls", "the calls so far"), ("state", "everything that the stand-in holds")):
        viewer = commands.add_parser(name, help=f"print {what}, as JSON")
        _add_system(viewer)
        viewer.set_defaults(run=lambda chosen, name=name: _print(getattr(_remote(chosen), name)()))
    season = commands.add_parser("season", help="play a season of bookings through the platform")
    # The season brings its own options; it is only loaded by who plays it.
    if given[:1] == ["season"]:
        _add_season(season)
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = "Run the stand-ins until SIGTERM or Ctrl-C; prints one line of JSON when all listen."
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder that survives a restart (default: memory)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    for system, port in PORTS.items():
        what = (
            f"HTTP control port of {system}" if system in ("airplus", "ziel", "postbox") else f"HTTP port of {system}"
        )
        parser.add_argument(
            f"--{system}-port", type=int, default=port, metavar="N", help=f"{what} (default: {port}; 0: any)"
        )
    parser.add_argument(
        "--sftp-port", type=int, default=SFTP_PORT, metavar="N", help="SFTP port of airplus (default: %(default)s)"
    )
    parser.add_argument(
        "--ftps-port",
        type=int,
        nargs="?",
        const=FTPS_PORT,
        metavar="N",
        help="open the FTPS door of airplus too, on this port (0: any; without a number: %(const)s)",
    )
    parser.add_argument(
        "--only", action="append", choices=list(PORTS), default=[], metavar="SYSTEM", help="serve this one; repeatable"
    )
    parser.add_argument("--gateway-url", metavar="URL", help="address to which the platform sends its events")
    parser.add_argument("--giav-key", metavar="KEY", help="API key that GIAV knows")
    parser.add_argument("--midoco-login", metavar="NAME", help="technical user of MIDOCO")
    parser.add_argument("--midoco-password", metavar="WORD")
    parser.add_argument("--sftp-user", metavar="NAME", help="user of the AirPlus drop box")
    parser.add_argument("--sftp-password", metavar="WORD")
    parser.add_argument("--sftp-public-key", type=Path, metavar="FILE", help="OpenSSH public key that may log in, too")
    parser.add_argument("--platform-token", metavar="TOKEN", help="bearer token of the platform's API")
    parser.add_argument("--platform-secret", metavar="SECRET", help="signing secret of the platform's webhooks")
    parser.add_argument("--ratehawk-key", metavar="UUID", help="API key that RateHawk knows, and signs webhooks with")
    parser.add_argument("--ratehawk-webhook-url", metavar="URL", help="address to which RateHawk announces changes")
    parser.add_argument(
        "--ratehawk-limit",
        type=int,
        metavar="N",
        help="requests a minute for each endpoint of orders, as agreed after a certification (default: 30)",
    )
    parser.add_argument("--xmid-token", metavar="TOKEN", help="bearer token that xMid knows")
    parser.add_argument(
        "--ziel-sftp-port",
        type=int,
        default=ZIEL_SFTP_PORT,
        metavar="N",
        help="SFTP port of ziel (default: %(default)s)",
    )
    parser.add_argument(
        "--smtp-port", type=int, default=SMTP_PORT, metavar="N", help="SMTP port of postbox (default: %(default)s)"
    )
    parser.add_argument("--ziel-password", metavar="WORD", help="password of the SFTP user at Z.I.E.L.")
    parser.add_argument("--easycount-key", metavar="KEY", help="API key that EasyCount knows")
    parser.add_argument("--kommo-token", metavar="TOKEN", help="long-lived token that Kommo knows")
    parser.add_argument("--kommo-secret", metavar="SECRET", help="secret of the integration in Kommo")
    parser.add_argument("--kommo-redirect", metavar="URL", help="address to which Kommo's consent sends the browser")
    parser.set_defaults(run=_serve)


def _serve(chosen: argparse.Namespace) -> int:
    wishes = Wishes(
        data=chosen.data,
        host=chosen.host,
        ports={system: getattr(chosen, f"{system}_port") for system in PORTS},
        sftp_port=chosen.sftp_port,
        ftps_port=chosen.ftps_port,
        xmid_token=chosen.xmid_token,
        ziel_sftp_port=chosen.ziel_sftp_port,
        ziel_password=chosen.ziel_password,
        smtp_port=chosen.smtp_port,
        only=chosen.only,
        gateway_url=chosen.gateway_url,
        giav_key=chosen.giav_key,
        midoco_login=chosen.midoco_login,
        midoco_password=chosen.midoco_password,
        sftp_user=chosen.sftp_user,
        sftp_password=chosen.sftp_password,
        sftp_public_key=chosen.sftp_public_key,
        platform_token=chosen.platform_token,
        platform_secret=chosen.platform_secret,
        ratehawk_key=chosen.ratehawk_key,
        ratehawk_webhook_url=chosen.ratehawk_webhook_url,
        easycount_key=chosen.easycount_key,
        kommo_token=chosen.kommo_token,
        kommo_secret=chosen.kommo_secret,
        kommo_redirect=chosen.kommo_redirect,
        ratehawk_limit=chosen.ratehawk_limit,
    )
    asyncio.run(serve(wishes, lambda line: print(line, flush=True)))
    return 0


def _add_fault(parser: argparse.ArgumentParser) -> None:
    parser.description = "Kinds: " + ", ".join(kind.value for kind in Kind)
    _add_system(parser)
    parser.add_argument(
        "operation", metavar="OPERATION", help="such as Cobro_POST, announceBookingMessage, put; * is any"
    )
    parser.add_argument("kind", metavar="KIND", choices=[kind.value for kind in Kind], help="what goes wrong")
    how_often = parser.add_mutually_exclusive_group()
    how_often.add_argument("--times", type=int, default=1, metavar="N", help="how often (default: %(default)s)")
    how_often.add_argument("--for-good", action="store_true", help="until the faults are cleared")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="for slow, late, throttle")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="let so many calls pass first")
    parser.set_defaults(run=_fault)


def _fault(chosen: argparse.Namespace) -> int:
    wish: dict[str, Any] = {
        "operation": chosen.operation,
        "kind": chosen.kind,
        "times": None if chosen.for_good else chosen.times,
        "seconds": chosen.seconds,
        "skip": chosen.skip,
    }
    return _print(_remote(chosen).set_fault(wish))


def _add_faults(parser: argparse.ArgumentParser) -> None:
    parser.description = "Show the faults of one stand-in, or of all that run, with how often each struck."
    _add_system(parser, optional=True)
    parser.add_argument("--clear", action="store_true", help="switch all of them off")
    parser.set_defaults(run=_faults)


def _faults(chosen: argparse.Namespace) -> int:
    if chosen.system:
        remote = _remote(chosen)
        return _print(remote.clear_faults() if chosen.clear else remote.faults())
    shown: dict[str, Any] = {}
    problem: Unreachable | None = None
    for system, port in PORTS.items():
        remote = Remote(system, f"http://{chosen.host}:{port}")
        try:
            shown[system] = remote.clear_faults() if chosen.clear else remote.faults()
        except Unreachable as error:
            problem = error
    if problem and not shown:
        raise problem
    return _print(shown)


def _add_system(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    parser.add_argument(
        "system", metavar="SYSTEM", choices=list(PORTS), nargs="?" if optional else None, help=", ".join(PORTS)
    )
    parser.add_argument("--host", default="127.0.0.1", help="where it runs (default: %(default)s)")
    parser.add_argument("--port", type=int, metavar="N", help="its HTTP port (default: that of serve)")


def _remote(chosen: argparse.Namespace) -> Remote:
    return Remote(chosen.system, f"http://{chosen.host}:{chosen.port or PORTS[chosen.system]}")


def _print(held: Any) -> int:
    print(json.dumps(held, indent=2, ensure_ascii=False))
    return 0


def _add_season(parser: argparse.ArgumentParser) -> None:
    try:
        command = importlib.import_module(SEASON)
    except ModuleNotFoundError as error:
        raise CannotServe(f"the season is not installed ({SEASON}: {error})") from error
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C in a terminal reaches us as well as whoever started us
