"""File servers of other people, started on loopback as far as they are installed: what our own stand-ins may have missed.

A server is here when its program is in PATH (or in the sbin folders) and can be started by an ordinary user.
"""

from __future__ import annotations

import getpass
import grp
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

from activities.tamara.settings import TamaraSettings
from sandbox.airplus.certificates import Papers, papers_in
from sandbox.airplus.running import running_ftps, running_sftp
from sandbox.airplus.stand_in import PASSWORD, USER, AirplusStandIn
from tests.activities.tamara.night import ftps_settings_of, settings_of

STARTS_WITHIN = 60.0
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])


@dataclass(frozen=True)
class Site:
    """A running server: how to reach it, where its files are, and what it was seen to offer.

    `final_is_closed`: what lies under a final name is not written to any more.
    """

    settings: TamaraSettings
    home: Path
    checks_passwords: bool = True
    final_is_closed: bool = False

    @property
    def inbox(self) -> Path:
        return self.home / "in"

    def lying(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.inbox.iterdir()}


Server = Callable[[Path], AbstractContextManager[Site]]


def program(name: str) -> str | None:
    return shutil.which(name, path=PATH)


def home_in(folder: Path) -> Path:
    home = folder / "home"
    for name in ("in", "out", "archive"):
        (home / name).mkdir(parents=True)
    return home


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


@contextmanager
def started(command: list[str], port: int, log: Path) -> Iterator[None]:
    """A server process that listens on `port`, ended with the block. Raises RuntimeError with its words if it does not come up."""
    with log.open("wb") as words:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT)
    try:
        if not _listening(process, port):
            raise RuntimeError(f"{command[0]} does not listen: {log.read_text(errors='replace')[-500:]}")
        yield
    finally:
        process.terminate()
        process.wait(10)


def _listening(process: subprocess.Popen[bytes], port: int) -> bool:
    ticks = threading.Event()
    for _ in range(int(STARTS_WITHIN / 0.05)):
        if process.poll() is not None:
            return False
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        ticks.wait(0.05)
    return False


@contextmanager
def sandbox_sftp(folder: Path) -> Iterator[Site]:
    stand_in = AirplusStandIn(folder)
    with running_sftp(stand_in) as reach:
        yield Site(settings_of(reach.port, reach.fingerprint), stand_in.home(), final_is_closed=True)
    stand_in.close()


@contextmanager
def sandbox_ftps(folder: Path) -> Iterator[Site]:
    stand_in = AirplusStandIn(folder)
    with running_ftps(stand_in) as reach:
        yield Site(ftps_settings_of(reach.port, reach.fingerprint), stand_in.home(), final_is_closed=True)
    stand_in.close()


@contextmanager
def openssh(folder: Path) -> Iterator[Site]:
    """OpenSSH with its own SFTP server, for the user who runs the tests."""
    home, port = home_in(folder), free_port()
    host_key, mine = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    key_file = folder / "host_key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(host_key.export_private_key())
    (folder / "authorized").write_bytes(mine.export_public_key())
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key_file}\nAuthorizedKeysFile {folder / 'authorized'}\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "Subsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with started([program("sshd") or "sshd", "-D", "-e", "-f", str(config)], port, folder / "log"):
        sftp = {
            "username": getpass.getuser(),
            "password": None,
            "private_key": mine.export_private_key().decode(),
            "folder": str(home / "in"),
        }
        yield Site(settings_of(port, host_key.get_fingerprint(), sftp=sftp), home, checks_passwords=False)


@contextmanager
def vsftpd(folder: Path) -> Iterator[Site]:
    """vsftpd for anonymous users, the only ones that it knows without root: TLS on both channels, sessions resumed."""
    home, port, papers = home_in(folder), free_port(), papers_in(folder)
    config = folder / "vsftpd.conf"
    config.write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nrun_as_launching_user=YES\n"
        f"anonymous_enable=YES\nlocal_enable=NO\nno_anon_password=NO\nanon_root={home}\nwrite_enable=YES\n"
        "anon_upload_enable=YES\nanon_mkdir_write_enable=YES\nanon_other_write_enable=YES\nanon_umask=022\n"
        "anon_world_readable_only=NO\nchown_uploads=NO\nseccomp_sandbox=NO\none_process_model=NO\n"
        "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n"
        "require_ssl_reuse=YES\nssl_tlsv1=YES\nssl_sslv2=NO\nssl_sslv3=NO\nssl_ciphers=HIGH\n"
        f"rsa_cert_file={papers.server}\nrsa_private_key_file={papers.server}\n"
    )
    with started([program("vsftpd") or "vsftpd", str(config)], port, folder / "log"):
        changes = {"username": "anonymous", "password": "agency@example.com"}
        yield Site(ftps_settings_of(port, papers.pin, ftps=changes), home, checks_passwords=False)


@contextmanager
def proftpd(folder: Path) -> Iterator[Site]:
    """ProFTPD with its TLS module, which by default insists on resumed sessions."""
    home, port, papers = home_in(folder), free_port(), papers_in(folder)
    hashed = subprocess.run(
        [program("openssl") or "openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True
    ).stdout.strip()
    users = folder / "passwd"
    users.touch(mode=0o600)
    users.write_text(f"{USER}:{hashed}:{os.getuid()}:{os.getgid()}::{home}:/bin/sh\n")
    config = folder / "proftpd.conf"
    config.write_text(
        f"ServerName test\nServerType standalone\nDefaultAddress 127.0.0.1\nPort {port}\nUseIPv6 off\n"
        f"User {getpass.getuser()}\nGroup {grp.getgrgid(os.getgid()).gr_name}\nDefaultRoot {home}\nRequireValidShell off\nRootLogin on\n"
        "AuthPAM off\nAuthOrder mod_auth_file.c\nAllowOverwrite on\nAllowStoreRestart on\nAllowRetrieveRestart on\n"
        "UseReverseDNS off\nWtmpLog off\nTransferLog none\n"
        f"ModulePath {MODULES}\nLoadModule mod_tls.c\nAuthUserFile {users}\n"
        f"PidFile {folder / 'pid'}\nScoreboardFile {folder / 'board'}\nSystemLog {folder / 'system'}\n"
        "TLSEngine on\nTLSRequired on\nTLSProtocol TLSv1.2 TLSv1.3\n"
        f"TLSECCertificateFile {papers.server}\nTLSECCertificateKeyFile {papers.server}\nTLSLog {folder / 'tls'}\n"
    )
    with started([program("proftpd") or "proftpd", "-n", "-q", "-c", str(config)], port, folder / "log"):
        yield Site(ftps_settings_of(port, papers.pin), home)


@contextmanager
def pyftpdlib(folder: Path) -> Iterator[Site]:
    """pyftpdlib in a thread."""
    home, papers = home_in(folder), papers_in(folder)
    with _served(TLS_FTPHandler, home, papers) as port:
        yield Site(ftps_settings_of(port, papers.pin), home)


@contextmanager
def _served(handler: Any, home: Path, papers: Papers) -> Iterator[int]:
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(home), perm="elradfmwMT")
    logging.getLogger("pyftpdlib").setLevel(logging.ERROR)
    ways = {"authorizer": authorizer, "certfile": str(papers.server), "auth_failed_timeout": 0}
    covered = {"tls_control_required": True, "tls_data_required": True, "ssl_context": None}
    server = FTPServer(("127.0.0.1", 0), type("Handler", (handler,), ways | covered))
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05, "blocking": True}, daemon=True)
    thread.start()
    yield int(server.socket.getsockname()[1])
    server.close_all()
    thread.join(10)


MODULES = next((path for path in ("/usr/lib/proftpd", "/usr/libexec/proftpd") if Path(path).exists()), "")


def _present() -> dict[str, Server]:
    found: dict[str, Server] = {"sandbox-sftp": sandbox_sftp, "sandbox-ftps": sandbox_ftps, "pyftpdlib": pyftpdlib}
    if program("sshd"):
        found["openssh"] = openssh
    if program("vsftpd"):
        found["vsftpd"] = vsftpd
    if program("proftpd") and program("openssl") and (Path(MODULES) / "mod_tls.so").exists():
        found["proftpd"] = proftpd
    return found


PRESENT = _present()
"""The servers of this machine, by name."""
