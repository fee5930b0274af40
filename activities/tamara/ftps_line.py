"""An FTP control line under TLS, with data channels that belong to it (contracts: tamara 4.3)."""

from __future__ import annotations

import base64
import ftplib
import hashlib
import hmac
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from activities.tamara.folder import unknown_server
from activities.tamara.transport import FtpsSettings

BLOCK = 256 * 1024
GOODBYE = 10.0
"""Seconds to wait for the server's half of the end of TLS on a data channel; ours is sent before."""
EXTENDED_PASSIVE = re.compile(r"\((?P<d>.)(?P=d)(?P=d)(?P<port>\d{1,5})(?P=d)\)")


def spki_of(certificate: bytes) -> str:
    """`SHA256:…` of the public key of a certificate (DER): stays the same when only the certificate is renewed."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + base64.b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def context_of(settings: FtpsSettings, newest: ssl.TLSVersion) -> ssl.SSLContext:
    """TLS 1.2 to `newest`. With pins no CA counts, and each channel is held against the pins instead."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, newest
    if settings.pins:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif isinstance(settings.ca, Path):
        context.load_verify_locations(cafile=settings.ca)
    else:
        context.load_default_certs()
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.certificate_key)
    return context


class FtpsLine(ftplib.FTP):
    """One control connection. Nothing but greeting and AUTH is said before TLS stands and the server is known."""

    def __init__(self, settings: FtpsSettings, context: ssl.SSLContext) -> None:
        super().__init__(timeout=settings.read_seconds, encoding="utf-8")
        self._settings = settings
        self._context = context
        self._extended = True

    def open(self) -> None:
        """Connect and begin TLS. Raises `Unauthorised` when the server is not the pinned one, and errors of ssl and ftplib."""
        settings = self._settings
        self.host, self.port = settings.host, settings.used_port
        wire = socket.create_connection((self.host, self.port), timeout=settings.connect_seconds)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.af = wire, wire.family
        if settings.mode == "explicit":
            self.file = wire.makefile("r", encoding=self.encoding)
            self.welcome = self.getresp()
            self.voidcmd("AUTH TLS")
            # Whatever came behind the answer in clear is dropped with the old reader.
            self.file.close()
        self._cover(None)
        if settings.mode == "implicit":
            self.welcome = self.getresp()

    def _cover(self, session: ssl.SSLSession | None) -> None:
        assert self.sock is not None
        self.sock = self._covered(self.sock, session)
        self.sock.settimeout(self._settings.read_seconds)
        self.file = self.sock.makefile("r", encoding=self.encoding)

    def _covered(self, wire: socket.socket, session: ssl.SSLSession | None) -> ssl.SSLSocket:
        covered = self._context.wrap_socket(
            wire,
            server_hostname=self._settings.server_name or self.host,
            session=session,
            suppress_ragged_eofs=False,
        )
        if self._settings.pins:
            shown = spki_of(covered.getpeercert(binary_form=True) or b"")
            if not any(hmac.compare_digest(shown, pinned) for pinned in self._settings.pins):
                covered.close()
                raise unknown_server(
                    f"the server shows the key {shown}, which is not pinned; confirm it with the partner before pinning it",
                    "CERTIFICATE",
                )
        return covered

    @property
    def tls(self) -> str:
        """The version in use, such as `TLSv1.3`."""
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.sock.version() or ""

    def protect(self) -> None:
        """Data under TLS too. Raises ftplib's `error_perm` when the server refuses it."""
        self.voidcmd("PBSZ 0")
        self.voidcmd("PROT P")

    def makepasv(self) -> tuple[str, int]:
        """Where the data goes: always the control connection's own host, whatever address an answer names."""
        assert self.sock is not None
        host = str(self.sock.getpeername()[0])
        if self._extended:
            try:
                found = EXTENDED_PASSIVE.search(self.sendcmd("EPSV"))
                if found is None:
                    raise ftplib.error_proto("EPSV names no port")  # noqa: S321 under TLS
                return host, int(found["port"])
            except ftplib.error_perm:
                self._extended = False
        return host, ftplib.parse227(self.sendcmd("PASV"))[1]  # noqa: S321 under TLS

    def channel(self, command: str, rest: int = 0) -> ssl.SSLSocket:
        """A data connection for one command, inside the control connection's TLS session (servers may insist on that)."""
        assert isinstance(self.sock, ssl.SSLSocket)
        session = self.sock.session
        wire, _ = super().ntransfercmd(command, rest or None)
        try:
            covered = self._covered(wire, session)
        except OSError:
            wire.close()
            # The reason stands in the answer, such as a TLS session that was not resumed.
            self.voidresp()
            raise
        return covered

    def received(self, command: str) -> Iterator[bytes]:
        """The bytes of a transfer to us. Whether they are all is for the caller to know: sizes are compared."""
        with self.channel(command) as data:
            try:
                while block := data.recv(BLOCK):
                    yield block
            except ssl.SSLEOFError:
                pass
            else:
                end(data)
        self.voidresp()


def end(data: ssl.SSLSocket) -> None:
    """End TLS before the connection: a server takes a missing end for a file that was cut off."""
    data.settimeout(GOODBYE)
    try:
        data.unwrap().close()
    except (OSError, ValueError):
        # Our half is said; a server that hangs up without its own has nevertheless heard it.
        data.close()
