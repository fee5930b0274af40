"""Hand-made TAMARA files for the tests of the receiver; shares nothing with it or with the product."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

PARTNER = "TESTPARTNER1"
CARD = "192000000000008"

GOLDEN = """\
2000000000010000000BSPv01.32  OURS-FIXED400/1 .       TESTPARTNER1TESTPARTNER1EXAMPLE TRAVEL                          ES99999992LASG000 TP0000000010020260115023000+01002026011420260114TISO-8859-15 EXAMPLE 1
300000000002000000101JH000000000000000000TST100BSPSADFL192000000000008    1228              F2026-000101        20260114                            2026011420260114978200000000412500000000000000000000000000041250DOE/JANE                                         EXAMPLE CLIENT SA                  MADRID                   D-5001         ABC123                                   0010200
40000000000300000014711             CC-0815                                                                                           P77                                                                 TEST
5000000000040000001T2201234567890                               20260114TKTTLH                  20260203        IMAD-FRA                                                     AMAD01
5010100000050000001MADFRALH 1113 202602030815Y YFLEX           1
300000000006000000201JH000000000000000000TST200BSPRFCFL192000000000008    1228              F2026-000090        20260108A2026-000007        202601142026010820260114978200000000100000000000000000000000000000010000DOE/JOHN                                         EXAMPLE CLIENT SA                  MADRID                   D-4990         DEF456       01JG000000000000000000TST9RF0000100
5000000000070000002T2201234567880                               20260108RFNDLH 2201234567880000120260301        I                                                                00
7100100000080000000978200000010000000000412500000001000000000010000D000000000031250
7000000000090000000BSPTESTPARTNER100000000100000000900000020000000000000100000030000000001000000100000010000024691357706e5e57ffc7b61bac984fae64810fd7561179b23e918fd374c265ab3c46146f9c
"""  # noqa: E501
GOLDEN_NAME = "TAMARA_TESTPARTNER1_BSP_000000001_20260115023000_T.dat"
GOLDEN_SHA256 = "ca902525fb01e90f3dcc9b9851326adf6e96349647d9f7412c282a3479326982"


def golden() -> bytes:
    """The worked example of the contract (tamara 3.13), padded as it says."""
    return b"".join(line.ljust(400).encode("iso8859-15") + b"\r\n" for line in GOLDEN.splitlines())


@dataclass
class Sale:
    """A hotel transaction of an MA file; amounts in cents."""

    ref: str = "01JH000000000000000000TST1"
    version: int = 0
    type: str = "SA"
    dc: str = "D"
    gross: int = 36240
    card: str = CARD
    invoice: str = "F-1"
    credit_note: str = ""
    original: str = ""
    passenger: str = "SOLER/ANA"
    place: str = "MADRID"
    net: int | None = None
    nights: int = 3
    more: str = ""


@dataclass
class File:
    """An MA file of mode T over `sales`."""

    sales: Sequence[Sale] = field(default_factory=lambda: [Sale()])
    seq: int = 1
    reprint: int = 0
    time: str = "20260115023000"

    @property
    def name(self) -> str:
        return f"TAMARA_{PARTNER}_MA_{self.seq:09d}_{self.time}_T.dat"

    def raw(self) -> bytes:
        lines = [self._header()]
        for number, sale in enumerate(self.sales, start=1):
            lines.append(_transaction(len(lines) + 1, number, sale))
            lines.append(_hotel(len(lines) + 1, number, sale))
        debits = [sale.gross for sale in self.sales if sale.dc == "D"]
        credits = [sale.gross for sale in self.sales if sale.dc == "C"]
        if self.sales:
            net = sum(debits) - sum(credits)
            lines.append(
                f"71001{len(lines) + 1:07d}00000009782{len(debits):07d}{sum(debits):015d}{len(credits):07d}"
                f"{sum(credits):015d}{'D' if net >= 0 else 'C'}{abs(net):015d}"
            )
        before = b"".join(line.ljust(400).encode("iso8859-15") + b"\r\n" for line in lines)
        count = len(self.sales)
        trailer = (
            f"70000{len(lines) + 1:07d}0000000MA {PARTNER}{self.seq:09d}{len(lines) + 1:09d}{count:07d}{0:07d}{0:07d}"
            f"{count:07d}{0:07d}{1 if count else 0:03d}{len(debits):07d}{len(credits):07d}{0:015d}"
            f"{hashlib.sha256(before).hexdigest()}"
        )
        return before + trailer.ljust(400).encode("iso8859-15") + b"\r\n"

    def _header(self) -> str:
        period = "20260114" if self.sales else self.time[:8]
        return (
            f"20000{1:07d}{0:07d}MA {'v01.32':8}{'OURS-FIXED400/1':16}{'.':8}{PARTNER}{PARTNER}{'EXAMPLE TRAVEL':40}ES"
            f"{'':8}{'LASG000':8}TP{self.seq:09d}{self.reprint:02d}{self.time}+0100{period}{period}T{'ISO-8859-15':12}"
            f"{'EXAMPLE 1':20}"
        )


def _transaction(line: int, number: int, sale: Sale) -> str:
    credited = f"{sale.credit_note:20}{'20260114' if sale.credit_note else '':8}"
    net = sale.gross if sale.net is None else sale.net
    return (
        f"30000{line:07d}{number:07d}{sale.ref:26}{sale.version:02d}MA {sale.type}{sale.dc}HO{sale.card:19}1228{'':6}{'':8}"
        f"{sale.invoice:20}20260114{credited}20260114202601149782{net:013d}{'00000'}{0:013d}{sale.gross:013d}"
        f"{sale.passenger:49}{'EXAMPLE CLIENT SA':35}{sale.place:25}{'D-1':15}{'':13}{sale.original:26}"
        f"{'CX' if sale.type != 'SA' else '':2}00{0}01{0:02d}{sale.more}"
    )


def _hotel(line: int, number: int, sale: Sale) -> str:
    return (
        f"54000{line:07d}{number:07d}{'HOTEL PRUEBA':50}{'LISBOA':35}PT{'SOLER/ANA':49}2026051020260513{sale.nights:03d}"
        f"01{'02':2}{'HX-77810':25}{'':25}{'':20}{'':13}{'':4}Y"
    )
