"""How far an integration is: states in order, settings without secrets, a history that nobody rewrites."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from domain.errors import Refused
from store import Store
from store.integrations import integration_steps

AGENCY, SYSTEM = "demo", "giav"


def activated(store: Store) -> None:
    store.integrations.request(AGENCY, SYSTEM, by="ana")
    store.integrations.key_stored(AGENCY, SYSTEM, by="ana")
    store.integrations.checked(AGENCY, SYSTEM, {"offices": []}, by="ana", detail="")
    store.integrations.activate(AGENCY, SYSTEM, {"office_id": 3}, by="ana")


def test_an_activation_goes_through_its_states_and_writes_each_down(store: Store) -> None:
    activated(store)
    found = store.integrations.known(AGENCY, SYSTEM)
    assert (found.state, found.settings, found.catalogue) == ("active", {"office_id": 3}, {"offices": []})
    steps = store.integrations.history(AGENCY, SYSTEM)
    assert [step.step for step in steps] == ["requested", "key stored", "checked", "active"]
    assert {step.by for step in steps} == {"ana"}


def test_requesting_again_changes_nothing(store: Store) -> None:
    activated(store)
    assert store.integrations.request(AGENCY, SYSTEM, by="luis").state == "active"
    assert len(store.integrations.history(AGENCY, SYSTEM)) == 4


def test_a_new_key_of_an_active_integration_keeps_it_active_and_is_news(store: Store) -> None:
    activated(store)
    before = store.integrations.known(AGENCY, SYSTEM)
    after = store.integrations.key_stored(AGENCY, SYSTEM, by="ana")
    assert (after.state, after.since) == ("active", before.since)
    assert after.version > before.version


def test_a_new_key_before_the_activation_asks_for_a_new_check(store: Store) -> None:
    store.integrations.request(AGENCY, SYSTEM, by="ana")
    store.integrations.checked(AGENCY, SYSTEM, {}, by="ana", detail="")
    assert store.integrations.key_stored(AGENCY, SYSTEM, by="ana").state == "key_stored"


def test_activating_again_with_the_same_settings_is_no_news(store: Store) -> None:
    activated(store)
    before = store.integrations.known(AGENCY, SYSTEM)
    assert store.integrations.activate(AGENCY, SYSTEM, {"office_id": 3}, by="luis") == before


def test_only_what_was_active_can_be_suspended(store: Store) -> None:
    store.integrations.request(AGENCY, SYSTEM, by="ana")
    with pytest.raises(Refused, match="not active"):
        store.integrations.suspend(AGENCY, SYSTEM, by="ana", why="")
    store.integrations.activate(AGENCY, SYSTEM, {}, by="ana")
    assert store.integrations.suspend(AGENCY, SYSTEM, by="ana", why="leaving").state == "suspended"
    assert store.integrations.history(AGENCY, SYSTEM)[-1].detail == "leaving"


def test_what_nobody_requested_cannot_be_changed(store: Store) -> None:
    with pytest.raises(Refused, match="never requested"):
        store.integrations.set(AGENCY, SYSTEM, {}, by="ana", detail="")
    assert store.integrations.list() == []


def test_progress_is_kept_without_a_line_for_each_page(store: Store) -> None:
    activated(store)
    store.integrations.backfilled(AGENCY, SYSTEM, {"seen": 200})
    store.integrations.backfilled(AGENCY, SYSTEM, {"seen": 310}, step="backfilled")
    assert store.integrations.known(AGENCY, SYSTEM).backfill == {"seen": 310}
    assert [step.step for step in store.integrations.history(AGENCY, SYSTEM)][4:] == ["backfilled"]


@pytest.mark.parametrize("change", [update(integration_steps).values(detail="x"), delete(integration_steps)])
def test_the_history_is_append_only(store: Store, change: object) -> None:
    activated(store)
    with pytest.raises(DatabaseError, match="append-only"), store.database.begin() as connection:
        connection.execute(change)  # type: ignore[call-overload]
