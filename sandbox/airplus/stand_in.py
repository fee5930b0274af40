"""The AirPlus stand-in: drop box by SFTP and FTPS, receiver, answers, and a control endpoint (contracts: tamara 3.11, 4.8)."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.airplus.answer import answer_name, render
from sandbox.airplus.certificates import Papers, papers_in
from sandbox.airplus.ftps import FtpsDoor
from sandbox.airplus.manners import Manners
from sandbox.airplus.receiver import Receiver
from sandbox.airplus.sftp import Account, Door, Session, Site
from sandbox.faults import Fault, Kind
from sandbox.file_server import SftpListening
from sandbox.serving import StandIn
from sandbox.shelf import Record, Shelf

USER = "agency"
PASSWORD = "sandbox-airplus"
ANY_MODE = Account(USER, PASSWORD)


class AirplusStandIn(SftpListening, StandIn):
    """AirPlus: files come by SFTP (`start_sftp`) or FTPS (`start_ftps`), people and tests look in over HTTP.

    `data` is a folder (None: a temporary one), `accounts` who may log in, `partners` the known PartnerIDs (None: any),
    `answers_at_once=False` keeps the answers back until POST /control/answers.

    Beside the ordinary control endpoint:

        GET  /control/sftp        host, port, fingerprint and users
        GET  /control/ftps        host, port, pin, and the file of the CA
        POST /control/answers     write the answers that were kept back; gives their names
        POST /control/rejections  {"<TXN_REF, INV_NO, #n or next>": "A001", …}: reject these when they come
        POST /control/host-key    a new host key for new connections; gives its fingerprint

    On the operation `answer`, `refuse` never writes one, `late` keeps it back until POST /control/answers, `malformed` cuts
    it in the middle, `error-after` writes wrong totals. Other faults strike the operations connect, put, get, rename, stat
    and remove; `late` on rename is a file that is picked up at once, `error-before` on put a full disk, `malformed` on put
    an upload that is torn in the middle.
    """

    name = "airplus"

    def __init__(
        self,
        data: Path | None = None,
        *,
        accounts: Sequence[Account] = (ANY_MODE,),
        partners: frozenset[str] | None = None,
        answers_at_once: bool = True,
        marked: bool = False,
    ) -> None:
        StandIn.__init__(self)
        # A session that was cut may still put a file there while the folder goes.
        self._temporary = (
            tempfile.TemporaryDirectory(prefix="airplus-", ignore_cleanup_errors=True) if data is None else None
        )
        folder = Path(self._temporary.name) if self._temporary else (data or Path()) / "airplus"
        folder.mkdir(parents=True, exist_ok=True)
        SftpListening.__init__(self, folder)
        self._receiver = Receiver(Shelf(folder / "airplus.sqlite" if data else None), partners)
        self._answers_at_once = answers_at_once
        self._site = Site(
            root=folder / "homes",
            marked=marked,
            accounts={account.user: account for account in accounts},
            faults=self.faults,
            log=lambda operation, outcome: self.calls.append(
                {"operation": operation, "outcome": outcome, "at": time.time()}
            ),
            arrived=self._arrived,
            fetched=self._fetched,
        )
        for account in accounts:
            self._site.home(account)
        self._ftps: FtpsDoor | None = None
        self._folder = folder

    def close(self) -> None:
        self.stop_ftps()
        self._receiver.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    # --- SFTP ---

    def log_in(self) -> Door:
        return Door(self._site)

    def session(self, chan: Any) -> Session:
        return Session(chan, self._site)

    # --- FTPS ---

    def start_ftps(self, port: int = 0, host: str = "127.0.0.1", manners: Manners | None = None) -> int:
        """Listen for FTPS in threads of its own; gives the port. Raises OSError if it is taken."""
        self._host = host
        self._ftps = FtpsDoor(self._site, self.papers, manners or Manners())
        return self._ftps.start(port, host)

    def stop_ftps(self) -> None:
        if self._ftps is not None:
            self._ftps.stop()
            self._ftps = None

    @property
    def papers(self) -> Papers:
        """The certificate of the FTPS door and the CA that issued it."""
        return papers_in(self._folder)

    def home(self, user: str = USER) -> Path:
        """The folder with `in/`, `out/` and `archive/` of a user."""
        return self._site.home(self._site.accounts[user])

    # --- files ---

    def _arrived(self, account: Account, path: Path) -> None:
        verdict = self._receiver.receive(path.name, path.read_bytes(), account.mode, account.user)
        if self._answers_at_once:
            self._answer(verdict)

    def _answer(self, verdict: Record) -> str:
        name = answer_name(verdict["name"])
        fault = self.faults.take("answer")
        if fault is not None and fault.kind is Kind.LATE:
            return name
        out = self.home(verdict["user"]) / "out"
        hidden = out / f".{name}"
        if fault is None or fault.kind is not Kind.REFUSE:
            hidden.write_bytes(_damaged(render(verdict), fault))
            hidden.rename(out / name)
        self._receiver.answered(verdict)
        return name

    def _fetched(self, account: Account, name: str) -> None:
        """A refused file makes room for its repetition as soon as the agency has taken the answer."""
        for verdict in reversed(self._receiver.verdicts()):
            if answer_name(verdict["name"]) == name and verdict.get("user") == account.user:
                lying = self.home(account.user) / "in" / verdict["name"]
                if verdict["status"] == "R" and lying.exists():
                    lying.rename(self.home(account.user) / "archive" / f"{verdict['name']}.{verdict['arrival']}")
                return

    def write_answers(self) -> list[str]:
        """Write every answer that was kept back; gives their names."""
        return [self._answer(verdict) for verdict in self._receiver.verdicts() if not verdict["answered"]]

    def reject(self, wishes: dict[str, str]) -> None:
        """Reject transactions with these TXN_REF or INV_NO and the given reason codes when they come."""
        self._receiver.wishes.update(wishes)

    # --- HTTP ---

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/control/sftp", self._sftp),
            Route("/control/ftps", self._ftps_told),
            Route("/control/answers", self._write_answers, methods=["POST"]),
            Route("/control/rejections", self._reject, methods=["POST"]),
            Route("/control/host-key", self._new_key, methods=["POST"]),
        ]

    def state(self) -> dict[str, Any]:
        return {"files": self._receiver.verdicts(), "transactions": self._receiver.transactions()}

    async def _sftp(self, _: Request) -> Response:
        return JSONResponse(
            {
                "host": self._host,
                "port": self.sftp_port,
                "fingerprint": self.fingerprint,
                "host_key": self.host_key,
                "users": list(self._site.accounts),
            }
        )

    async def _ftps_told(self, _: Request) -> Response:
        port = self._ftps.port if self._ftps else 0
        return JSONResponse({"host": self._host, "port": port, "pin": self.papers.pin, "ca": str(self.papers.ca)})

    async def _write_answers(self, _: Request) -> Response:
        return JSONResponse({"written": self.write_answers()})

    async def _reject(self, request: Request) -> Response:
        try:
            wishes = {str(key): str(reason) for key, reason in json.loads(await request.body()).items()}
        except (ValueError, AttributeError) as error:
            return JSONResponse({"error": f"not a table of rejections: {error}"}, status_code=422)
        self.reject(wishes)
        return JSONResponse(self._receiver.wishes)

    async def _new_key(self, _: Request) -> Response:
        return JSONResponse({"fingerprint": self.change_host_key()})


def _damaged(answer: bytes, fault: Fault | None) -> bytes:
    """An answer as a fault leaves it."""
    match fault.kind if fault else None:
        case Kind.MALFORMED:
            return answer[: len(answer) // 2]
        case Kind.ERROR_AFTER:
            start = answer.rindex(b"990") + 28
            return answer[:start] + b"9999999" + answer[start + 7 :]
        case _:
            return answer
