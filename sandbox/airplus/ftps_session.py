"""One connection to the FTPS door: commands in, answers out, and who may log in (contracts: tamara 4.3, 4.8)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from sandbox.airplus.ftps_files import BLOCK, Answer, Cut, FtpsFiles
from sandbox.faults import Kind

PRIVATE = ("NOOP", "FEAT", "AUTH", "PBSZ", "PROT", "USER", "PASS", "QUIT")
"""What may be said before the login."""


class FtpsSession(FtpsFiles):
    """Speaks RFC 959 with 2228, 2428, 3659 and 4217, as far as a drop box needs them."""

    def serve(self) -> None:
        fault = self._site.faults.take("connect")
        self._site.log("connect", fault.kind.value if fault else "ok")
        kind = fault.kind if fault else None
        if kind in (Kind.ERROR_BEFORE, Kind.DROP_BEFORE, Kind.PAGE_503, Kind.MALFORMED):
            return
        self._refuses = kind is Kind.REFUSE
        if self._manners.implicit:
            self._cover()
        self._say("421 too many connections" if kind is Kind.THROTTLE else "220 AirPlus")
        if kind is Kind.THROTTLE:
            return
        buffered = b""
        try:
            while True:
                while b"\r\n" not in buffered:
                    more = self._wire.recv(BLOCK)
                    if not more:
                        return
                    buffered += more
                line, _, buffered = buffered.partition(b"\r\n")
                if line.upper().startswith(b"AUTH"):
                    # Nothing that came before TLS may count after it.
                    buffered = b""
                if not self._heard(line.decode()):
                    return
                if kind in (Kind.ERROR_AFTER, Kind.DROP_AFTER, Kind.LATE) and self._account:
                    return
        except Cut:
            self._wire.shutdown(socket.SHUT_RDWR)
        finally:
            self._wire.close()
            self._leave_passive()

    def _heard(self, line: str) -> bool:
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        handler: Callable[[str], str] | None = getattr(self, f"_do_{verb.lower()}", None)
        try:
            if handler is None:
                raise Answer("502 not known here")
            if not isinstance(self._wire, ssl.SSLSocket) and verb not in ("AUTH", "QUIT", "FEAT", "NOOP"):
                raise Answer("522 TLS first")
            if self._account is None and verb not in PRIVATE:
                raise Answer("530 log in first")
            said = handler(argument)
        except Answer as answer:
            said = str(answer)
        if said:
            self._say(said)
        return verb != "QUIT"

    # --- identity ---

    def _do_auth(self, how: str) -> str:
        if how.upper() != "TLS" or isinstance(self._wire, ssl.SSLSocket):
            raise Answer("504 AUTH TLS, once")
        self._say("234 go on under TLS")
        self._cover()
        return ""

    def _cover(self) -> None:
        self._wire = self._context.wrap_socket(self._wire, server_side=True, suppress_ragged_eofs=False)

    def _do_pbsz(self, size: str) -> str:
        self._sized = size == "0"
        return "200 PBSZ=0"

    def _do_prot(self, level: str) -> str:
        if not self._sized or not self._manners.covers_data:
            raise Answer("503 PBSZ 0 first" if not self._sized else "536 no PROT here")
        self._protected = level.upper() == "P"
        return "200 covered" if self._protected else "534 only PROT P"

    def _do_user(self, user: str) -> str:
        self._user = user
        return "331 and the password"

    def _do_pass(self, password: str) -> str:
        account = self._site.accounts.get(self._user)
        if self._refuses or account is None or account.password is None or account.password != password:
            raise Answer("530 not accepted")
        self._account, self._home = account, self._site.home(account)
        return "230 welcome"

    def _do_feat(self, _: str) -> str:
        known = ["AUTH TLS", "PBSZ", "PROT", "UTF8"]
        known += ["EPSV"] * self._manners.extended + ["REST STREAM"] * self._manners.resumes
        known += ["SIZE"] * self._manners.sizes + ["MLST type*;size*;"] * self._manners.lists
        return "\r\n".join(["211-features", *(f" {each}" for each in known), "211 end"])

    def _do_noop(self, _: str) -> str:
        return "200 ok"

    def _do_quit(self, _: str) -> str:
        return "221 bye"

    def _do_type(self, how: str) -> str:
        return "200 binary" if how.upper().startswith("I") else "504 only TYPE I"
