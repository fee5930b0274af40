"""Rendering and parsing of a large TAMARA file against writing the same bytes with one `str.format` for each line.

Both sides begin with the same facts and end in the same file on disk. The floor knows the places of all fields beforehand,
leaves out what is absent, checks nothing and counts nothing; ours reads the layout document, checks every value, counts and
hashes. Each side runs in a process of its own, whose processor time counts; ours must keep its largest resident memory below the promise.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

from activities.tamara.card import CardNumber
from activities.tamara.details import Event
from activities.tamara.layout import our_layout
from activities.tamara.model import (
    AgencyBlock,
    Amount,
    Customer,
    Dbi,
    FileHead,
    Numbered,
    TamaraFile,
    Transaction,
    Txn,
    attribute,
    totals_of,
)
from activities.tamara.parsing import Finding, read
from activities.tamara.rendering import render
from benchmarks.results import Result

LEAST = 0.333
MOST_MEMORY = 150
"""Megabytes resident."""
KINDS = 997
"""How many different transactions there are; the file repeats them under new line numbers."""
PER_TRANSACTION = 3
"""Records: 300, 400 and 560."""
CHUNK = 1 << 20
CARD = "192000000000008"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--records", type=int, default=1_000_000, help="records in the file (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, both sides in turns (default 3)")


def run(chosen: argparse.Namespace) -> Result:
    """The slower of rendering and parsing counts; the other stands in `raw`. Raises if memory or bytes are not as promised."""
    sides: dict[str, list[float]] = {"floor": [], "render": [], "parse": []}
    memory = {"render": 0.0, "parse": 0.0}
    transactions = max(1, chosen.records // PER_TRANSACTION)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(chosen.rounds):
            for side, seconds in sides.items():
                told = _measured(side, transactions, Path(folder))
                seconds.append(told["records"] / told["seconds"] / 1000)
                if side in memory:
                    memory[side] = max(memory[side], told["megabytes"])
        sizes = {path.name: path.stat().st_size for path in Path(folder).iterdir()}
        if not _alike(Path(folder) / "floor", Path(folder) / "render"):
            raise AssertionError("the two sides did not write the same records")
    if max(memory.values()) > MOST_MEMORY:
        raise AssertionError(f"{max(memory.values()):.0f} MB resident, promised are {MOST_MEMORY}")
    slower = min(("render", "parse"), key=lambda side: sum(sides[side]))
    rounded = {side: [round(each, 1) for each in rates] for side, rates in sides.items()}
    return Result.of(
        "tamara",
        "thousand records in a second of processor time",
        sides[slower],
        sides["floor"],
        slower=slower,
        sides=rounded,
        megabytes=memory,
        bytes=sizes,
        records=transactions * PER_TRANSACTION,
    )


def _alike(one: Path, other: Path) -> bool:
    """Whether two files have the same bytes up to the trailer, compared piece by piece."""
    size = one.stat().st_size
    with one.open("rb") as left, other.open("rb") as right:
        while left.tell() + CHUNK < size:
            if left.read(CHUNK) != right.read(CHUNK):
                return False
    return size == other.stat().st_size


def _measured(side: str, transactions: int, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.tamara", side, str(transactions), str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _kinds() -> list[Transaction]:
    day = dt.date(2026, 11, 20)
    return [
        Transaction(
            txn=Txn(
                ref=f"01JH0000000000000000{number:06d}",
                class_="MA",
                type="SA",
                dc="D",
                service="EV",
                card=CardNumber(CARD),
                card_expiry="1228",
                invoice=Numbered(number=f"F2026-{number:06d}", date=day),
                sale_date=day,
                value_date=day + dt.timedelta(number % 7),
                amount=Amount(
                    currency="978", decimals=2, net=41250 + number, vat_rate=Decimal(0), gross=41250 + number
                ),
                passenger=f"DOE/JANE {number}",
                customer=Customer(name="EXAMPLE CLIENT SA", place="MADRID"),
                dossier=f"D-{number}",
                pnr="ABC123",
            ),
            dbi=Dbi(PK=str(number), KS="CC-0815", PR="P77", profile="TEST"),
            event=Event(name="CONVENTION", reference=f"R{number}", city="SEVILLA", country="ES", from_=day, to=day),
        )
        for number in range(KINDS)
    ]


def _document(transactions: int) -> TamaraFile:
    kinds, day = _kinds(), dt.date(2026, 11, 20)
    whole, rest = divmod(transactions, KINDS)
    gross = whole * sum(each.txn.amount.gross for each in kinds) + sum(each.txn.amount.gross for each in kinds[:rest])
    [total] = totals_of([("D", "978", gross)])
    return TamaraFile(
        file=FileHead(
            kind="MA",
            seq=1,
            created_at=dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC),
            period_from=day,
            period_to=day,
            mode="T",
            software="benchmark",
        ),
        agency=AgencyBlock(
            tamara_version="v01.32",
            delivery_version=".",
            partner_id="TESTPARTNER1",
            agency_id="TESTPARTNER1",
            name="EXAMPLE TRAVEL",
            country="ES",
            acquirer_id="LASG000",
            card_id="TP",
        ),
        transactions=islice(cycle(kinds), transactions),
        totals=(total.model_copy(update={"debit_count": transactions}),),
    )


def _render(transactions: int, folder: Path) -> float:
    document, records = _document(transactions), 0
    began = time.process_time()
    with (folder / "render").open("wb", buffering=CHUNK) as out:
        for record in render(our_layout(), document):
            out.write(record)
            records += 1
    return time.process_time() - began


def _parse(transactions: int, folder: Path) -> float:
    findings: list[Finding] = []
    began = time.process_time()
    with (folder / "render").open("rb") as file:
        total = sum(
            record.values["GROSS"]
            for record in read(our_layout(), iter(lambda: file.read(CHUNK), b""), findings.append)
            if record.spec.code == "300"
        )
    seconds = time.process_time() - began
    if findings or not total:
        raise AssertionError(f"the file was not read as it was written: {findings[:1]}")
    return seconds


def _floor(transactions: int, folder: Path) -> float:
    """One `str.format` for each line, straight from the facts; header and trailer are copied."""
    kinds = _kinds()
    first, *records, totals, trailer = render(our_layout(), _document(KINDS))
    shapes = [_shape(record.decode("ascii"), kinds[0]) for record in records[:PER_TRANSACTION]]
    began, line = time.process_time(), 1
    with (folder / "floor").open("wb", buffering=CHUNK) as out:
        out.write(first)
        for number, each in enumerate(islice(cycle(kinds), transactions), 1):
            for shape in shapes:
                line += 1
                out.write(shape.format(line, number, each, CARD).encode("iso8859-15"))
        out.write(totals + trailer)
    return time.process_time() - began


def _shape(record: str, example: Transaction) -> str:
    """The format of a line: what changes from transaction to transaction comes from the facts, all else is text."""
    shape = record[:5] + "{0:07d}{1:07d}"
    for each in our_layout().by_code[record[:3]].fields:
        here = record[each.pos - 1 : each.end - 1]
        value = _value(example, each.source)
        if value is None or each.type == "R":
            shape += here
        elif each.source == "txn.card":
            shape += f"{{3:<{each.len}}}"
        else:
            path = ".".join(map(attribute, (each.source or "").split(".")))
            form = "%Y%m%d" if each.type == "D" else f"{'0>' if each.type in ('N', 'M') else '<'}{each.len}"
            shape += f"{{2.{path}:{form}}}"
    return shape + "\r\n"


def _value(example: Transaction, source: str | None) -> object:
    here: object = example if source is not None and source.split(".")[0] in Transaction.model_fields else None
    for step in (source or "").split("."):
        here = getattr(here, attribute(step)) if here is not None else None
    return here


def _most_resident() -> float:
    """Megabytes. `getrusage` would count the process that started this one, too."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _lines(side: str, transactions: int, folder: Path) -> Iterator[float]:
    yield {"floor": _floor, "render": _render, "parse": _parse}[side](transactions, folder)


if __name__ == "__main__":
    chosen_side, count, where = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    [taken] = _lines(chosen_side, count, where)
    used = _most_resident()
    print(json.dumps({"seconds": taken, "records": count * PER_TRANSACTION, "megabytes": round(used, 1)}))
