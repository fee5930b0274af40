"""Sealing: number and content frozen together, then rendered, proven and put away encrypted (contracts: tamara 3.6, 3.12, 5.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

from activities.tamara.card import CardNumber
from activities.tamara.cargo import Cargo
from activities.tamara.layout import Layout
from activities.tamara.lodged import LodgedCards
from activities.tamara.model import (
    CURRENCIES,
    AgencyBlock,
    CurrencyTotal,
    FileHead,
    Kind,
    TamaraFile,
    Transaction,
    totals_of_sums,
)
from activities.tamara.openpgp import encrypted
from activities.tamara.proof import prove, prove_block
from activities.tamara.redaction import BLANK_EXPIRY, redacted_fixed, redacted_other
from activities.tamara.rendering import render
from activities.tamara.settings import TamaraSettings
from activities.tamara.transport import OpenPgpSettings
from domain.errors import ContractBroken, Transient
from store import Store
from store.tamara import LinesMoved
from store.tamara_contents import Form, Print
from store.tamara_tables import File, Line, Sealing

NO_CARD = CardNumber("0" * 15)
NO_EXPIRY = "0101"


def fits(settings: TamaraSettings, transaction: Transaction) -> None:
    """Render one transaction in a file of its own. Raises `FieldError` naming the record and field without room."""
    txn = transaction.txn
    if txn.card is None:
        # A missing card is refused by its own rule; here only the room of the other fields counts.
        txn = txn.model_copy(update={"card": NO_CARD, "card_expiry": NO_EXPIRY})
    day = txn.value_date
    head = FileHead(
        kind=txn.class_,
        seq=0,
        created_at=dt.datetime.combine(day, dt.time(), dt.UTC),
        period_from=day,
        period_to=day,
        mode=settings.mode,
    )
    alone = TamaraFile(file=head, agency=settings.block, transactions=(transaction.model_copy(update={"txn": txn}),))
    for _ in render(settings.used_layout, alone):
        pass


class Sealer:
    """Seals files of one agency and hands out their bytes. `beat` hears of progress, never of content."""

    def __init__(
        self, store: Store, agency: str, settings: TamaraSettings, beat: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._agency = agency
        self._settings = settings
        self._beat = beat

    def seal(self, kind: Kind, day: dt.date, now: dt.datetime, rejudge: Callable[[Line], Line]) -> File | None:
        """The file of `day`, sealed and rendered; the same one however often it is asked for. None: nothing to send.

        Raises `NeedsPerson` when the agency block is incomplete (V026), `ContractBroken` when the rendered bytes do not
        prove what was sealed (V027 to V029), `Unauthorised` when the vault is closed.
        """
        settings, ledger = self._settings, self._store.tamara
        file = ledger.file_of_day(self._agency, kind, settings.mode, day)
        if file is None:
            prove_block(settings, kind)
            ready = self._ready(rejudge(line) for line in ledger.each_open(self._agency, kind, settings.mode))
            if not ready and settings.used_layout.empty_file == "skip":
                return None
            file = self._freeze(kind, day, now, ready)
        return self.finished(file)

    def cargo(self, file: File) -> Cargo:
        """The bytes to send. Raises `ContractBroken` if they are not the ones in the ledger, or were destroyed."""
        if file.cipher_digest is not None:
            return self._kept(file, "openpgp", file.cipher_digest)
        # Header and trailer of an empty file hold no secret and follow from the ledger alone.
        return (
            self._kept(file, "clear", file.digest)
            if file.lines
            else self._proven(file, Cargo.measured(lambda: self._rendered(file)))
        )

    def _kept(self, file: File, form: Form, digest: str | None) -> Cargo:
        contents, which = self._store.tamara_contents, Print.of(file)
        if form not in contents.forms(which):
            raise ContractBroken(
                f"the bytes of file {file.seq} were destroyed when their time was over; they cannot be sent again",
                system="tamara",
                operation="deliver",
                code="DESTROYED",
            )
        return self._proven(file, Cargo.measured(lambda: contents.parts(which, form)), digest)

    def _proven(self, file: File, cargo: Cargo, digest: str | None = None) -> Cargo:
        if cargo.digest != (digest or file.digest):
            raise ContractBroken(
                f"the sealed bytes of file {file.seq} do not have the digest in the ledger; they are not sent",
                system="tamara",
                operation="deliver",
            )
        return cargo

    def print_again(self, file: File, now: dt.datetime) -> File:
        """The same content under the same number, as the next reprint; it has a name and bytes of its own."""
        name = self._layout(file).file_name.format(
            partner_id=file.partner_id, kind=file.kind, seq=file.seq, created=now, mode=file.mode
        )
        self._store.tamara_prints.again(file.key, file.reprint + 1, name, now)
        return self.finished(self._standing(file))

    def finished(self, file: File) -> File:
        """The file with its bytes put away; a crash may have come between."""
        if file.state == "SEALED":
            self._put_away(file)
        return self._standing(file)

    def _standing(self, file: File) -> File:
        found = self._store.tamara.file(file.key)
        assert found is not None
        return found

    def _ready(self, lines: Iterable[Line]) -> list[int]:
        """Numbers of valid lines; a credit waits until AirPlus has its original (V021)."""
        staged = [(line.id, line.original_ref) for line in lines if line.state == "STAGED"]
        originals = sorted({original for _, original in staged if original})
        there = self._store.tamara.delivered_refs(originals)
        return [number for number, original in staged if original is None or original in there]

    def _freeze(self, kind: Kind, day: dt.date, now: dt.datetime, line_ids: list[int]) -> File:
        settings, layout = self._settings, self._settings.used_layout

        def name(seq: int) -> str:
            return layout.file_name.format(
                partner_id=settings.partner_id, kind=kind, seq=seq, created=now, mode=settings.mode
            )

        wish = Sealing(
            agency=self._agency,
            partner_id=settings.partner_id,
            kind=kind,
            mode=settings.mode,
            day=day,
            layout_id=layout.id,
            sealed_at=now,
            head={"agency": settings.block.model_dump(mode="json"), "software": settings.software},
            line_ids=line_ids,
            name=name,
        )
        try:
            return self._store.tamara.seal(wish)
        except LinesMoved as moved:
            raise Transient(str(moved), system="tamara", operation="seal", retry_after=1) from None

    def _put_away(self, file: File) -> None:
        layout, contents, which = self._layout(file), self._store.tamara_contents, Print.of(file)
        if file.lines:
            self._keep(file)
            cargo = Cargo.measured(lambda: contents.parts(which, "clear"))
        else:
            cargo = Cargo.measured(lambda: self._rendered(file))
        prove(layout, map(bytes, cargo.after(0)), file)
        if self._settings.openpgp is not None:
            self._encrypt(file, cargo, self._settings.openpgp)
        # Last: from here on the file is no longer put away.
        self._store.tamara.rendered(file.key, cargo.digest, cargo.size)

    def _keep(self, file: File) -> None:
        """The bytes that an attempt before a crash put away count: a card may have been lodged anew since."""
        layout, contents, which = self._layout(file), self._store.tamara_contents, Print.of(file)
        contents.keep(which, "clear", self._rendered(file))
        if layout.style == "fixed":
            contents.keep(which, "redacted", redacted_fixed(layout, contents.parts(which, "clear")))
        else:
            cards: set[CardNumber] = set()
            contents.keep(which, "redacted", redacted_other(self._rendered(file, cards, BLANK_EXPIRY), cards))

    def _encrypt(self, file: File, cargo: Cargo, settings: OpenPgpSettings) -> None:
        """Once: each encryption gives other bytes, and those that were promised are the first. The library wants a file
        whole, so here it is in memory."""
        contents, which = self._store.tamara_contents, Print.of(file)
        if "openpgp" not in contents.forms(which):
            contents.keep(which, "openpgp", encrypted(settings, b"".join(cargo.after(0))))
        message = Cargo.measured(lambda: contents.parts(which, "openpgp"))
        self._store.tamara.encrypted(file.key, message.digest, message.size)

    def _layout(self, file: File) -> Layout:
        layout = self._settings.used_layout
        if layout.id != file.layout_id:
            raise ContractBroken(
                f"file {file.seq} was sealed with layout {file.layout_id}, configured is {layout.id}; "
                "configure the old layout until the file is delivered",
                system="tamara",
            )
        return layout

    def _rendered(self, file: File, cards: set[CardNumber] | None = None, expiry: str | None = None) -> Iterator[bytes]:
        """The records of a file; `cards` learns the numbers in it, `expiry` stands for every card's own."""
        head = FileHead(
            kind=file.kind,
            seq=file.seq,
            reprint=file.reprint,
            created_at=file.sealed_at,
            period_from=file.period_from,
            period_to=file.period_to,
            mode=file.mode,
            software=file.head["software"],
        )
        document = TamaraFile(
            file=head,
            agency=AgencyBlock.model_validate(file.head["agency"]),
            transactions=(),
        )
        document.totals = _totals(file)
        if file.lines:
            document.transactions = self._noted(self._carded(file), cards, expiry)
        return render(self._layout(file), document)

    @staticmethod
    def _noted(
        transactions: Iterator[Transaction], cards: set[CardNumber] | None, expiry: str | None
    ) -> Iterator[Transaction]:
        for each in transactions:
            if cards is not None and each.txn.card is not None:
                cards.add(each.txn.card)
            if expiry is not None:
                each = each.model_copy(update={"txn": each.txn.model_copy(update={"card_expiry": expiry})})
            yield each

    def _carded(self, file: File) -> Iterator[Transaction]:
        """Transactions with their cards, one at a time: no more than one number is in clear at once."""
        cards = LodgedCards(self._store.vault, self._agency)
        for place, line in enumerate(self._store.tamara.each_in(file.key)):
            if place % 100 == 0:
                self._beat(f"rendering {place} of {file.lines}")
            yield cards.put_on(Transaction.model_validate(line.content), line.card_ref)


def _totals(file: File) -> tuple[CurrencyTotal, ...]:
    """As sealed; the proof holds them against the lines that were rendered."""
    return totals_of_sums((each.dc, CURRENCIES[each.currency][0], each.count, each.gross) for each in file.sums)
