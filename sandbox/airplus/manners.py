"""What FTPS servers differ in, so that a client can be tried against all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Manners:
    """One server's ways.

    `demands_reuse`: data channels must resume the control channel's TLS session; `tickets=0`: none can be resumed under
    TLS 1.3. `extended`: knows EPSV; `passive_host`: the address that PASV names. `covers_data=False` refuses PROT P.
    `resumes`, `lists`, `sizes`: knows REST, MLSD, SIZE.
    """

    implicit: bool = False
    demands_reuse: bool = True
    tickets: int = 2
    extended: bool = True
    passive_host: str = "127.0.0.1"
    covers_data: bool = True
    resumes: bool = True
    lists: bool = True
    sizes: bool = True
