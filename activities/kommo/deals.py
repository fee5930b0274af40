"""The CRM's cells: read a deal, show it how its request stands, find deals whose webhook was lost (contracts: kommo 4.1, 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from activities.effects import Effect, Effects
from activities.failures import implements
from activities.kommo import fields
from activities.kommo.account import KommoAccount
from activities.kommo.fields import Value
from activities.kommo.reading import asks, said_of
from activities.kommo.wire import LOST, SYSTEM, Lead
from activities.signatures import CRM_ANSWER_BOT, CRM_READ_DEAL, CRM_SHOW_DEAL, CRM_SWEEP_DEALS
from domain import naming
from domain.deal_steps import BotStep, DealPicture, DealRead, DealReading, DealsFound, DealShown, DealSweep
from domain.deals import SETTLED, DealRules, faults_of, marker
from domain.effects import EffectKey, EffectState
from domain.errors import Refused
from domain.steps import Done
from store import Store
from store.deal_hooks import DealHook
from store.payment_request_records import Request

TASK_WITHIN = timedelta(days=1)
GONE = "gone"
WITHOUT_DOCUMENT = frozenset({"creating", "failed", "none"})


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DealActivities:
    """What a deal says goes into the store, and nothing of it into a workflow."""

    def __init__(
        self,
        store: Store,
        accounts: Mapping[str, KommoAccount],
        rules: Mapping[str, DealRules],
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._rules = rules
        self._now = now
        self._effects = Effects(store.effects)

    @implements(CRM_READ_DEAL)
    def read_deal(self, step: DealReading) -> DealRead:
        """The deal as it is now. A webhook is a hint; only this counts."""
        account = self._account(step.agency)
        lead = account.client.lead(step.deal_id)
        if lead is None:
            return DealRead(gone=True)
        lost = lead.status_id == LOST
        wanted = asks(lead, account.settings, wanted=step.wanted, state=step.state, stage=step.stage)
        if not wanted and step.state not in SETTLED:
            return DealRead(lost=lost, stage=lead.status_id)
        rules = self._rules.get(step.agency) or DealRules()
        contact = account.client.contact(lead.contact_ids[0]) if lead.contact_ids else None
        said = said_of(lead, contact, rules)
        if not wanted:
            return DealRead(lost=lost, stage=lead.status_id, changed=self._differs(step, lead, said.amount))
        faults = faults_of(said, rules)
        told = DealRead(
            lost=lost, asks=True, stage=lead.status_id, amount=said.amount, booking_id=said.booking_id, faults=faults
        )
        if faults:
            return told
        begins_again = step.anew or step.state in ("cancelled", "refunded")
        revision, fresh = self._store.payment_requests.ask(step.agency, step.deal_id, said, anew=begins_again)
        return told.model_copy(update={"revision": revision, "fresh": fresh})

    def _differs(self, step: DealReading, lead: Lead, amount: object) -> bool:
        """It was paid and stands where money is asked for, with another amount."""
        settings = self._account(step.agency).settings
        known = self._store.payment_requests.get(step.agency, step.deal_id)
        there = lead.pipeline_id == settings.pipeline and lead.status_id in settings.trigger_stages
        return there and known is not None and known.asked.said.amount != amount

    @implements(CRM_SHOW_DEAL)
    def show_deal(self, step: DealPicture) -> DealShown:
        """Write how the request stands into the deal, add the note, move it on unless a person moved it (kommo 5)."""
        move = self._store.payment_requests.moved(step.agency, step.deal_id, step.state, step.revision, step.from_stage)
        account = self._account(step.agency)
        values = self._values(step, self._store.payment_requests.get(step.agency, step.deal_id))
        digest = hashlib.sha256(repr(sorted(values.items(), key=lambda each: each[0])).encode()).hexdigest()[:12]
        left_out: tuple[str, ...] = ()

        def write(_reference: str) -> str:
            nonlocal left_out
            written = account.writer.write(step.deal_id, values)
            left_out = written.left_out
            return GONE if written.gone else str(step.deal_id)

        key = self._picture_key(EffectKey(step.agency, SYSTEM, "deal", f"{step.deal_id}/{move}", "show"), digest)
        if self._effects.perform(Effect(key, act=write, request={"values": digest})) == GONE:
            return DealShown(gone=True, note="the deal is gone")
        if step.text:
            self._note(step, account)
        moved_to = self._moved(step, account, move)
        return DealShown(moved_to=moved_to, note=f"no field for {', '.join(left_out)}" if left_out else "")

    def _picture_key(self, first: EffectKey, digest: str) -> EffectKey:
        """The write that shows these values: the one that showed them last, else the one after it.

        What an attempt left half done goes on under its own row, also where the values have changed meanwhile.
        """
        effects = self._store.effects
        newest = effects.newest(first)
        if newest is not None and effects.last_request(newest) == {"values": digest}:
            return newest
        key = first if newest is None else replace(newest, sequence=newest.sequence + 1)
        record = effects.get(key)
        refused = record is not None and record.state is EffectState.REFUSED
        if refused and effects.last_request(key) != {"values": digest}:
            # Of other values nobody has said no.
            effects.rearm(str(key))
        return key

    def _values(self, step: DealPicture, request: Request | None) -> dict[str, Value]:
        values: dict[str, Value] = {fields.STATUS: step.state, fields.REF: self._workflow(step)}
        if request is None or step.state in WITHOUT_DOCUMENT:
            return values
        links = [link for link in request.links if not link.orphan]
        is_payable = step.state not in ("cancelled", "refunded")
        values[fields.LINK] = links[-1].url if links and is_payable else None
        values[fields.AMOUNT] = request.asked.said.amount
        if request.documents:
            newest = max(request.documents, key=lambda each: each.issued_at)
            values |= {fields.NUMBER: newest.number, fields.PDF: newest.pdf}
        if request.payments:
            values[fields.PAID_AT] = request.payments[-1].seen_at
        return values

    def _note(self, step: DealPicture, account: KommoAccount) -> None:
        found_by = marker(self._workflow(step), step.step)

        def note_there(_reference: str) -> list[str]:
            found = account.client.find_note(step.deal_id, found_by)
            return [] if found is None else [str(found)]

        self._effects.perform(
            Effect(
                EffectKey(step.agency, SYSTEM, "note", f"{step.deal_id}/{step.step}", "add"),
                act=lambda _reference: str(account.client.add_note(step.deal_id, step.text, found_by)),
                look_up=note_there,
            )
        )
        if step.task:
            self._task(step, account, found_by)

    def _task(self, step: DealPicture, account: KommoAccount, found_by: str) -> None:
        def task_there(_reference: str) -> list[str]:
            found = account.client.find_task(step.deal_id, found_by)
            return [] if found is None else [str(found)]

        def add(_reference: str) -> str:
            lead = account.client.lead(step.deal_id)
            responsible = lead.responsible_user_id if lead is not None else 0
            due = self._now() + TASK_WITHIN
            return str(account.client.add_task(step.deal_id, step.text, found_by, responsible=responsible, due=due))

        key = EffectKey(step.agency, SYSTEM, "task", f"{step.deal_id}/{step.step}", "add")
        self._effects.perform(Effect(key, act=add, look_up=task_there))

    def _moved(self, step: DealPicture, account: KommoAccount, move: int) -> int | None:
        """Where we moved it; None when no stage is named for this, or a person has moved it."""
        stages = {"waiting": account.settings.waiting_stage, "paid": account.settings.paid_stage}
        stage = stages[step.move_to] if step.move_to is not None else None
        expected = step.from_stage
        if stage is None or expected is None:
            return None

        def act(_reference: str) -> str:
            return str(stage) if account.writer.move(step.deal_id, stage, expected=expected) else "left"

        key = EffectKey(step.agency, SYSTEM, "deal", f"{step.deal_id}/{move}/{stage}", "move")
        return stage if self._effects.perform(Effect(key, act=act)) == str(stage) else None

    @implements(CRM_ANSWER_BOT)
    def answer_bot(self, step: BotStep) -> Done:
        """Let a waiting bot go on, with the state and the link for its own words (kommo 4.3)."""
        links = [each for each in self._store.payment_pages.of(step.agency, step.deal_id) if not each.orphan]
        data = {"status": step.status, "link": links[-1].url if links else ""}
        account = self._account(step.agency)

        def act(_reference: str) -> str:
            account.client.continue_salesbot(step.return_url, data)
            return step.status

        place = hashlib.sha256(step.return_url.encode()).hexdigest()[:16]
        self._effects.perform(
            Effect(EffectKey(step.agency, SYSTEM, "bot", f"{step.deal_id}/{place}", "answer"), act=act)
        )
        return Done()

    @implements(CRM_SWEEP_DEALS)
    def sweep_deals(self, step: DealSweep) -> DealsFound:
        """Deals that stand where money is asked for and show nothing of ours: their webhook was lost (kommo 4.1)."""
        account = self._account(step.agency)
        since = self._now() - timedelta(hours=account.settings.poll_hours)
        found = {
            lead.id
            for stage in sorted(account.settings.trigger_stages)
            for lead in account.client.leads_in_stage(account.settings.pipeline, stage, since)
            if not account.writer.shown(lead, fields.STATUS)
        }
        minute = f"{self._now():%Y-%m-%dT%H:%M}"
        self._store.deal_hooks.take_in(
            DealHook(step.agency, SYSTEM, number, "sweep", f"sweep:{number}:{minute}") for number in sorted(found)
        )
        return DealsFound(deals=tuple(sorted(found)))

    def _workflow(self, step: DealPicture) -> str:
        return naming.deal_workflow(step.agency, step.deal_id)

    def _account(self, agency: str) -> KommoAccount:
        try:
            return self._accounts[agency]
        except KeyError:
            words = f"agency {agency} has no Kommo; add [agencies.{agency}.kommo] to the settings"
            raise Refused(words, system=SYSTEM) from None
