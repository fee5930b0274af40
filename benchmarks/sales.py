"""Bookings to be processed: the events of the sandbox's platform, made before the clock runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.platform.model import Platform
from sandbox.season.catalogue import granada
from sandbox.season.people import Person, companion

FIRST_NAMES = ("Lucía", "Javier", "Elena", "Antonio", "Nuria", "Pablo", "Marta", "Sergio", "Isabel", "Miguel")
LAST_NAMES = ("Robles", "Ibáñez", "Pons", "Salcedo", "Campos", "Zurita", "Cuesta", "Duarte", "Molina", "Serra")


@dataclass(frozen=True, slots=True)
class Sale:
    """The events of one booking's life, as they come over the wire."""

    booking_id: str
    created: bytes
    captured: bytes
    cancelled: bytes


@dataclass(frozen=True, slots=True)
class Trip:
    """One experience and everything sold of it."""

    experience_id: str
    opened: bytes
    sales: tuple[Sale, ...]


class Market:
    """A platform on which trips are sold seat by seat. `services` says what of the trip each booking contains.

    A booking is of two travellers, paid in full by card and then cancelled by the customer, which costs a penalty.
    """

    def __init__(self, services: Sequence[str]) -> None:
        self._platform = Platform()
        self._services = services
        self._trips = 0
        self._sold = 0
        self._read = 0

    def trip(self, bookings: int) -> Trip:
        """A trip with so many bookings, made and cancelled again."""
        self._trips += 1
        experience_id = f"exp_9{self._trips:03d}"
        plan = granada(datetime.now(UTC).date()) | {"id": experience_id, "max_travellers": 2 * bookings}
        self._platform.do("create-experience", plan)
        sold = [self._sell(experience_id) for _ in range(bookings)]
        events = self._events()
        return Trip(
            experience_id,
            events[experience_id, "experience.created"],
            tuple(
                Sale(
                    booking_id,
                    events[booking_id, "booking.created"],
                    events[booking_id, "payment.captured"],
                    events[booking_id, "booking.cancelled"],
                )
                for booking_id in sold
            ),
        )

    def _sell(self, experience_id: str) -> str:
        self._sold += 1
        number = 1000 + self._sold
        booking_id = f"bkg_9{number}"
        first, last = FIRST_NAMES[number % 10], f"{LAST_NAMES[number // 10 % 10]} {LAST_NAMES[number % 7]}"
        payer = Person(number, first, last, "Calle Mayor 14", "28013", "Madrid", "Madrid")
        self._platform.do(
            "create-booking",
            {
                "id": booking_id,
                "locator": f"B{number:05d}",
                "experience_id": experience_id,
                "payer": payer.party,
                "travellers": [payer.traveller, companion("Diego", last)],
                "lines": [{"service_id": service} for service in self._services],
            },
        )
        self._platform.do("capture-payment", {"booking_id": booking_id})
        self._platform.do("cancel-booking", {"booking_id": booking_id, "cause": "customer_choice"})
        return booking_id

    def _events(self) -> dict[tuple[str, str], bytes]:
        """What the platform said since the last call, by partition and kind."""
        found = {}
        while page := self._platform.storage.events_after(self._read, 500):
            for body in page:
                event = json.loads(body)
                self._read = int(event["sequence"])
                kind = event["type"].removeprefix(f"{self._platform.account.prefix}.").removesuffix(".v1")
                found[event["partitionkey"], kind] = body
        return found
