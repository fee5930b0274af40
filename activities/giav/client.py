"""One agency's line to GIAV: one call in, a typed result or one of our error classes out (contracts: giav 1.3 to 1.5)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from activities.giav.elements import Record, WireError
from activities.giav.settings import GiavSettings
from activities.giav.wire import NotXml, Operation, SoapFault, operations
from activities.line import Answer, Line
from activities.pace import turns
from domain.errors import BackOfficeError, Breakdown, ContractBroken, Refused, Transient, Unauthorised, UnknownOutcome
from domain.payment_sync.commands import ALREADY_PAID

SYSTEM = "giav"
PAGE = 100
"""Most records in one page; GIAV's cap."""
MOST_PAGES = 200

REFUSALS = re.compile(
    r"acceso|no existe|cerrad[oa]|facturad|obligatori|para admitir servicios de costes anidados|10 d[ií]gitos"
    r"|ya existe|duplicad",
    re.IGNORECASE,
)
"""Words of a business refusal in a fault's text; anything else from the server is a breakdown."""
PAID = re.compile(r"\bya (est[áa] |ha sido )?(cobrad|pagad|liquidad)", re.IGNORECASE)
"""Words by which it says that what we collect for is paid: looked at again, not believed (payment-sync 3)."""
KEY_REFUSED = re.compile(r"api ?key|clave de api|no autorizad|unauthori[sz]ed|autenticaci", re.IGNORECASE)
_PEOPLE = (
    "documento pasaporteNumero email apellidos nombre nombreAlias direccion telefono movil poblacion pagador"
    " nombreCliente direccionCliente poblacionCliente rooming observaciones"
)
_PERSONAL = frozenset(_PEOPLE.split())
"""Parameters whose values are cut out of fault texts."""
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)


class GiavClient:
    """Thread-safe. Keeps its connections open; at most four calls and two writes at once (giav 1.5), and no
    more a second than the settings say.

    The key travels in the body of every call and appears nowhere else.
    """

    def __init__(self, settings: GiavSettings, transport: httpx.BaseTransport | None = None) -> None:
        self._key = settings.api_key.get_secret_value()
        self._operations = operations()
        self._calls = threading.BoundedSemaphore(settings.calls_at_once)
        self._writes = threading.BoundedSemaphore(settings.writes_at_once)
        self._take_turn = turns(settings.calls_per_second, SYSTEM)
        self._patience = settings.connect_seconds + settings.read_seconds
        self._line = Line(
            settings.url,
            headers={"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml"},
            connect_seconds=settings.connect_seconds,
            read_seconds=settings.read_seconds,
            transport=transport,
        )

    def close(self) -> None:
        self._line.close()

    def call(self, name: str, /, **values: Any) -> Any:
        """One SOAP call. Raises the classes of `domain.errors` as giav 1.4 sorts them."""
        operation = self._operations[name]
        try:
            body = operation.envelope(self._key, values)
        except WireError as error:
            raise ContractBroken(f"not sent: {error}", system=SYSTEM, operation=name) from None
        with self._turn(operation):
            answer = self._exchange(operation, body)
        return self._understood(operation, answer, values)

    def create(self, name: str, /, **values: Any) -> str:
        """A call that answers with the id of what it made, as text. Raises `UnknownOutcome` for an id that is none."""
        made = self.call(name, **values)
        if not isinstance(made, int) or made <= 0:
            raise UnknownOutcome("answered without an id", system=SYSTEM, operation=name)
        return str(made)

    def service_description(self) -> bytes | None:
        """What the service shows for `?WSDL`; None when it shows nothing. Raises as a call that only reads."""
        name = "WSDL"
        self._take_turn(name)
        try:
            answer = self._line.ask("GET", "?WSDL", b"", {})
        except httpx.HTTPError as error:
            raise Transient(f"no description: {type(error).__name__}", system=SYSTEM, operation=name) from None
        if answer.status in (401, 403):
            raise Unauthorised(f"HTTP {answer.status}", system=SYSTEM, operation=name, code=str(answer.status))
        if answer.status == 429 or answer.status >= 500:
            raise Transient(f"HTTP {answer.status}", system=SYSTEM, operation=name, code=str(answer.status))
        return answer.content if answer.status == 200 else None

    def search(self, name: str, /, **values: Any) -> Iterator[Record]:
        """All records of a SEARCH, page by page; items without a positive Id are the service's way to say none."""
        first_of_page = None
        for page in range(MOST_PAGES):
            records = self.call(name, **values, pageSize=PAGE, pageIndex=page)
            real = [record for record in records if (record.get("Id") or 0) > 0]
            if not real or real[0]["Id"] == first_of_page:
                return
            first_of_page = real[0]["Id"]
            yield from real
            if len(records) < PAGE:
                return

    @contextmanager
    def _turn(self, operation: Operation) -> Iterator[None]:
        gates = (self._writes, self._calls) if operation.writes else (self._calls,)
        held: list[threading.BoundedSemaphore] = []
        try:
            for gate in gates:
                if not gate.acquire(timeout=self._patience):
                    raise Transient("too many calls at once", system=SYSTEM, operation=operation.name, retry_after=1)
                held.append(gate)
            # Behind the gates, where only a few wait for their turn at once.
            self._take_turn(operation.name)
            yield
        finally:
            for gate in reversed(held):
                gate.release()

    def _exchange(self, operation: Operation, body: bytes) -> Answer:
        name = operation.name
        try:
            return self._line.post(body, {"SOAPAction": operation.soap_action})
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unauthorised("the server's certificate was not accepted", system=SYSTEM, operation=name) from None
            raise Transient(f"not connected: {type(error).__name__}", system=SYSTEM, operation=name) from None
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ContractBroken(f"not sent: {type(error).__name__}", system=SYSTEM, operation=name) from None
        except httpx.HTTPError as error:
            raise _in_doubt(operation, f"no answer: {type(error).__name__}") from None

    def _understood(self, operation: Operation, answer: Answer, values: dict[str, Any]) -> Any:
        status = answer.status
        if status in (401, 403):
            raise Unauthorised(f"HTTP {status}", system=SYSTEM, operation=operation.name, code=str(status))
        if status == 429:
            raise Transient(
                "too many requests",
                system=SYSTEM,
                operation=operation.name,
                code="429",
                retry_after=_seconds(answer.headers.get("Retry-After")),
            )
        try:
            result = operation.answer(answer.content)
        except SoapFault as fault:
            raise self._refusal(operation, fault, values) from None
        except NotXml as error:
            if 400 <= status < 500 and status != 408:
                raise ContractBroken(f"HTTP {status}: {error}", system=SYSTEM, operation=operation.name) from None
            raise _in_doubt(operation, f"HTTP {status}: {error}") from None
        except WireError as error:
            raise _unreadable(operation, str(error)) from None
        if status != 200:
            raise _in_doubt(operation, f"HTTP {status}")
        return result

    def _refusal(self, operation: Operation, fault: SoapFault, values: dict[str, Any]) -> BackOfficeError:
        words = self._words(fault.text, values)
        if KEY_REFUSED.search(fault.text):
            return Unauthorised(words, system=SYSTEM, operation=operation.name, code=fault.code)
        if fault.code in ("Client", "VersionMismatch", "MustUnderstand"):
            return ContractBroken(words, system=SYSTEM, operation=operation.name, code=fault.code)
        if PAID.search(fault.text):
            return Refused(words, system=SYSTEM, operation=operation.name, code=ALREADY_PAID)
        if REFUSALS.search(fault.text):
            return Refused(words, system=SYSTEM, operation=operation.name, code=fault.code)
        kind = Breakdown if operation.writes else Transient
        return kind(words, system=SYSTEM, operation=operation.name, code=fault.code)

    def _words(self, fault: str, values: dict[str, Any]) -> str:
        """The fault's own words without stack trace, key and people."""
        words = fault.rpartition("--->")[2].strip().split("\n", 1)[0].strip()[:300]
        words = words.replace(self._key, "…")
        for name in _PERSONAL & values.keys():
            value = values[name]
            if isinstance(value, str) and len(value) > 2:
                words = re.sub(re.escape(value), "…", words, flags=re.IGNORECASE)
        return words or "a fault without words"


def _in_doubt(operation: Operation, why: str) -> BackOfficeError:
    """Something broke: after a write nobody knows whether it happened, after a read nothing can have."""
    kind = UnknownOutcome if operation.writes else Transient
    return kind(why, system=SYSTEM, operation=operation.name)


def _unreadable(operation: Operation, why: str) -> BackOfficeError:
    kind = UnknownOutcome if operation.writes else ContractBroken
    return kind(f"unreadable answer: {why}", system=SYSTEM, operation=operation.name)


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdigit() else None
