"""AirPlus' answers: fetched, read, applied, put away, and what they leave for a person (contracts: tamara 3.10 to 3.12)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

from activities.effects import beat
from activities.failures import implements
from activities.signatures import TAMARA_EXAMINE, TAMARA_READ_ANSWERS, TAMARA_SETTLE
from activities.tamara.answer_book import AnswerBook
from activities.tamara.drop_box import drop_box_of
from activities.tamara.folder import NAME, TOO_LARGE, Folder
from activities.tamara.reasons import meaning_of
from activities.tamara.settings import TamaraSettings
from domain.effects import EffectKey
from domain.errors import ContractBroken, Refused, Transient, UnknownOutcome
from domain.steps import Done
from domain.tamara_steps import (
    TamaraAnswersOrder,
    TamaraAnswersRead,
    TamaraSettlement,
    TamaraTrouble,
    TamaraTroubleStep,
)
from store import Store
from store.clock import Clock, utc_now
from store.tamara_answers import StoredAnswer, Verdict
from store.tamara_tables import File, FileKey, Line
from store.tamara_unpaid import tell_accounting

log = logging.getLogger(__name__)

AUTOMATIC_REPEATS = 1
"""How often a file whose trailer did not agree (F007) goes out again before a person is asked (contracts: tamara 3.10)."""


class TamaraAnswerActivities:
    """`accounts` holds the settings of every agency that has an agreement with AirPlus."""

    def __init__(self, store: Store, accounts: Mapping[str, TamaraSettings], clock: Clock = utc_now) -> None:
        self._store = store
        self._accounts = {name: each for name, each in accounts.items() if each.producer == "orchestrator"}
        self._clock = clock

    @implements(TAMARA_READ_ANSWERS)
    def read_answers(self, step: TamaraAnswersOrder) -> TamaraAnswersRead:
        """Read every answer that lies there, and say what waits for a person; repeated, nothing happens twice."""
        settings = self._accounts.get(step.agency)
        if settings is None:
            return TamaraAnswersRead()
        verdicts: list[Verdict] = []
        if settings.answers:
            with drop_box_of(settings).session(settings.answers) as folder:
                for name in folder.names():
                    if name.endswith(".ack") and NAME.fullmatch(name):
                        verdicts.extend(self._readable(step.agency, settings, folder, name))
        self._chase(step.agency, settings)
        return TamaraAnswersRead(
            read=len(verdicts),
            applied=verdicts.count("APPLIED"),
            troubles=tuple(self._troubles(step.agency, settings)),
        )

    @implements(TAMARA_EXAMINE)
    def examine(self, step: TamaraTroubleStep) -> TamaraAnswersRead:
        """The same trouble as it stands now; none when it is gone."""
        settings = self._accounts.get(step.agency)
        found = [] if settings is None else self._troubles(step.agency, settings)
        return TamaraAnswersRead(troubles=tuple(each for each in found if each.key == step.trouble.key))

    @implements(TAMARA_SETTLE)
    def settle(self, step: TamaraSettlement) -> Done:
        """Do what a person decided about a trouble."""
        trouble, answers = step.trouble, self._store.tamara_answers
        if trouble.answer_id is not None:
            if step.decision == "skip":
                answers.settle(trouble.answer_id, step.by, step.explanation)
            return Done()
        key = self._key(step.agency, trouble)
        if key is None:
            return Done()
        file = self._store.tamara.file(key)
        if file is None or file.agency != step.agency:
            raise ContractBroken(f"there is no file {key.kind} {key.seq} of this agency", system="tamara")
        match trouble.about, step.decision:
            case "unanswered", "adopt":
                answers.close_file(key, "ACKED", "ACCEPTED")
            case "unanswered", "skip":
                answers.close_file(key, "CLOSED")
            case "refused", "retry":
                self._take_back(file)
                answers.send_again(key)
                return Done(ids={"file": file.name})
            case "refused", "adopt":
                answers.close_file(key, "ACKED", "ACCEPTED")
            case "refused", "skip":
                answers.close_file(key, "CLOSED")
            case "rejected", "skip":
                for line in self._rejected(file):
                    answers.abandon(line.id)
                    tell_accounting(self._store.parked, line, f"{step.explanation} ({step.by})")
        return Done()

    def _readable(self, agency: str, settings: TamaraSettings, folder: Folder, name: str) -> list[Verdict]:
        """What one answer says; one that is too large to be an answer holds up no other."""
        try:
            return list(self._taken(agency, settings, folder, name))
        except Transient as error:
            if error.code != TOO_LARGE:
                raise
            log.warning("an answer of AirPlus for %s is not read: %s", agency, error.message)
            return []

    def _taken(self, agency: str, settings: TamaraSettings, folder: Folder, name: str) -> Iterator[Verdict]:
        """One answer stored with all it does, then put away: a crash between the two reads it again and changes nothing."""
        beat({"answer": name})
        verdict = AnswerBook(self._store, agency, settings).take(name, folder.read(name))
        if verdict is not None:
            yield verdict
        if settings.answered:
            with suppress(Refused, Transient, UnknownOutcome):
                # One of that name may be there already, or the right is missing: the digest tells that this one is known.
                folder.move(name, settings.answered)

    def _chase(self, agency: str, settings: TamaraSettings) -> None:
        """Files whose answer is overdue become UNCONFIRMED."""
        for file in self._store.tamara_answers.waiting(agency, settings.mode):
            if file.state == "DELIVERED" and self._overdue(settings, file):
                self._store.tamara_answers.unconfirmed(file.key)

    def _overdue(self, settings: TamaraSettings, file: File) -> bool:
        if not settings.answers or file.delivered_at is None:
            return False
        return self._clock() >= working_days_after(file.delivered_at, settings.answer_days, settings.zone)

    def _troubles(self, agency: str, settings: TamaraSettings) -> Iterator[TamaraTrouble]:
        answers = self._store.tamara_answers
        for file in answers.waiting(agency, settings.mode):
            if file.state == "UNCONFIRMED":
                yield _about(
                    file,
                    "unanswered",
                    f"AirPlus has not answered file {file.name}, delivered {file.delivered_at:%Y-%m-%d %H:%M} UTC. Ask "
                    "AirPlus; retry waits on, adopt (any word as id) takes it as accepted, skip closes it unanswered",
                    ("retry", "skip", "adopt"),
                )
        for file in answers.refused(agency, settings.mode):
            reason = next(
                (each for each in answers.list(agency) if _answers(each, file) and each.file_status == "R"), None
            )
            words = meaning_of(reason.file_reason if reason else None)
            yield _about(
                file,
                "refused",
                f"AirPlus refused file {file.name} whole: {reason.file_reason if reason else ''} {words}. retry sends the same "
                "bytes again, adopt takes it as accepted after all, skip closes it",
                ("retry", "skip", "adopt"),
                automatic=reason is not None
                and reason.file_reason == "F007"
                and answers.rounds(file.key) <= AUTOMATIC_REPEATS,
            )
        yield from self._lines_in_trouble(agency, settings)
        for answer in answers.unclear(agency):
            yield TamaraTrouble(
                key=f"answer-{answer.id}",
                about="answer",
                reason="tamara_answer_unclear",
                detail=f"{answer.name}: {answer.text}. skip says that you have seen to it",
                decisions=("retry", "skip"),
                answer_id=answer.id,
            )

    def _lines_in_trouble(self, agency: str, settings: TamaraSettings) -> Iterator[TamaraTrouble]:
        rejected: dict[FileKey, list[Line]] = {}
        for line in self._store.tamara.listing(agency, states=("REJECTED", "EXPIRED")):
            if line.mode == settings.mode and line.partner_id is not None and line.seq is not None:
                key = FileKey(partner_id=line.partner_id, kind=line.kind, mode=line.mode, seq=line.seq)
                rejected.setdefault(key, []).append(line)
        told = self._store.tamara_answers.of_lines([line.id for each in rejected.values() for line in each])
        for key, found in sorted(rejected.items(), key=lambda entry: entry[0].seq):
            file = self._store.tamara.file(key)
            assert file is not None
            codes = sorted({told[line.id].reason or "no reason" for line in found if line.id in told})
            yield _about(
                file,
                "rejected",
                f"AirPlus rejected {len(found)} lines of file {file.name} ({', '.join(codes)}): lines "
                f"{', '.join(str(line.id) for line in found[:20])}. See 'bookings tamara lines', mend each with 'bookings "
                "tamara fix'; it goes with the next file. skip abandons those that are left",
                ("retry", "skip"),
            )
        refused = [
            line for line in self._store.tamara.listing(agency, states=("REFUSED",)) if line.mode == settings.mode
        ]
        if refused:
            rules = sorted({line.refused_rule or "" for line in refused})
            yield TamaraTrouble(
                key="lines",
                about="lines",
                reason="tamara_lines_refused",
                detail=f"{len(refused)} lines break a rule ({', '.join(rules)}) and stay out of the file: lines "
                f"{', '.join(str(line.id) for line in refused[:20])}. See 'bookings tamara lines', mend each with 'bookings "
                "tamara fix'",
                decisions=("retry",),
            )

    def _take_back(self, file: File) -> None:
        """The delivery is void: the same bytes may go out under the same name."""
        number = f"{file.partner_id}/{file.kind}/{file.mode}/{file.seq}"
        delivery = EffectKey(file.agency, "tamara", "file", number, "deliver", file.reprint)
        refusal = EffectKey(file.agency, "tamara", "file", number, "refuse", file.reprint)
        self._store.effects.undone(delivery, refusal)

    def _rejected(self, file: File) -> list[Line]:
        return [line for line in self._store.tamara.lines_in(file.key) if line.state in ("REJECTED", "EXPIRED")]

    def _key(self, agency: str, trouble: TamaraTrouble) -> FileKey | None:
        settings = self._accounts.get(agency)
        if settings is None or trouble.kind is None or trouble.seq is None:
            return None
        return FileKey(partner_id=trouble.partner_id, kind=trouble.kind, mode=settings.mode, seq=trouble.seq)


def _about(file: File, about: Any, detail: str, decisions: Any, *, automatic: bool = False) -> TamaraTrouble:
    reasons = {"unanswered": "tamara_unanswered", "refused": "tamara_file_refused", "rejected": "tamara_rejected"}
    return TamaraTrouble(
        key=f"{about}-{file.partner_id}-{file.kind}-{file.mode}-{file.seq}",
        about=about,
        reason=reasons[about],
        detail=detail,
        decisions=decisions,
        partner_id=file.partner_id,
        kind=file.kind,
        seq=file.seq,
        automatic=automatic,
    )


def _answers(answer: StoredAnswer, file: File) -> bool:
    return (answer.kind, answer.mode, answer.seq) == (file.kind, file.mode, file.seq)


def working_days_after(moment: dt.datetime, days: int, zone: ZoneInfo) -> dt.datetime:
    """`moment` and so many days later, Saturdays and Sundays not counted (agency's calendar)."""
    local = moment.astimezone(zone)
    while days > 0:
        local += dt.timedelta(days=1)
        days -= local.weekday() < 5
    return local
