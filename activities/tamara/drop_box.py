"""A session with the partner's SFTP server: identity before login, then the folder (contracts: tamara 4.2, 4.4)."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.ssh_exception import AuthenticationException, SSHException

from activities.tamara.settings import SftpSettings
from domain.errors import BackOfficeError, NeedsPerson, Transient, Unauthorised, UnknownOutcome

SYSTEM, OPERATION = "tamara", "deliver"
FAST_CIPHER = "aes128-gcm@openssh.com"
SLOW_RETRY = 300.0
"""Seconds until a full disk or a quota is tried again."""


def fingerprint(key: paramiko.PKey) -> str:
    """`SHA256:…` as `ssh-keygen -lf` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


@contextmanager
def lost(outcome: type[Transient] | type[UnknownOutcome]) -> Iterator[None]:
    """Turn errors of the wire into ours: a lost connection becomes `outcome`, an answer of the server keeps its meaning."""
    try:
        yield
    except BackOfficeError:
        raise
    except (EOFError, TimeoutError, ConnectionError, SSHException) as error:
        raise outcome(f"connection lost ({type(error).__name__})", system=SYSTEM, operation=OPERATION) from None
    except OSError as error:
        if error.errno == errno.EACCES:
            raise NeedsPerson(
                "the server denies permission; ask the partner to check folder and rights",
                system=SYSTEM,
                operation=OPERATION,
                code="PERMISSION",
            ) from None
        if str(error) == "Socket is closed":
            raise outcome("connection lost (closed)", system=SYSTEM, operation=OPERATION) from None
        # SFTP has one word for everything else; a full disk is the usual reason.
        raise Transient(
            "the server answered with a failure (disk full?)",
            system=SYSTEM,
            operation=OPERATION,
            retry_after=SLOW_RETRY,
        ) from None


class DropBox:
    """The partner's folder. Nothing is connected until a session is opened."""

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings

    @property
    def read_back(self) -> bool:
        """Whether the partner lets us read what we wrote."""
        return self._settings.read_back

    @contextmanager
    def session(self) -> Iterator[paramiko.SFTPClient]:
        """A client inside the folder. Raises `Unauthorised` (host key, login), `Transient` (not reachable)."""
        transport = self._connected()
        try:
            self._identified(transport)
            self._logged_in(transport)
            with lost(Transient):
                client = paramiko.SFTPClient.from_transport(transport)
                if client is None:
                    raise Transient("the server offers no SFTP", system=SYSTEM, operation=OPERATION)
                client.get_channel().settimeout(self._settings.read_seconds)  # type: ignore[union-attr]
                client.chdir(self._settings.folder)
            yield client
        finally:
            transport.close()

    def _connected(self) -> paramiko.Transport:
        with lost(Transient):
            wire = socket.create_connection(
                (self._settings.host, self._settings.port), timeout=self._settings.connect_seconds
            )
            # Small packets (stat, rename, the tail of a file) must not wait for one another.
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            transport = paramiko.Transport(wire, disabled_algorithms={"keys": ["ssh-rsa"], "pubkeys": ["ssh-rsa"]})
            options = transport.get_security_options()
            fit = [cipher for cipher in options.ciphers if not cipher.endswith("-cbc")]
            options.ciphers = sorted(fit, key=lambda cipher: cipher != FAST_CIPHER)
            transport.banner_timeout = self._settings.connect_seconds
            transport.auth_timeout = self._settings.connect_seconds
            try:
                transport.start_client(timeout=self._settings.connect_seconds)
            except BaseException:
                transport.close()
                raise
            transport.set_keepalive(self._settings.keep_alive_seconds)
            return transport

    def _identified(self, transport: paramiko.Transport) -> None:
        """Nothing secret is said before the server has proved who it is."""
        shown = fingerprint(transport.get_remote_server_key())
        if not any(hmac.compare_digest(shown, pinned) for pinned in self._settings.host_keys):
            raise Unauthorised(
                f"the server shows host key {shown}, which is not pinned; confirm it with the partner before pinning it",
                system=SYSTEM,
                operation=OPERATION,
                code="HOST_KEY_MISMATCH",
            )

    def _logged_in(self, transport: paramiko.Transport) -> None:
        settings = self._settings
        with lost(Transient):
            try:
                if settings.private_key is not None:
                    transport.auth_publickey(settings.username, self._private_key())
                elif settings.password is not None:
                    transport.auth_password(settings.username, settings.password.get_secret_value(), fallback=False)
            except AuthenticationException:
                raise Unauthorised(
                    "the server refuses the login; it is not tried again, because accounts get locked",
                    system=SYSTEM,
                    operation=OPERATION,
                    code="LOGIN",
                ) from None

    def _private_key(self) -> paramiko.PKey:
        settings = self._settings
        assert settings.private_key is not None
        phrase = settings.private_key_passphrase
        text = settings.private_key.get_secret_value()
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return kind.from_private_key(io.StringIO(text), phrase.get_secret_value() if phrase else None)
            except (SSHException, ValueError):
                continue
        raise Unauthorised("the private key cannot be read", system=SYSTEM, operation=OPERATION, code="LOGIN")
