"""Settings become running parts, and every cell of the table has exactly one implementation on its queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client

from activities.signatures import VERBS
from store.installation import Installation, SettingsError
from store.opening import open_store
from tests.starter.agency import installation
from workers.wiring import cells, open_accounts


@pytest.fixture
def opened(tmp_path: Path) -> Installation:
    return installation(tmp_path)


async def test_every_cell_is_implemented_once_with_the_types_of_the_table(
    opened: Installation, dev_server: Client
) -> None:
    store = open_store(opened)
    store.database.migrate()
    found = {
        (definition.name, queue): definition
        for queue, implementations in cells(opened, store, open_accounts(opened), dev_server).items()
        for definition in map(activity._Definition.must_from_callable, implementations)
    }
    store.close()
    assert set(found) == {(verb.name, verb.queue) for verb in VERBS.values()}
    for (name, _), definition in found.items():
        assert definition.arg_types == [VERBS[name or ""].takes]
        assert definition.ret_type is VERBS[name or ""].gives


def test_a_wrong_setting_is_named_by_its_path(opened: Installation) -> None:
    agency = opened.agencies["demo"].model_copy(update={"midoffice": {"kind": "midoco", "url": "nowhere"}})
    wrong = opened.model_copy(update={"agencies": {"demo": agency}})
    with pytest.raises(SettingsError, match=r"^agencies\.demo\.midoffice\.url: "):
        open_accounts(wrong)
