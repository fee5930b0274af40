"""How long the forms of a file with card numbers are kept (contracts: tamara 4.7)."""

from __future__ import annotations

import datetime as dt
import logging

from store import Store
from store.tamara_contents import Print

log = logging.getLogger(__name__)

AFTER_ANSWER = dt.timedelta(days=30)
AT_MOST = dt.timedelta(days=90)


def retire(store: Store, agency: str, now: dt.datetime) -> list[Print]:
    """Destroy key and bytes of every file that AirPlus answered 30 days ago, or that is 90 days old. May be repeated.

    Files that were answered that long ago and have no open line are closed.
    """
    closed = store.tamara_answers.close_settled(agency, now - AFTER_ANSWER)
    log.info("closed %s answered files of %s", closed, agency)
    due = store.tamara_contents.due(agency, now - AFTER_ANSWER, now - AT_MOST)
    for each in due:
        store.tamara_contents.destroy(each)
        log.info("destroyed the forms of file %s of %s that hold card numbers", each, agency)
    return due
