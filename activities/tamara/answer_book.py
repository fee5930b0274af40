"""What AirPlus tells, whichever way it comes in: read, weighed, and stored with all that it does (contracts: tamara 3.11, 4.7)."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import ValidationError

from activities.tamara.hidden_cards import masked
from activities.tamara.model import Acknowledgement, AnswerFile
from activities.tamara.parsing import answers_of, parse
from activities.tamara.redaction import redacted_answer
from activities.tamara.settings import TamaraSettings
from activities.tamara.weighing import weigh
from domain.errors import Transient
from store import Store
from store.tamara import LinesMoved
from store.tamara_answers import NewAnswer, Verdict
from store.tamara_tables import File, FileKey


class AnswerBook:
    """Takes answers to one agency. Of what could be an account number only the masked form is kept."""

    def __init__(self, store: Store, agency: str, settings: TamaraSettings) -> None:
        self._store = store
        self._agency = agency
        self._settings = settings

    def take(self, name: str, data: bytes) -> Verdict | None:
        """An answer file; None when it was taken before. Raises `Transient` when a line moved meanwhile."""
        told, fault = _read(self._settings, data)
        return self._once(name, data, told, fault)

    def take_told(self, name: str, data: bytes, told: AnswerFile) -> Verdict | None:
        """What a person read elsewhere, with the words in which it was entered; otherwise as `take`."""
        return self._once(name, data, told, "")

    def _once(self, name: str, data: bytes, told: AnswerFile | None, fault: str) -> Verdict | None:
        digest = hashlib.sha256(data).hexdigest()
        plain = {
            "agency": self._agency,
            "name": self._masked(name)[:100],
            "digest": digest,
            "content": redacted_answer(self._settings.used_layout, data, self._settings.prefixes),
        }
        if self._store.tamara_answers.known(self._agency, plain["name"], digest):
            return None
        answer = self._weighed(plain, told, fault)
        try:
            return answer.verdict if self._store.tamara_answers.apply(answer) else None
        except LinesMoved as moved:
            raise Transient(str(moved), system="tamara", operation="answers", retry_after=1) from None

    def _weighed(self, plain: dict[str, Any], told: AnswerFile | None, fault: str) -> NewAnswer:
        if told is None:
            words = f"cannot be read, so nothing of it was applied ({fault}); ask AirPlus to send it again"
            return NewAnswer(**plain, verdict="UNREADABLE", text=self._masked(words)[:500])
        ack = told.ack
        states = [each.status for each in told.answers]
        plain |= {
            "file_status": ack.file_status,
            "file_reason": ack.file_reason,
            "expected": ack.expected_seq,
            "accepted": states.count("A") + states.count("M"),
            "rejected": states.count("R") + states.count("E"),
            "held": states.count("H"),
        }
        key = key_of(ack)
        file = self._arrived(key)
        if file is None:
            words = f"answers file {key.kind} {key.mode} {key.seq} of {key.partner_id}, which we never sent"
            return NewAnswer(**plain, verdict="UNKNOWN", text=self._masked(words))
        weighed = weigh(file, self._store.tamara.lines_in(key), self._without_numbers(told))
        return NewAnswer(
            **plain,
            key=key,
            verdict=weighed.verdict,
            text=self._masked(weighed.text)[:500],
            file_state=weighed.file_state if weighed.verdict != "DUPLICATE" or file.answered_at is None else None,
            moves=weighed.moves,
        )

    def _arrived(self, key: FileKey) -> File | None:
        """The file that is answered. One of which we did not know whether it arrived is delivered: AirPlus has it."""
        file = self._store.tamara.file(key)
        if file is None or file.agency != self._agency or file.state in ("SEALED", "RENDERED", "VOID"):
            return None
        if file.state in ("UPLOADING", "DELIVERY_UNKNOWN"):
            self._store.tamara.delivered(key)
            file = self._store.tamara.file(key)
        return file

    def _without_numbers(self, told: AnswerFile) -> AnswerFile:
        """What is said of lines is shown to people: no number in it."""
        answers = tuple(
            each.model_copy(
                update={name: self._masked(text) for name, text in (("text", each.text), ("field", each.field)) if text}
            )
            for each in told.answers
        )
        return told.model_copy(update={"answers": answers})

    def _masked(self, text: str) -> str:
        return masked(text, self._settings.prefixes)


def key_of(ack: Acknowledgement) -> FileKey:
    """The file that an answer is about."""
    return FileKey(partner_id=ack.partner_id, kind=ack.kind, mode=ack.mode, seq=ack.file_seq)


def _read(settings: TamaraSettings, data: bytes) -> tuple[AnswerFile | None, str]:
    """The answer, or what is wrong with its bytes."""
    parsed = parse(settings.used_layout, data, answer=True)
    if parsed.findings:
        first = parsed.findings[0]
        return None, f"{first.rule} in line {first.line}: {first.text}"
    try:
        return answers_of(parsed), ""
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        return None, f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
