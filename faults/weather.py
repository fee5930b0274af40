"""What goes wrong in a chaotic season, all of it drawn from one seed before anything runs."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sandbox.faults import Kind

OPERATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "giav",
        (
            *("Expediente_POST", "Cliente_SEARCH", "Cliente_POST", "Pasajero_POST", "PasajeroExpediente_POST"),
            *(
                "Reserva_Normal_POST",
                "Reserva_Anidamiento_PUT",
                "Reserva_Normal_PUT",
                "PasajeroReserva_POST",
                "Reservas_SEARCH",
            ),
            *("Cobro_SEARCH", "Cobro_POST", "Factura_Servicios_POST", "Factura_GET", "DueDate_SEARCH"),
            *("RelationDueDatePayment_POST", "Factura_REIMBURSEMENT", "Reserva_DELETE", "Factura_RECTIFICATION"),
        ),
    ),
    ("midoco", ("announceBookingMessage", "announceExternalPayment", "searchBookingId", "*")),
)
KINDS = tuple(kind for kind in Kind if kind not in (Kind.CROSSED,))
"""Another call's answer may leave a record that only a person finds; the enumeration judges it by itself."""
Way = Literal["as it comes", "twice", "late", "after the next"]
AFTER: dict[str, tuple[str, ...]] = {
    "unpaid": (
        *("travellers", "discount", "added", "removed", "pay", "pay", "pay by transfer", "pay by bizum", "cancel"),
    ),
    "paid": ("travellers", "discount", "added", "removed", "pay", "refund", "dispute", "cancel", "cancel"),
    "cancelled": ("refund", "refund", "travellers"),
}
"""What may become of a booking; the platform itself refuses a few of these, and then they do not happen."""


@dataclass(frozen=True)
class Strike:
    """A switch of a stand-in."""

    system: str
    operation: str
    kind: str
    skip: int
    times: int
    seconds: float

    @property
    def wish(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "system"}


@dataclass(frozen=True)
class Weather:
    """One season. `lives` are the verbs of each booking, `ways` how events travel (again from the start when they run out),
    `deaths` and `full_disk` points of the agency's cells by number."""

    seed: int
    lives: tuple[tuple[str, ...], ...]
    strikes: tuple[Strike, ...]
    ways: tuple[Way, ...]
    deaths: tuple[int, ...]
    full_disk: tuple[int, int]
    skew: float
    hurry: bool
    """Verbs follow each other without waiting."""


def drawn(seed: int) -> Weather:
    """The same weather for the same seed, whatever happens."""
    dice = random.Random(seed)
    lives = tuple(_life(dice) for _ in range(dice.randint(1, 3)))
    # In pairs: two things that break near each other find what one alone does not.
    strikes = tuple(_strike(dice) for _ in range(2 * dice.randint(1, 4)))
    ways: list[Way] = dice.choices(("as it comes", "twice", "late", "after the next"), (60, 15, 15, 10), k=40)
    begin = dice.randint(5, 120) if dice.random() < 0.4 else 0
    return Weather(
        seed=seed,
        lives=lives,
        strikes=strikes,
        ways=tuple(ways),
        deaths=tuple(sorted(dice.sample(range(3, 160), dice.randint(0, 4)))),
        full_disk=(begin, begin + dice.randint(3, 12)) if begin else (0, 0),
        skew=dice.choice((0.0, 0.0, 290.0, -290.0)),
        hurry=dice.random() < 0.5,
    )


def _life(dice: random.Random) -> tuple[str, ...]:
    verbs, state = [], "unpaid"
    for _ in range(dice.randint(2, 5)):
        verbs.append(dice.choice(AFTER[state]))
        if verbs[-1] == "cancel":
            state = "cancelled"
        elif verbs[-1].startswith("pay"):
            state = "paid"
    return tuple(verbs)


def _strike(dice: random.Random) -> Strike:
    system, operations = dice.choices(OPERATIONS, (8, 2))[0]
    kind = dice.choice(KINDS)
    seconds = {Kind.SLOW: 1.5, Kind.HANG: 3.6, Kind.LATE: dice.choice((0.2, 0.6, 1.2)), Kind.THROTTLE: 1.0}.get(
        kind, 0.0
    )
    times = 1 if kind is Kind.HANG else dice.randint(1, 3)
    if dice.random() < 0.5:
        return Strike(system, "*", kind.value, dice.randint(0, 25), times, seconds)
    return Strike(system, dice.choice(operations), kind.value, dice.choice((0, 0, 0, 1, 2)), times, seconds)
