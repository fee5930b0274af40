"""What existed before the activation comes in once, in order, page by page, and as if it had been delivered."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.platform import backfill
from activities.platform import client as wire
from activities.platform.backfill import PlatformBackfill
from activities.platform.settings import PlatformAccount
from domain.effects import EffectKey
from domain.money import Money
from domain.steps import BackfillProgress, IntegrationBackfill
from store.inbox import EventFilter
from store.installation import PlatformSettings
from tests.activities.platform.trip import AGENCY
from tests.activities.platform.world import SERVICES, World

TODAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(wire, "PAGE", 3)
    world.store.integrations.request(AGENCY, "giav", by="ana")


def step(progress: BackfillProgress) -> IntegrationBackfill:
    return IntegrationBackfill(agency=AGENCY, system="giav", by="ana", progress=progress)


def backfilled(world: World, begin: BackfillProgress | None = None) -> BackfillProgress:
    """To the end, as the workflow does."""
    cell = PlatformBackfill(world.store, {AGENCY: world.account})
    progress = begin or BackfillProgress(ended_since=TODAY)
    while progress.phase != "done":
        progress = cell.page(step(progress))
    return progress


def season(world: World) -> None:
    """A coming trip with money that came and went, a cancelled sale, and a trip that is over."""
    world.sell(mandate=True)
    world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    paid = next(iter(world.stand_in.state()["payment"]))
    world.do("refund", payment_id=paid, amount={"amount": 5000, "currency": "EUR"})
    sale(world, "bkg_501", "exp_31")
    world.do("cancel-booking", booking_id="bkg_501")
    world.do(
        "create-experience",
        id="exp_9",
        title="El año pasado",
        sales_mode="seat_b2c",
        starts_on="2025-06-20",
        ends_on="2025-06-23",
        services=SERVICES,
        cancellation_policy={"basis": "total", "tiers": []},
    )
    sale(world, "bkg_9", "exp_9")
    world.do("capture-payment", booking_id="bkg_9")


def sale(world: World, booking_id: str, experience_id: str) -> None:
    world.do(
        "create-booking",
        id=booking_id,
        experience_id=experience_id,
        payer={"id": "cus_78", "kind": "person", "name": "Eva Prueba"},
        travellers=[{"first_name": "Eva", "last_name": "Prueba"}],
        lines=[{"service_id": "svc_hotel"}],
    )


def known(world: World) -> dict[str, Any]:
    """What the read model has, without the past."""
    facts = world.store.facts
    return {
        "bookings": {one.id: one.status for one in facts.bookings(AGENCY)},
        "captured": [one.amount for one in facts.payments_of(AGENCY, "bkg_500")],
        "refunded": [one.amount for one in facts.refunds_of(AGENCY, "bkg_500")],
        "cancellations": len(facts.cancellations_of(AGENCY, "bkg_501")),
    }


WHOLE = {
    "bookings": {"bkg_500": "confirmed", "bkg_501": "cancelled"},
    "captured": [Money(amount=30000, currency="EUR")],
    "refunded": [Money(amount=5000, currency="EUR")],
    "cancellations": 1,
}


def test_everything_of_coming_trips_comes_in_and_nothing_of_past_ones(world: World) -> None:
    season(world)
    ended = backfilled(world)
    assert known(world) == WHOLE
    assert world.store.facts.experience(AGENCY, "exp_9") is None
    assert ended.past >= 3
    assert ended.seen == ended.taken + ended.known + ended.past + ended.superseded + ended.unusable
    assert world.store.parked.list() == []
    assert world.store.integrations.known(AGENCY, "giav").backfill == ended.model_dump(mode="json")


def test_past_trips_come_in_when_they_are_asked_for(world: World) -> None:
    season(world)
    assert backfilled(world, BackfillProgress(ended_since=date(2025, 1, 1))).past == 0
    assert "bkg_9" in known(world)["bookings"]


def test_a_backfill_after_a_backfill_takes_nothing(world: World) -> None:
    season(world)
    backfilled(world)
    before = Counter(world.kinds())
    assert backfilled(world).taken == 0
    assert Counter(world.kinds()) == before


def standing(world: World, booking_id: str) -> dict[str, Any]:
    """The booking as the platform has it now."""
    assert world.account.client is not None
    found = world.account.client.booking(booking_id)
    assert found is not None
    return found


def change_price(world: World, booking_id: str, *amounts: int) -> None:
    """Discounts that came and went, one revision each."""
    for number, amount in enumerate(amounts):
        given = {"kind": "amount", "value": {"amount": amount, "currency": "EUR"}}
        world.do("apply-discount", booking_id=booking_id, id=f"dsc_{number}", **given)
        world.do("revoke-discount", booking_id=booking_id, discount_id=f"dsc_{number}")


def test_of_a_booking_only_the_newest_snapshot_is_told_and_all_of_its_money(world: World) -> None:
    world.sell(mandate=True)
    world.do("capture-payment", booking_id="bkg_500", instalment_id="ins_501")
    change_price(world, "bkg_500", 4500, 9900)
    ended = backfilled(world)
    told = [event for event in world.store.inbox.list() if event.kind.startswith("booking.")]
    newest = int(standing(world, "bkg_500")["revision"])
    assert newest >= 5
    assert [(event.kind, event.revision) for event in told] == [("booking.discount_applied", newest)]
    assert ended.superseded == newest - 1
    assert known(world)["captured"] == WHOLE["captured"]
    assert backfilled(world).taken == 0


def test_a_cancellation_that_stands_is_told_although_the_booking_changed_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    season(world)
    now = standing(world, "bkg_501")
    # The platform changed a word of the cancelled booking, which the log has lost.
    later = {**now, "revision": int(now["revision"]) + 1}
    real = type(world.account.client).booking
    monkeypatch.setattr(
        type(world.account.client), "booking", lambda self, own: later if own == "bkg_501" else real(self, own)
    )
    backfilled(world)
    assert known(world)["cancellations"] == 1
    assert "booking.cancelled" in world.kinds()


def test_the_backfill_waits_while_the_system_is_busy_with_what_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    season(world)
    monkeypatch.setattr(backfill, "MOST_WAITING", 1)
    with pytest.raises(ApplicationError, match="2 bookings wait for giav already") as busy:
        backfilled(world)
    assert (busy.value.type, busy.value.non_retryable) == ("Transient", False)
    reserva = EffectKey(AGENCY, "giav", "reserva", "bkg_500", "create")
    world.store.effects.intend(reserva, booking_id="bkg_500", request=None)
    told = BackfillProgress.model_validate(world.store.integrations.known(AGENCY, "giav").backfill)
    assert backfilled(world, told).phase == "done"
    assert known(world) == WHOLE


def test_an_interrupted_page_is_read_again_and_doubles_nothing(world: World) -> None:
    season(world)
    cell = PlatformBackfill(world.store, {AGENCY: world.account})
    first = cell.page(step(BackfillProgress(ended_since=TODAY)))
    cell.page(step(first))  # its worker dies before anybody hears of it
    stored = world.store.integrations.known(AGENCY, "giav").backfill
    assert stored["cursor"] > first.cursor
    backfilled(world, first)
    assert known(world) == WHOLE
    assert max(Counter(event.event_id for event in world.store.inbox.list()).values()) == 1


@pytest.mark.parametrize("kind", ["drop-before", "page-503", "error-before"])
def test_a_platform_that_breaks_off_is_read_on_from_the_same_place(world: World, kind: str) -> None:
    season(world)
    world.fault("events.list", kind, skip=1)
    cell = PlatformBackfill(world.store, {AGENCY: world.account})
    first = cell.page(step(BackfillProgress(ended_since=TODAY)))
    with pytest.raises(ApplicationError) as broken:
        cell.page(step(first))
    assert not broken.value.non_retryable
    backfilled(world, first)
    assert known(world) == WHOLE


def test_deliveries_before_and_after_are_the_same_events(world: World) -> None:
    season(world)
    backfilled(world)
    before = Counter(world.kinds())
    events = [one.event_id for one in world.store.inbox.list(EventFilter(agency=AGENCY))]
    world.deliver()  # the platform sends everything once more, and now the past too
    after = [one.event_id for one in world.store.inbox.list(EventFilter(agency=AGENCY))]
    assert after[: len(events)] == events
    assert all(Counter(world.kinds())[kind] >= number for kind, number in before.items())
    assert world.store.parked.list() == []


def test_what_is_left_out_opens_no_gap_that_reading_back_would_fill(world: World) -> None:
    season(world)
    backfilled(world)
    assert world.store.inbox.gaps(AGENCY) == []
    assert world.store.inbox.first_sequence(AGENCY) is None


def test_a_platform_without_a_log_tells_bookings_and_money_by_its_lists(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    season(world)
    monkeypatch.setattr(type(world.stand_in.platform.storage), "events_after", lambda *_: [])
    backfilled(world)
    found = known(world)
    assert (found["captured"], found["refunded"]) == (WHOLE["captured"], WHOLE["refunded"])
    assert set(found["bookings"]) == {"bkg_500", "bkg_501"}
    assert world.store.facts.experience(AGENCY, "exp_31") is not None
    assert backfilled(world).taken == 0
    assert world.store.parked.list() == []


def test_plans_come_after_all_money(world: World) -> None:
    season(world)
    backfilled(world)
    kinds = world.kinds()
    plans = [at for at, kind in enumerate(kinds) if kind.startswith("payment_plan.")]
    assert plans
    assert min(plans) > max(at for at, kind in enumerate(kinds) if kind.startswith("payment."))


def test_an_agency_whose_platform_has_no_address_needs_a_person(world: World) -> None:
    lonely = PlatformAccount.open(PlatformSettings(source=world.settings.source), "test")
    cell = PlatformBackfill(world.store, {AGENCY: lonely})
    with pytest.raises(ApplicationError, match="no address") as refused:
        cell.page(step(BackfillProgress(ended_since=TODAY)))
    assert refused.value.type == "Refused"
