"""What the line promises of its connections: kept while they live, and an honest error when nothing can have been sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import httpx
import pytest

from activities.line import Line

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nretry-after: 7\r\n\r\nok"
SILENTLY_LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbye!"
"""After this the server hangs up without having said that it would."""
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast"


@dataclass
class Server:
    """Answers every request with the next of `answers`; hangs up after those that are the last of a connection."""

    answers: list[bytes]
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    hung_up: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}/service?version=2"

    def run(self) -> None:
        while self.answers:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._serve(connection)
            self.hung_up.release()

    def _serve(self, connection: socket.socket) -> None:
        while self.answers:
            request = b""
            while not request.endswith(b"<end/>"):
                part = connection.recv(65536)
                if not part:
                    return
                request += part
            self.requests.append(request)
            answer = self.answers.pop(0)  # b"" hangs up without one
            connection.sendall(answer)
            if answer != OK:
                return


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[tuple[Server, threading.Thread]] = []

    def start(*answers: bytes) -> Server:
        server = Server(list(answers))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.answers.clear()
        server.listening.shutdown(socket.SHUT_RDWR)
        server.listening.close()
        thread.join(10)


def line(url: str) -> Line:
    return Line(url, headers={"Content-Type": "text/xml"}, connect_seconds=5, read_seconds=0.5)


def test_calls_one_after_the_other_share_a_connection(serve: Serve) -> None:
    server = serve(OK, OK)
    with closing(line(server.url)) as to:
        first, second = to.post(b"<end/>", {"SOAPAction": '"one"'}), to.post(b"<end/>", {"SOAPAction": '"two"'})
    assert (first.status, first.content, first.headers.get("Retry-After")) == (200, b"ok", "7")
    assert second.content == b"ok"
    assert server.connections == 1
    told = server.requests[0].decode()
    assert told.startswith("POST /service?version=2 HTTP/1.1\r\n")
    assert 'SOAPAction: "one"\r\n' in told
    assert "Content-Type: text/xml\r\n" in told
    assert "Content-Length: 6\r\n" in told


@pytest.mark.parametrize("last", [LAST, SILENTLY_LAST], ids=["announced", "silent"])
def test_a_connection_that_the_other_side_closed_is_not_used_again(serve: Serve, last: bytes) -> None:
    server = serve(last, OK)
    with closing(line(server.url)) as to:
        to.post(b"<end/>", {})
        assert server.hung_up.acquire(timeout=60)
        assert to.post(b"<end/>", {}).content == b"ok"
    assert server.connections == 2


def test_a_connection_cut_instead_of_an_answer_leaves_the_outcome_open(serve: Serve) -> None:
    server = serve(b"", OK)
    with closing(line(server.url)) as to:
        with pytest.raises(httpx.RemoteProtocolError):
            to.post(b"<end/>", {})
        assert to.post(b"<end/>", {}).content == b"ok"


def test_no_listener_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    with closing(line(url)) as to, pytest.raises(httpx.ConnectError):
        to.post(b"<end/>", {})


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_open() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with (
        closing(silent),
        closing(line(f"http://127.0.0.1:{silent.getsockname()[1]}/")) as to,
        pytest.raises(httpx.ReadTimeout),
    ):
        to.post(b"<end/>", {})


def test_an_answer_cut_short_leaves_the_outcome_open(serve: Serve) -> None:
    server = serve(LAST.replace(b"Length: 4", b"Length: 5"))
    with closing(line(server.url)) as to, pytest.raises(httpx.RemoteProtocolError):
        to.post(b"<end/>", {})


def test_a_proxy_of_the_environment_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(OK)
    monkeypatch.setenv("http_proxy", proxy.url.partition("/service")[0])
    monkeypatch.delenv("no_proxy", raising=False)
    with closing(line("http://giav.example/service")) as to:
        assert to.post(b"<end/>", {}).content == b"ok"
    assert proxy.requests[0].startswith(b"POST http://giav.example/service HTTP/1.1")
