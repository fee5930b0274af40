"""Every booking that concerns a mid-office, with its state on both sides (contracts: midoffice 1.3, 3.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.effects import EffectState
from store import Store
from store.effect_tables import EffectRow
from store.installation import Installation
from store.transfers import Transfer

State = Literal["refused", "in doubt", "queued", "partial", "transferred", "cancelled", "not transferred"]
STATES: tuple[State, ...] = ("refused", "in doubt", "queued", "partial", "transferred", "cancelled", "not transferred")
OPEN: dict[EffectState, State] = {
    EffectState.REFUSED: "refused",
    EffectState.UNKNOWN: "in doubt",
    EffectState.INTENDED: "in doubt",
    EffectState.QUEUED: "queued",
}


@dataclass
class TransferredBooking:
    """One booking at one mid-office: the fate of its lines, and the messages that are not settled."""

    agency: str
    booking_id: str
    system: str
    lines: list[Transfer] = field(default_factory=list)
    open: list[EffectRow] = field(default_factory=list)

    @property
    def state(self) -> State:
        """What most needs to be looked at."""
        waiting = {OPEN[row.record.state] for row in self.open}
        for state in STATES[:3]:
            if state in waiting:
                return state
        lines = {line.state for line in self.lines}
        if "transferred" in lines:
            return "partial" if "not_transferred" in lines else "transferred"
        return "queued" if "queued" in lines else "cancelled" if "cancelled" in lines else "not transferred"

    @property
    def orders(self) -> list[str]:
        return sorted({line.outside_id for line in self.lines if line.outside_id})

    @property
    def since(self) -> datetime:
        return max([*(line.updated_at for line in self.lines), *(row.updated_at for row in self.open)])

    @property
    def notes(self) -> list[str]:
        """Why something is open, and which lines stayed behind."""
        told = [row.record.reason for row in self.open if row.record.reason]
        return told + [f"{line.line_id}: {line.reason}" for line in self.lines if line.state == "not_transferred"]


def mid_offices(installation: Installation, store: Store, agency: str) -> set[str]:
    """The systems that are or were this agency's mid-office."""
    section = installation.agencies[agency].midoffice
    named = {str(section.get("kind", "midoco"))} if section is not None else set()
    return named | {one.system for one in store.integrations.list(agency) if one.system != "giav"}


def transferred(store: Store, agency: str, systems: Collection[str]) -> list[TransferredBooking]:
    """By booking, those that were touched last first."""
    found: dict[tuple[str, str], TransferredBooking] = {}

    def row(system: str, booking_id: str) -> TransferredBooking:
        return found.setdefault((system, booking_id), TransferredBooking(agency, booking_id, system))

    for line in _of(store.transfers.list(agency), systems):
        row(line.system, line.booking_id).lines.append(line)
    for effect in store.effects.open_messages(agency, systems):
        row(effect.record.key.system, effect.booking_id or "").open.append(effect)
    return sorted(found.values(), key=lambda one: one.since, reverse=True)


def _of(lines: Iterable[Transfer], systems: Collection[str]) -> list[Transfer]:
    return [line for line in lines if line.system in systems]
