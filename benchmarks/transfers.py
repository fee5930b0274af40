"""Files by SFTP, ours against OpenSSH's own client with its defaults, to the same OpenSSH server on this machine.

Two measurements: one large file, and many small ones in one session, each under a temporary name and then renamed. Both
sides pay for their own connection. Ours does what a delivery does, see `--help` for what can be left out.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from activities.tamara.cargo import Cargo
from activities.tamara.delivery import Parcel, put
from activities.tamara.sftp import SftpBox
from activities.tamara.transport import SftpSettings
from benchmarks.results import Result

LEAST = 0.9
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
SMALL = 20_000


class NotInstalled(SystemExit):
    """OpenSSH's server or client is missing, so there is nothing to compare with."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--megabytes", type=int, default=100, metavar="N", help="of the large file (default: %(default)s)"
    )
    parser.add_argument("--files", type=int, default=1000, metavar="N", help="small files (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of each side (default: %(default)s)")


def run(chosen: argparse.Namespace) -> Result:
    """The ratio is that of the large file; the small files and whole deliveries are in `raw`."""
    with tempfile.TemporaryDirectory(prefix="bookings-bench-") as folder, served(Path(folder)) as site:
        large, small = os.urandom(chosen.megabytes * 1_000_000), os.urandom(SMALL)
        (site.folder / "large").write_bytes(large)
        (site.folder / "small").write_bytes(small)
        sides: dict[str, Callable[[], None]] = {
            "ours": lambda: site.upload(large),
            "floor": lambda: site.openssh([f"put {site.folder}/large {site.inbox}/floor.part"]),
            "delivered": lambda: site.deliver([("whole.dat", large)]),
            "small ours": lambda: site.upload_many([(f"{n}.dat", small) for n in range(chosen.files)]),
            "small floor": lambda: site.openssh(list(_batch(site, chosen.files))),
            "small delivered": lambda: site.deliver([(f"{n}.dat", small) for n in range(chosen.files)]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(chosen.rounds):
            for name, side in sides.items():
                site.empty()
                began = time.perf_counter()
                side()
                seconds[name].append(time.perf_counter() - began)
    rates = {
        name: [(chosen.files if name.startswith("small") else chosen.megabytes) / each for each in taken]
        for name, taken in seconds.items()
    }
    more = {
        what: Result.of(what, unit, rates[mine], rates[floor])
        for what, unit, mine, floor in (
            ("small files", "files/s", "small ours", "small floor"),
            ("large file, delivered", "MB/s", "delivered", "floor"),
            ("small files, delivered", "files/s", "small delivered", "small floor"),
        )
    }
    for each in more.values():
        print(each, flush=True)
    extra = {
        what: {"ratio": str(each.ratio), "ours": str(each.ours), "floor": str(each.floor)}
        for what, each in more.items()
    }
    return Result.of("transfers", "MB/s", rates["ours"], rates["floor"], megabytes=chosen.megabytes, **extra)


def _batch(site: Site, files: int) -> Iterator[str]:
    for number in range(files):
        yield f"put {site.folder}/small {site.inbox}/{number}.dat.part"
        yield f"rename {site.inbox}/{number}.dat.part {site.inbox}/{number}.dat"


@dataclass(frozen=True)
class Site:
    """A running sshd, and both clients with the same key."""

    folder: Path
    port: int
    settings: SftpSettings

    @property
    def inbox(self) -> Path:
        return self.folder / "in"

    def empty(self) -> None:
        for file in self.inbox.iterdir():
            file.unlink()

    def upload(self, content: bytes) -> None:
        with SftpBox(self.settings).session() as folder:
            folder.write("ours.part", Cargo.of(content), 0, lambda _: None)

    def upload_many(self, files: list[tuple[str, bytes]]) -> None:
        """What OpenSSH's batch does: put, rename."""
        with SftpBox(self.settings).session() as folder:
            for name, content in files:
                folder.write(f"{name}.part", Cargo.of(content), 0, lambda _: None)
                folder.rename(f"{name}.part", name)

    def deliver(self, files: list[tuple[str, bytes]]) -> None:
        """Everything of 4.1: looks before and after, the size, the content read back, the disk flushed."""
        settings = self.settings.model_copy(update={"fsync": True})
        with SftpBox(settings).session() as folder:
            for name, content in files:
                put(folder, Parcel(name, Cargo.of(content), False, lambda _: None), read_back=True)

    def openssh(self, commands: list[str]) -> None:
        words = "\n".join(commands) + "\n"
        ways = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"]
        command = ["sftp", "-q", "-b", "-", "-P", str(self.port), "-i", str(self.folder / "key"), *ways]
        subprocess.run(
            [*command, f"{getpass.getuser()}@127.0.0.1"], input=words, text=True, check=True, capture_output=True
        )


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Site]:
    """OpenSSH's server for the user who measures. Raises `NotInstalled`."""
    server = shutil.which("sshd", path=PATH)
    if server is None or shutil.which("sftp") is None:
        raise NotInstalled("transfers: needs OpenSSH's sshd and sftp in PATH; nothing else is a fair measure")
    (folder / "in").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = int(bound.getsockname()[1])
    host_key, mine = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    for name, content in (("host_key", host_key.export_private_key()), ("key", mine.export_private_key())):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)
    (folder / "authorized").write_bytes(mine.export_public_key())
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host_key'}\nStrictModes no\nUsePAM no\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    process = subprocess.Popen([server, "-D", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        _await_listening(process, port)
        settings = SftpSettings(
            host="127.0.0.1",
            port=port,
            username=getpass.getuser(),
            private_key=mine.export_private_key().decode(),
            host_keys=(host_key.get_fingerprint(),),
            folder=str(folder / "in"),
            fsync=False,
        )
        yield Site(folder, port, settings)
    finally:
        process.terminate()
        process.wait(10)


def _await_listening(process: subprocess.Popen[bytes], port: int) -> None:
    ticks = threading.Event()
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        ticks.wait(0.05)
    raise NotInstalled("transfers: sshd did not start")
