"""The mid-offices of the conformance suite: one file each, one entry here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.activities.midoffice.systems.midoco import midoco
from tests.activities.midoffice.systems.sapeig import sapeig
from tests.activities.midoffice.systems.tina import tina
from tests.activities.midoffice.systems.xmid import xmid
from tests.activities.midoffice.systems.ziel import ziel
from tests.activities.midoffice.under_test import UnderTest

SYSTEMS: dict[str, Callable[[], AbstractContextManager[UnderTest]]] = {
    "midoco": midoco,
    "sapeig": sapeig,
    "tina": tina,
    "xmid": xmid,
    "ziel": ziel,
}
