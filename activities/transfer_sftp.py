"""The way into a partner's SFTP server: identity before login, errors sorted; what is done inside belongs to the adapters
(contracts: tamara 4.2, midoffice 8.1)."""

from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import paramiko
from paramiko.ssh_exception import AuthenticationException, SSHException
from pydantic import SecretStr

from domain.errors import BackOfficeError, Transient, UnknownOutcome

FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""In hardware, and with the check sum in the same pass: twice as fast here as counter mode."""
Outcome = type[Transient] | type[UnknownOutcome]


class SftpAccount(Protocol):
    """Who logs in where; `host_keys` are SHA-256 fingerprints as `ssh-keygen -lf` prints them, of which one has to be shown.

    Key before password when both are given. Seconds are for connecting and for one answer.
    """

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> SecretStr | None: ...
    @property
    def private_key(self) -> SecretStr | None: ...
    @property
    def private_key_passphrase(self) -> SecretStr | None: ...
    @property
    def host_keys(self) -> tuple[str, ...]: ...
    @property
    def connect_seconds(self) -> float: ...
    @property
    def read_seconds(self) -> float: ...


class Troubles(Protocol):
    """How an adapter names what went wrong; each is an error to raise."""

    def lost(self, outcome: Outcome, words: str) -> BackOfficeError:
        """The connection: what was sent last counts as `outcome` says."""

    def no_rights(self) -> BackOfficeError: ...
    def no_space(self) -> BackOfficeError: ...
    def login_refused(self) -> BackOfficeError: ...
    def unusable_key(self) -> BackOfficeError: ...

    def unknown_server(self, words: str) -> BackOfficeError:
        """Nothing secret was said."""


@contextmanager
def sorting(troubles: Troubles, outcome: Outcome = Transient) -> Iterator[None]:
    """Turn errors of the wire into ours: a lost connection becomes `outcome`, an answer of the server keeps its meaning."""
    try:
        yield
    except BackOfficeError:
        raise
    except (EOFError, TimeoutError, ConnectionError, SSHException) as error:
        raise troubles.lost(outcome, f"connection lost ({type(error).__name__})") from None
    except OSError as error:
        if error.errno == errno.EACCES:
            raise troubles.no_rights() from None
        if str(error) == "Socket is closed":
            raise troubles.lost(outcome, "connection lost (closed)") from None
        # SFTP has one word for everything else; a full disk is the usual reason.
        raise troubles.no_space() from None


def logged_in(
    account: SftpAccount, troubles: Troubles, *, keep_alive: int = 0
) -> tuple[paramiko.Transport, paramiko.SFTPClient]:
    """A session with the pinned server; closing the transport ends it. Raises what `troubles` names."""
    transport = _connected(account, troubles)
    try:
        _identify(transport, account, troubles)
        _log_in(transport, account, troubles)
        if keep_alive:
            transport.set_keepalive(keep_alive)
        with sorting(troubles):
            client = paramiko.SFTPClient.from_transport(transport)
            if client is None:
                raise troubles.lost(Transient, "the server offers no SFTP")
            client.get_channel().settimeout(account.read_seconds)  # type: ignore[union-attr]
    except BaseException:
        transport.close()
        raise
    return transport, client


def fingerprint(key: paramiko.PKey) -> str:
    """`SHA256:…` as `ssh-keygen -lf` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def _connected(account: SftpAccount, troubles: Troubles) -> paramiko.Transport:
    """No signatures with SHA-1, no CBC."""
    with sorting(troubles):
        wire = socket.create_connection((account.host, account.port), timeout=account.connect_seconds)
        # Small packets (stat, rename, the tail of a file) must not wait for one another.
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(wire, disabled_algorithms={"keys": ["ssh-rsa"], "pubkeys": ["ssh-rsa"]})
        options = transport.get_security_options()
        fit = [cipher for cipher in options.ciphers if not cipher.endswith("-cbc")]
        options.ciphers = sorted(fit, key=lambda cipher: cipher not in FAST_CIPHERS)
        transport.banner_timeout = account.connect_seconds
        transport.auth_timeout = account.connect_seconds
        try:
            transport.start_client(timeout=account.connect_seconds)
        except BaseException:
            transport.close()
            raise
        return transport


def _identify(transport: paramiko.Transport, account: SftpAccount, troubles: Troubles) -> None:
    """Nothing secret is said before the server has proved who it is."""
    shown = fingerprint(transport.get_remote_server_key())
    if not any(hmac.compare_digest(shown, pinned) for pinned in account.host_keys):
        raise troubles.unknown_server(
            f"the server shows host key {shown}, which is not pinned; confirm it with the partner before pinning it"
        )


def _log_in(transport: paramiko.Transport, account: SftpAccount, troubles: Troubles) -> None:
    with sorting(troubles):
        try:
            if account.private_key is not None:
                transport.auth_publickey(account.username, _private_key(account, account.private_key, troubles))
            elif account.password is not None:
                transport.auth_password(account.username, account.password.get_secret_value(), fallback=False)
        except AuthenticationException:
            raise troubles.login_refused() from None


def _private_key(account: SftpAccount, given: SecretStr, troubles: Troubles) -> paramiko.PKey:
    phrase = account.private_key_passphrase
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with suppress(SSHException, ValueError):
            text = io.StringIO(given.get_secret_value())
            return kind.from_private_key(text, phrase.get_secret_value() if phrase else None)
    raise troubles.unusable_key()
