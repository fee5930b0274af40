"""Who acts at the terminal: a name that is taken as given until the installation knows people, then only they."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.payment_sync import Role as PaymentRole
from domain.people import Role
from starter.desk.acting import at_the_terminal
from starter.desk.refusals import NotAllowed, Unclear
from store import Store
from tests.console.conftest import _cheap_hashes
from tests.databases import migrated_url

__all__ = ["_cheap_hashes"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(migrated_url("sqlite", tmp_path))
    yield opened
    opened.close()


def test_before_there_are_people_a_name_is_taken_as_given(store: Store) -> None:
    assert at_the_terminal(store, "Ana").payment_role is PaymentRole.OPERATOR
    assert at_the_terminal(store, "Ana", supervisor=True).payment_role is PaymentRole.SUPERVISOR


def test_afterwards_only_they_act_each_with_their_own_role(store: Store) -> None:
    for name, role in (("olga", Role.OPERATOR), ("sofia", Role.SUPERVISOR), ("ada", Role.ADMINISTRATOR)):
        store.people.add(name, role, None, password="a horse and a battery", by="tests")
    assert at_the_terminal(store, "sofia").payment_role is PaymentRole.SUPERVISOR
    assert at_the_terminal(store, "olga", unknown=Role.SUPERVISOR).payment_role is PaymentRole.OPERATOR
    assert at_the_terminal(store, "olga", supervisor=True).payment_role is PaymentRole.OPERATOR
    with pytest.raises(Unclear, match="bookings user list"):
        at_the_terminal(store, "Ana", supervisor=True)
    store.people.lock("olga", by="ada", why="left the house")
    with pytest.raises(NotAllowed, match="locked"):
        at_the_terminal(store, "olga")


@pytest.mark.parametrize("name", ["", " ", "system"])
def test_somebody_has_to_be_named(store: Store, name: str) -> None:
    with pytest.raises(Unclear):
        at_the_terminal(store, name)
