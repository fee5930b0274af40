"""The FTPS door of AirPlus: everything under TLS, one session for both channels, no overwriting (contracts: tamara 4.3, 4.8)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sandbox.airplus.certificates import Papers
from sandbox.airplus.ftps_session import FtpsSession
from sandbox.airplus.manners import Manners
from sandbox.airplus.sftp import Site

CONNECTION_SECONDS = 60.0


class FtpsDoor:
    """Listens in a thread of its own; one thread for every connection."""

    def __init__(self, site: Site, papers: Papers, manners: Manners) -> None:
        self._site = site
        self._manners = manners
        self._context = papers.context()
        self._context.num_tickets = manners.tickets
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def start(self, port: int = 0, host: str = "127.0.0.1") -> int:
        """Gives the port. Raises OSError if it is taken."""
        self._listener = socket.create_server((host, port))
        threading.Thread(target=self._accept, args=(self._listener,), name="sandbox-airplus-ftps", daemon=True).start()
        return self.port

    @property
    def port(self) -> int:
        """0 while it is not listening."""
        return int(self._listener.getsockname()[1]) if self._listener else 0

    def stop(self) -> None:
        if self._listener is None:
            return
        # Closing alone does not wake the thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._listener = None
        with self._lock:
            left = list(self._open)
        for wire in left:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(wire,), name="sandbox-airplus-ftps-client", daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        wire.settimeout(CONNECTION_SECONDS)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._counted(wire), suppress(OSError, ssl.SSLError, EOFError):
            FtpsSession(wire, self._site, self._context, self._manners).serve()

    @contextmanager
    def _counted(self, wire: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(wire)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(wire)
            wire.close()
