"""CheckFiles goes page by page to the end, and an experience that a person gives up is taken back (contracts: giav 4)."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from domain import naming
from domain.check_steps import CheckOrder, FilesCheck, FilesChecked
from domain.errors import Refused
from domain.steps import DecisionTaken
from domain.superseding import ExperienceState
from tests.workflows.office import Office, told, working


async def checked(client: Client, order: CheckOrder, own: str) -> FilesChecked:
    done: FilesChecked = await client.execute_workflow(
        "CheckFiles", order, id=own, task_queue=naming.Queue.WORKFLOWS, result_type=FilesChecked
    )
    return done


@pytest.mark.covers("giav 4: nightly check")
async def test_every_page_of_files_is_checked_after_late_invoices(dev_server: Client, office: Office) -> None:
    pages = {
        "": FilesChecked(after="exp_20", compared=20, differing=1),
        "exp_20": FilesChecked(compared=3, left_out=1),
    }
    office.answers["giav.check_files"] = lambda step: pages[FilesCheck.model_validate(step).after]
    async with working(dev_server, office):
        done = await checked(dev_server, CheckOrder(agency="demo"), "check/demo/files")
        assert done == FilesChecked(compared=23, left_out=1, differing=1)
        assert office.names == ["giav.check_invoices", "giav.check_files", "giav.check_files"]
        await checked(dev_server, CheckOrder(agency="demo", what="invoices"), "check/demo/invoices")
    assert office.count("giav.check_files") == 2


@pytest.mark.covers("giav 4: experience created, taken back")
async def test_an_experience_that_is_given_up_before_it_was_opened_is_taken_back(
    dev_server: Client, office: Office
) -> None:
    office.fails["giav.open_experience"] = [Refused("No se tiene acceso al registro", system="giav")]
    own = "experience/demo/exp_gone"
    async with working(dev_server, office):
        handle = await dev_server.start_workflow(
            "Experience",
            ExperienceState(agency="demo", experience_id="exp_gone"),
            id=own,
            task_queue=naming.Queue.WORKFLOWS,
            start_signal="deliver",
            start_signal_args=[told("experience.created", "exp_gone", booking_id=None, experience_id="exp_gone")],
        )
        while not office.parked:  # noqa: ASYNC110 the workers make it true
            await asyncio.sleep(0.02)
        taken = DecisionTaken(
            item_id=office.parked[0].item_id, decision="abandon", by="Ana", explanation="the trip never was"
        )
        await handle.execute_update("decide", taken)
        await handle.result()
    assert office.count("giav.undo_open_experience") == 1
