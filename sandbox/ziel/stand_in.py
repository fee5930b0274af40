"""The Z.I.E.L. stand-in: an SFTP server that reads files and writes acknowledgements (contracts: midoffice 8.1)."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.faults import Fault, Kind
from sandbox.file_server import Account, LogIn, SftpListening
from sandbox.serving import StandIn
from sandbox.shelf import Shelf
from sandbox.ziel.books import Books, Verdict
from sandbox.ziel.sftp import Session, Site

USER = "agency"
PASSWORD = "sandbox-ziel"
BUSY = Verdict("", "ERR", code="E90", text="busy")


class ZielStandIn(SftpListening, StandIn):
    """Z.I.E.L.: files come by SFTP (`start_sftp`), people and tests look in over HTTP.

    `data` is a folder (None: a temporary one), `accounts` who may log in, `agencies` and `suppliers` limit who exists
    (None: any), `answers_at_once=False` leaves files lying in `in/` until POST /control/run.

    Beside the ordinary control endpoint:

        GET  /                          what arrived, as a page for the browser
        GET  /control/sftp              host, port, fingerprint and users
        POST /control/run               read what lies in `in/`; gives the names
        POST /control/acknowledgements  {"user", "name", "content"}: write this file into ack/, whatever it says
        POST /control/verdicts          {"code": "E32", "times": 1}: the next files get this code
        POST /control/closed            {"until": "2026-12-31"}: bookings that end by then get E50
        POST /control/host-key          a new host key for new connections; gives its fingerprint

    Faults strike connect, put, get, rename, stat and remove; and `ack`, what becomes of a file that arrived: `refuse`
    E32, `error-before` and `throttle` E90, `drop-before` the file is lost unread, `drop-after` it is taken and nothing
    is acknowledged, `late` and `slow` it is acknowledged `seconds` later, `malformed` the acknowledgement is cut.
    """

    name = "ziel"

    def __init__(
        self,
        data: Path | None = None,
        *,
        accounts: Sequence[Account] = (Account(USER, PASSWORD),),
        agencies: frozenset[str] | None = None,
        suppliers: frozenset[str] | None = None,
        answers_at_once: bool = True,
    ) -> None:
        StandIn.__init__(self)
        self._temporary = tempfile.TemporaryDirectory(prefix="ziel-") if data is None else None
        folder = Path(self._temporary.name) if self._temporary else (data or Path()) / "ziel"
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        SftpListening.__init__(self, folder)
        self._books = Books(Shelf(folder / "ziel.sqlite" if data else None), agencies, suppliers)
        self._answers_at_once = answers_at_once
        self._wished: list[str] = []
        self._site = Site(
            root=folder / "homes",
            accounts={account.user: account for account in accounts},
            faults=self.faults,
            log=self._note,
            arrived=self._arrived,
        )
        for account in accounts:
            self._site.home(account.user)

    def close(self) -> None:
        self._books.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # --- SFTP ---

    def log_in(self) -> LogIn:
        return LogIn(self._site)

    def session(self, chan: Any) -> Session:
        return Session(chan, self._site)

    # --- files ---

    def home(self, user: str = USER) -> Path:
        return self._site.home(user)

    def _note(self, operation: str, outcome: str) -> None:
        self.calls.append({"operation": operation, "outcome": outcome, "at": time.time()})

    def _arrived(self, path: Path) -> None:
        if self._answers_at_once:
            self._process(path)

    def run(self) -> list[str]:
        """Read what lies there, by name; gives the names."""
        lying = sorted(self._site.root.glob("*/in/*.csv"))
        for path in lying:
            self._process(path)
        return [path.name for path in lying]

    def _process(self, path: Path) -> None:
        fault = self.faults.take("ack")
        self._note("ack", fault.kind.value if fault else "ok")
        content, home = path.read_bytes(), path.parents[1]
        archive = self._folder / "archive"
        archive.mkdir(exist_ok=True)
        path.rename(archive / path.name)
        verdict = self._verdict(path.name, content, fault)
        if verdict is None:
            return
        place = home / "ack" / f"{path.name}.ack"
        answer = verdict.line.encode()
        if verdict.status is not None:
            place, answer = home / "status" / f"{path.name.removesuffix('.csv')}.sta", verdict.status.encode()
        match fault.kind if fault else None:
            case Kind.DROP_AFTER | Kind.ERROR_AFTER:
                return
            case Kind.MALFORMED:
                answer = answer[: len(answer) // 2]
            case Kind.LATE | Kind.SLOW if fault:
                asyncio.get_running_loop().call_later(fault.seconds, write, place, answer)
                return
        write(place, answer)

    def _verdict(self, name: str, content: bytes, fault: Fault | None) -> Verdict | None:
        match fault.kind if fault else None:
            case Kind.DROP_BEFORE:
                return None
            case Kind.ERROR_BEFORE | Kind.THROTTLE | Kind.PAGE_503:
                return BUSY
            case Kind.REFUSE:
                return self._books.judge(name, content, "E32")
        return self._books.judge(name, content, self._wished.pop(0) if self._wished else None)

    def wish(self, code: str, times: int = 1) -> None:
        """The next files get this code, whatever is in them."""
        self._wished += [code] * times

    # --- HTTP ---

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route("/control/sftp", self._sftp),
            Route("/control/run", self._run, methods=["POST"]),
            Route("/control/acknowledgements", self._acknowledge, methods=["POST"]),
            Route("/control/verdicts", self._verdicts, methods=["POST"]),
            Route("/control/closed", self._close_period, methods=["POST"]),
            Route("/control/host-key", self._new_key, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return self._books.everything()

    async def _sftp(self, _: Request) -> Response:
        told = {"host": self._host, "port": self.sftp_port, "fingerprint": self.fingerprint, "host_key": self.host_key}
        return JSONResponse({**told, "users": list(self._site.accounts)})

    async def _run(self, _: Request) -> Response:
        return JSONResponse({"read": self.run()})

    async def _acknowledge(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        write(self.home(wish.get("user", USER)) / "ack" / Path(wish["name"]).name, wish["content"].encode())
        return JSONResponse({})

    async def _verdicts(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        self.wish(str(wish["code"]), int(wish.get("times", 1)))
        return JSONResponse({"next": self._wished})

    async def _close_period(self, request: Request) -> Response:
        self.shut(str(json.loads(await request.body())["until"]))
        return JSONResponse({})

    def shut(self, until: str) -> None:
        """Close the books up to this day (ISO)."""
        self._books.shut(until)

    async def _new_key(self, _: Request) -> Response:
        return JSONResponse({"fingerprint": self.change_host_key()})

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(page(self._books.everything()))


def write(place: Path, content: bytes) -> None:
    """A file that appears whole."""
    hidden = place.with_name(f".{place.name}")
    hidden.write_bytes(content)
    hidden.rename(place)


def page(held: dict[str, Any]) -> str:
    """What arrived, newest first."""
    tables = {
        "files": ("at", "name", "result", "number", "code", "text"),
        "bookings": ("number", "agency", "lieferant", "buchungsnr", "revision", "status", "vk_brutto", "waehrung"),
        "payments": ("transaktion", "richtung", "betrag", "waehrung", "datum"),
    }
    parts = [_table(name, columns, list(reversed(held[name]))) for name, columns in tables.items()]
    head = '<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><title>Z.I.E.L.</title></head>'
    return f"{head}<body><h1>Z.I.E.L.</h1>{''.join(parts)}</body></html>"


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(row[name]))}</td>" for name in columns) + "</tr>" for row in rows)
    return f"<h2>{escape(title)} ({len(rows)})</h2><table><tr>{head}</tr>{body}</table>"
