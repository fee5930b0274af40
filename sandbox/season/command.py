"""The command line of the season."""

from __future__ import annotations

import argparse
from datetime import date

from sandbox.platform.stand_in import TOKEN
from sandbox.remote import PORTS
from sandbox.season import run as season
from sandbox.season.scenes import SCENES
from sandbox.season.script import ANNOUNCEMENTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = "Play the demo season; a second run goes on where the first stopped."
    for system, port in PORTS.items():
        parser.add_argument(
            f"--{system}",
            default=f"http://127.0.0.1:{port}",
            metavar="URL",
            help=f"where the {system} stand-in listens (default: %(default)s)",
        )
    parser.add_argument(
        "--midoffice",
        choices=list(ANNOUNCEMENTS),
        default="midoco",
        help="the agency's mid-office (default: %(default)s)",
    )
    parser.add_argument("--no-faults", action="store_true", help="leave the other stand-ins alone")
    parser.add_argument("--pace", type=float, default=1.0, metavar="SECONDS", help="pause after each step (default 1)")
    parser.add_argument(
        "--start", type=date.fromisoformat, metavar="DATE", help="day from which all dates are counted (default today)"
    )
    parser.add_argument("--token", default=TOKEN, help="bearer token of the platform's API")
    parser.add_argument(
        "--patience", type=float, default=season.PATIENCE, metavar="SECONDS", help="how long to wait at the end"
    )
    parser.add_argument(
        "--scene",
        choices=list(SCENES),
        help="instead of the season: one of the scenes that come after it, in this order",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")


def run(args: argparse.Namespace) -> int:
    """0 if all steps were taken, all events delivered and all bookings stand as expected, else 1."""
    failing = () if args.no_faults else ("giav", args.midoffice, "airplus", "ratehawk")
    return season.run(
        args.platform,
        {system: getattr(args, system) for system in failing},
        args.pace,
        midoffice=args.midoffice,
        start=args.start,
        token=args.token,
        patience=args.patience,
        as_json=args.json,
        scene=args.scene,
    )
