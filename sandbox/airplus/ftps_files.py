"""What a client of the FTPS door may do with files: places, data channels, faults (contracts: tamara 4.3, 4.8)."""

from __future__ import annotations

import posixpath
import socket
import ssl
import threading
from pathlib import Path

from sandbox.airplus.manners import Manners
from sandbox.airplus.sftp import FOLDERS, UNFINISHED, Account, Site
from sandbox.faults import Fault, Kind

BLOCK = 65_536
ARRIVING = threading.Lock()
"""Files of several connections are judged one after the other."""


class Answer(Exception):
    """A command ends here with this answer."""


class Cut(Exception):
    """The connection is cut without another word."""


class FtpsFiles:
    """The commands of a session that is logged in; `FtpsSession` adds the ones before."""

    def __init__(self, wire: socket.socket, site: Site, context: ssl.SSLContext, manners: Manners) -> None:
        self._wire: socket.socket = wire
        self._site = site
        self._context = context
        self._manners = manners
        self._account: Account | None = None
        self._home = Path()
        self._user = ""
        self._folder = "/"
        self._protected = self._sized = False
        self._offset = 0
        self._leaving: Path | None = None
        self._passive: socket.socket | None = None
        self._refuses = False

    def _say(self, line: str) -> None:
        self._wire.sendall(line.encode() + b"\r\n")

    # --- places ---

    def _place(self, path: str) -> tuple[str, Path]:
        """Folder and file of a client's path; anything deeper or above is refused."""
        parts = posixpath.normpath(posixpath.join(self._folder, path)).strip("/").split("/")
        if len(parts) != 2 or parts[0] not in FOLDERS:
            raise Answer("550 only files in in/, out/ and archive/")
        return parts[0], self._home / parts[0] / parts[1]

    def _do_cwd(self, path: str) -> str:
        folder = posixpath.normpath(posixpath.join(self._folder, path))
        if folder != "/" and folder.strip("/") not in FOLDERS:
            raise Answer("550 no such folder")
        self._folder = folder
        return "250 ok"

    def _do_pwd(self, _: str) -> str:
        return f'257 "{self._folder}"'

    def _do_size(self, path: str) -> str:
        if not self._manners.sizes:
            raise Answer("502 not known here")
        fault = self._before("stat")
        _, file = self._place(path)
        said = f"213 {file.stat().st_size}" if file.is_file() else "550 no such file"
        return self._after(fault, said)

    def _do_dele(self, path: str) -> str:
        fault = self._before("remove")
        folder, file = self._place(path)
        if folder == "archive" or (folder == "in" and not file.name.endswith(UNFINISHED)):
            raise Answer("550 may not be removed")
        if not file.exists():
            raise Answer("550 no such file")
        file.unlink()
        if folder == "out":
            self._site.fetched(self._logged_in, file.name)
        return self._after(fault, "250 removed")

    @property
    def _logged_in(self) -> Account:
        assert self._account is not None
        return self._account

    def _do_rnfr(self, path: str) -> str:
        _, file = self._place(path)
        if not file.exists():
            raise Answer("550 no such file")
        self._leaving = file
        return "350 and the new name"

    def _do_rnto(self, path: str) -> str:
        fault = self._before("rename")
        old, self._leaving = self._leaving, None
        folder, new = self._place(path)
        if old is None:
            raise Answer("503 RNFR first")
        if (old.parent.name, folder) not in (("in", "in"), ("out", "archive"), ("out", "out")):
            raise Answer("553 not from there to here")
        # Like many FTP servers this one would write over a file; a client that relies on a refusal is found out.
        old.replace(new)
        if folder == "in" and not new.name.endswith(UNFINISHED):
            with ARRIVING:
                self._site.arrived(self._logged_in, new)
            if fault and fault.kind is Kind.LATE:
                new.rename(self._home / "archive" / new.name)
        if old.parent.name == "out":
            self._site.fetched(self._logged_in, old.name)
        return self._after(fault, "250 renamed")

    # --- data ---

    def _do_epsv(self, _: str) -> str:
        if not self._manners.extended:
            raise Answer("500 not known here")
        return f"229 passive (|||{self._listen()}|)"

    def _do_pasv(self, _: str) -> str:
        port = self._listen()
        numbers = ",".join([*self._manners.passive_host.split("."), str(port // 256), str(port % 256)])
        return f"227 passive ({numbers})"

    def _listen(self) -> int:
        self._leave_passive()
        self._passive = socket.create_server((self._wire.getsockname()[0], 0))
        self._passive.settimeout(10)
        return int(self._passive.getsockname()[1])

    def _leave_passive(self) -> None:
        if self._passive is not None:
            self._passive.close()
            self._passive = None

    def _do_rest(self, offset: str) -> str:
        if not self._manners.resumes or not offset.isdigit():
            raise Answer("502 not known here")
        self._offset = int(offset)
        return "350 from there"

    def _channel(self) -> ssl.SSLSocket:
        """The data connection, under TLS and in the control connection's session."""
        if not self._protected:
            raise Answer("522 PROT P first")
        if self._passive is None:
            raise Answer("425 EPSV first")
        self._say("150 here it comes")
        wire, _ = self._passive.accept()
        self._leave_passive()
        wire.settimeout(30)
        covered = self._context.wrap_socket(wire, server_side=True, suppress_ragged_eofs=False)
        if self._manners.demands_reuse and not covered.session_reused:
            covered.close()
            raise Answer("522 SSL connection failed: session reuse required")
        return covered

    def _do_stor(self, path: str) -> str:
        folder, file = self._place(path)
        if folder != "in" or (file.exists() and not file.name.endswith(UNFINISHED)):
            raise Answer("553 files are delivered into in/, and never over another")
        fault = self._site.faults.take("put")
        self._site.log("put", fault.kind.value if fault else "ok")
        kind = fault.kind if fault else None
        if kind in (Kind.REFUSE, Kind.DROP_BEFORE, Kind.SLOW, Kind.THROTTLE, Kind.PAGE_503):
            self._strike(fault)
        offset, self._offset = self._offset, 0
        with self._channel() as data:
            file.touch()
            with file.open("r+b") as kept:
                kept.truncate(offset)
                kept.seek(offset)
                if kind is Kind.ERROR_BEFORE:
                    raise Answer("552 disk full")
                try:
                    while block := data.recv(BLOCK):
                        if kind is Kind.MALFORMED:
                            kept.write(block[: max(1, len(block) // 2)])
                            kept.flush()
                            raise Cut
                        kept.write(block)
                except ssl.SSLEOFError:
                    raise Answer("426 cut off: no end of TLS") from None
            data.unwrap().close()
        with ARRIVING:
            self._site.written(self._logged_in, file)
        return self._after(fault, "226 kept")

    def _do_retr(self, path: str) -> str:
        fault = self._before("get")
        _, file = self._place(path)
        if not file.is_file():
            raise Answer("550 no such file")
        self._send(file.read_bytes())
        return self._after(fault, "226 sent")

    def _do_mlsd(self, path: str) -> str:
        if not self._manners.lists:
            raise Answer("502 not known here")
        rows = [f"type=file;size={file.stat().st_size}; {file.name}\r\n" for file in self._files(path)]
        self._send("".join(["type=cdir; .\r\n", *rows]).encode())
        return "226 told"

    def _do_nlst(self, path: str) -> str:
        names = [f"{file.name}\r\n" for file in self._files(path)]
        if not names:
            raise Answer("550 no files")
        self._send("".join(names).encode())
        return "226 told"

    def _files(self, path: str) -> list[Path]:
        folder = posixpath.normpath(posixpath.join(self._folder, path)).strip("/")
        if folder not in FOLDERS:
            raise Answer("550 no such folder")
        return sorted(each for each in (self._home / folder).iterdir() if not each.name.startswith("."))

    def _send(self, content: bytes) -> None:
        with self._channel() as data:
            data.sendall(content)
            data.unwrap().close()

    # --- faults ---

    def _before(self, operation: str) -> Fault | None:
        fault = self._site.faults.take(operation)
        self._site.log(operation, fault.kind.value if fault else "ok")
        self._strike(fault)
        return fault

    def _strike(self, fault: Fault | None) -> None:
        match fault.kind if fault else None:
            case Kind.REFUSE:
                raise Answer("550 permission denied")
            case Kind.ERROR_BEFORE | Kind.PAGE_503 | Kind.THROTTLE:
                raise Answer("450 server busy")
            case Kind.DROP_BEFORE:
                raise Cut
            case Kind.SLOW if fault:
                threading.Event().wait(fault.seconds)

    def _after(self, fault: Fault | None, said: str) -> str:
        match fault.kind if fault else None:
            case Kind.ERROR_AFTER:
                raise Answer("451 server busy")
            case Kind.DROP_AFTER | Kind.MALFORMED:
                raise Cut
        return said
