"""Which adapter serves which agency: one entry in `SYSTEMS` per system (contracts: midoffice 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from activities.midoffice.adapter import MidOfficeAdapter
from activities.midoffice.booking import ProductKind
from activities.midoffice.door import Door
from activities.midoffice.midoco.adapter import MidocoAdapter
from activities.midoffice.midoco.settings import MidocoSettings
from activities.midoffice.sapeig.adapter import open_sapeig
from activities.midoffice.sapeig.settings import SapeigSettings
from activities.midoffice.settings import MidOfficeSettings
from activities.midoffice.tina.adapter import open_tina
from activities.midoffice.tina.settings import TinaSettings
from activities.midoffice.xmid.adapter import XmidAdapter
from activities.midoffice.xmid.settings import XmidSettings
from activities.midoffice.ziel.adapter import ZielAdapter
from activities.midoffice.ziel.settings import ZielSettings

HOTEL: frozenset[ProductKind] = frozenset({"hotel"})


@dataclass(frozen=True, slots=True)
class System:
    """A mid-office product: what an agency configures for it, how its adapter is opened, and the product kinds that its
    codec has a branch for. What an agency lets through is a choice among these (`capabilities`).
    """

    settings: type[MidOfficeSettings]
    open: Callable[[Any, httpx.BaseTransport | None], MidOfficeAdapter]
    speaks_of: frozenset[ProductKind] = HOTEL


SYSTEMS: dict[str, System] = {
    "midoco": System(MidocoSettings, MidocoAdapter),
    "sapeig": System(SapeigSettings, open_sapeig),
    "tina": System(TinaSettings, open_tina),
    "xmid": System(XmidSettings, XmidAdapter),
    "ziel": System(ZielSettings, ZielAdapter),
}
"""The mid-offices by the `kind` of the settings."""


class _Chosen(BaseModel):
    kind: str = "midoco"


@dataclass(frozen=True, slots=True)
class MidOfficeAccount:
    """The mid-office of one agency."""

    settings: MidOfficeSettings
    adapter: Door

    @classmethod
    def open(cls, section: Mapping[str, Any], transport: httpx.BaseTransport | None = None) -> MidOfficeAccount:
        """From the raw settings section of an agency; raises pydantic's `ValidationError`. Nothing is called yet."""
        kind = _Chosen.model_validate(section).kind
        system = SYSTEMS.get(kind)
        if system is None:
            raise _unfit("kind", f"{kind} is none of {', '.join(sorted(SYSTEMS))}")
        settings = system.settings.model_validate({**section, "kind": kind})
        mute = sorted(settings.capabilities - system.speaks_of)
        if mute:
            raise _unfit("capabilities", f"the adapter of {kind} has no words for {', '.join(mute)}")
        return cls(settings, Door(system.open(settings, transport), settings))


def _unfit(place: str, text: str) -> ValidationError:
    problem = PydanticCustomError("midoffice", "{text}", {"text": text})
    return ValidationError.from_exception_data("midoffice", [InitErrorDetails(type=problem, loc=(place,), input=None)])
