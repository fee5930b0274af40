"""Carries a sealed file to the partner: order of numbers, decisions of a person, patience, alarms (contracts: tamara 4.1, 4.4)."""

from __future__ import annotations

import datetime as dt

from temporalio import activity

from activities.effects import Effect, Effects, beat
from activities.tamara.delivery import DELIVERY_UNKNOWN, REMOTE_CONFLICT, SEQUENCE_CONFLICT, Parcel, deliver, find
from activities.tamara.drop_box import drop_box_of
from activities.tamara.folder import DENIED, needs_person
from activities.tamara.openpgp import SUFFIX
from activities.tamara.sealing import Sealer
from activities.tamara.settings import TamaraSettings
from activities.tamara.transport import RetrySettings
from domain.desk import item_id
from domain.effects import EffectKey, EffectState
from domain.errors import NeedsPerson, Refused, Transient
from domain.steps import DecisionTaken
from store import Store
from store.parked import StoreParking
from store.tamara_tables import File

ALARM = "delivery_delayed"
"""Reason of an item that asks nobody for an answer: it closes by itself when the file is there."""
LATE = "LATE"


def refuse_if_stopped(store: Store, settings: TamaraSettings) -> None:
    """Raises `NeedsPerson` while both kinds of files of this partner are stopped."""
    stop = store.tamara_stops.standing(settings.partner_id, settings.mode)
    if stop is not None:
        raise needs_person(
            f"files of {settings.partner_id} are stopped since {stop.since:%Y-%m-%d %H:%M} UTC: {stop.reason} When it is "
            "settled with AirPlus: bookings tamara release, then --retry",
            "PARTNER_STOPPED",
        )


def wait_of(retry: RetrySettings, code: str, attempt: int, waited: dt.timedelta) -> tuple[float, bool]:
    """Seconds until the next attempt, and whether a person is told. `attempt` counts from 1 and failed."""
    if code in DENIED:
        return retry.denied_seconds, True
    if waited >= dt.timedelta(hours=retry.alarm_hours):
        return retry.late_seconds, True
    return min(retry.first_seconds * 2 ** min(attempt - 1, 30), retry.longest_seconds), False


class Carrier:
    """Brings files of one agency to AirPlus, each once. `now` is the agency's local time."""

    def __init__(self, store: Store, agency: str, settings: TamaraSettings, now: dt.datetime) -> None:
        self._store = store
        self._agency = agency
        self._settings = settings
        self._now = now
        self._sealer = Sealer(store, agency, settings, beat)
        self._box = drop_box_of(settings)

    def carry(self, file: File) -> File:
        """Deliver `file`; gives it as it stands then, which after a reprint has another name.

        Raises `Transient` (with the time of the next attempt), `UnknownOutcome`, `Refused`, `NeedsPerson`, `Unauthorised`.
        """
        refuse_if_stopped(self._store, self._settings)
        earlier = self._store.tamara.undelivered_before(file.key)
        if earlier:
            raise Transient(f"file {earlier[0]} goes first", system="tamara", operation="deliver", retry_after=60)
        file = self._as_decided(self._sealer.finished(file))
        key = self._key(file)
        self._take_back_what_broke_off(file, key)
        self._store.tamara.uploading(file.key)
        try:
            self._perform(file, key)
        except Transient as error:
            self._be_patient(file, key, error)
            raise
        except (NeedsPerson, Refused) as error:
            self._note(file, error)
            error.effect = str(key)
            raise
        self._store.tamara.delivered(file.key)
        self._close_alarms(file)
        return self._store.tamara.file(file.key) or file

    def _perform(self, file: File, key: EffectKey) -> None:
        name = file.name + (SUFFIX if file.cipher_digest else "")
        cargo = self._sealer.cargo(file)

        def parcel() -> Parcel:
            now = self._store.tamara.file(file.key) or file
            return Parcel(
                name=name,
                cargo=cargo,
                rename_sent=now.rename_sent,
                renaming=lambda sent: self._store.tamara.renaming(file.key, sent),
                beat=lambda sent: beat({"file": name, "bytes": sent}),
            )

        request = {"name": name, "digest": file.cipher_digest or file.digest, "size": cargo.size}
        Effects(self._store.effects).perform(
            Effect(
                key=key,
                act=lambda _: deliver(self._box, parcel()),
                look_up=lambda _: find(self._box, parcel()),
                request=request,
            )
        )

    def _key(self, file: File, reprint: int | None = None) -> EffectKey:
        number = f"{file.partner_id}/{file.kind}/{file.mode}/{file.seq}"
        sequence = file.reprint if reprint is None else reprint
        return EffectKey(self._agency, "tamara", "file", number, "deliver", sequence)

    # --- what a person decided ---

    def _as_decided(self, file: File) -> File:
        """A refused effect that was armed again is a person's `--retry`: a login may be tried, a file in doubt printed anew."""
        if self._armed_again(self._key(file)):
            self._box.forgive()
            if file.state == "DELIVERY_UNKNOWN":
                file = self._sealer.print_again(file, self._now)
        if file.reprint:
            self._give_up(self._key(file, file.reprint - 1), f"sent again as reprint {file.reprint}")
        return file

    def _armed_again(self, key: EffectKey) -> bool:
        record = self._store.effects.get(key)
        return record is not None and record.state is EffectState.INTENDED and record.acts == 0 and not record.reason

    def _give_up(self, key: EffectKey, why: str) -> None:
        record = self._store.effects.get(key)
        if record is not None and record.state is EffectState.INTENDED:
            self._store.effects.refused(key, why)

    def _take_back_what_broke_off(self, file: File, key: EffectKey) -> None:
        """Nothing of a file counts before its rename was sent: whoever died before that is not looked for with patience."""
        record = self._store.effects.get(key)
        broke_off = record is not None and record.state is EffectState.INTENDED and record.acts > 0
        if broke_off and not file.rename_sent:
            self._store.effects.not_sent(key, "broken off before the rename")

    # --- trouble ---

    def _note(self, file: File, error: NeedsPerson | Refused) -> None:
        if error.code == DELIVERY_UNKNOWN:
            self._store.tamara.delivery_unknown(file.key)
        never_reached = error.code == REMOTE_CONFLICT and not (self._store.tamara.file(file.key) or file).rename_sent
        if error.code == SEQUENCE_CONFLICT or never_reached:
            reason = f"{file.name} was there before we sent it, so another sender uses our numbers."
            self._store.tamara_stops.stop(self._agency, file.partner_id, file.mode, reason)

    def _be_patient(self, file: File, key: EffectKey, error: Transient) -> None:
        """Give the error the time of the next attempt; tell a person where 4.4 says so."""
        attempt, waited = 1, dt.timedelta()
        if activity.in_activity():
            info = activity.info()
            attempt, waited = info.attempt, dt.datetime.now(dt.UTC) - info.scheduled_time
        seconds, alarming = wait_of(self._settings.retry, error.code, attempt, waited)
        error.retry_after = error.retry_after or seconds
        if alarming:
            self._alarm(file, key, error)

    def _alarm(self, file: File, key: EffectKey, error: Transient) -> None:
        code = error.code if error.code in DENIED else LATE
        self._store.parked.open_from_store(
            StoreParking(
                item_id=item_id(ALARM, str(key), code),
                agency=self._agency,
                reason=ALARM,
                detail=f"{file.name} is not with AirPlus: {error.message}. It is tried again by itself",
                verb="tamara.deliver_file",
                effect=str(key),
                decisions=("skip",),
            )
        )

    def _close_alarms(self, file: File) -> None:
        for code in (*DENIED, LATE):
            item = self._store.parked.get(item_id(ALARM, str(self._key(file)), code))
            if item is not None and item.state == "open":
                self._store.parked.close(
                    item.item_id,
                    DecisionTaken(item_id=item.item_id, decision="skip", by="system", explanation="it was delivered"),
                )
