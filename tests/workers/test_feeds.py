"""Suppliers' feeds follow from the settings, however often the workers start."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import Client

from domain import naming
from domain.supplier_steps import FeedState
from store.installation import Installation
from tests.starter.agency import installation
from tests.workflows.office import Office, working
from workers.feeds import feeds_of, start_feeds

SECTION = {"url": "http://127.0.0.1:9", "key_id": 1, "api_key": "key"}


def having(folder: Path, **section: object) -> Installation:
    given = installation(folder)
    agency = given.agencies["demo"].model_copy(update={"ratehawk": SECTION | section})
    return given.model_copy(update={"agencies": {**given.agencies, "demo": agency}})


def test_only_agencies_with_the_supplier_have_a_feed_and_without_a_webhook_it_sweeps_often(tmp_path: Path) -> None:
    assert feeds_of(installation(tmp_path)) == []
    minutes = [feeds_of(having(tmp_path, webhook=webhook))[0].poll_minutes for webhook in (True, False)]
    assert minutes == [15, 2]


async def test_a_second_start_tells_the_running_feed_its_new_clock(tmp_path: Path, dev_server: Client) -> None:
    async with working(dev_server, Office()):
        await start_feeds(dev_server, having(tmp_path))
        handle = dev_server.get_workflow_handle(naming.supplier_feed("demo", "ratehawk"))
        first = (await handle.describe()).run_id
        await start_feeds(dev_server, having(tmp_path, poll_minutes=7))
        state = await handle.query("view", result_type=FeedState)
        assert ((await handle.describe()).run_id, state.poll_minutes) == (first, 7)
        await handle.terminate()
