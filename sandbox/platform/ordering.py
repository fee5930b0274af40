"""What is sold of the hotel supplier is ordered there (contracts: midoffice 2.6, 3.1).

The platform orders under the id that its snapshot names. What is cancelled here stays alive there: cancelling it is the
back office's part.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from sandbox.platform.amounts import Doc
from sandbox.platform.model import Platform
from sandbox.trust import authorities

AGREED_ROOMS = 9
"""More rooms than this are no order by the API, but one that the supplier's staff made (midoffice 2.6)."""


class Ordering:
    """Keeps the orders at the supplier's stand-in as the active lines want them; without `url` there is no supplier."""

    def __init__(self, platform: Platform) -> None:
        self.url: str | None = None
        self._platform = platform
        self._told: dict[str, int] | None = None
        """What each order costs, as it was last told."""

    async def follow(self, record: Doc) -> None:
        """Order what a changed booking newly sells, and tell what an order costs by now. May be repeated."""
        if self.url is None or "external_orders" not in (record.get("snapshot") or {}):
            return
        told, records = self._told, [record]
        if told is None:
            # After a restart, and where there was no supplier before: bookings that were sold without an order.
            told, records = {}, self._platform.storage.every("booking")
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, verify=authorities()) as http:
            for one in records:
                for order in one["snapshot"]["external_orders"]:
                    await self._tell(http, one["snapshot"], order, told)
        self._told = told if self._told is None else {**self._told, **told}

    async def _tell(self, http: httpx.AsyncClient, snapshot: Doc, order: Doc, told: dict[str, int]) -> None:
        line = next(item for item in snapshot["lines"] if item["cost"]["supplier_ref"] == order["order_ref"])
        partner, cost = order["partner_order_ref"], int(line["cost"]["total"]["amount"])
        if line["status"] != "active" or told.get(partner) == cost:
            return
        if partner in told:
            (await http.post(f"/control/orders/{partner}", json={"amount": _decimal(cost)})).raise_for_status()
        else:
            answer = await http.post("/control/orders", json=self._wish(snapshot, line, partner))
            if answer.status_code != 422 or answer.json().get("error") != "duplicate_reservation":
                answer.raise_for_status()
        told[partner] = cost

    def _wish(self, snapshot: Doc, line: Doc, partner: str) -> Doc:
        experience = self._platform.experience(snapshot["experience_id"])
        rooms: dict[str, list[dict[str, Any]]] = {}
        for person in snapshot["travellers"]:
            if person["id"] in line["traveller_ids"]:
                rooms.setdefault(person.get("room_ref") or person["id"], []).append(_guest(person))
        return {
            "partner_order_id": partner,
            "hotel_id": f"hotel_{line['service_id']}",
            "checkin": experience["starts_on"],
            "checkout": experience["ends_on"],
            "amount": _decimal(int(line["cost"]["total"]["amount"])),
            "currency": line["cost"]["total"]["currency"],
            "rooms": list(rooms.values()),
            "source": "b2b-api" if len(rooms) <= AGREED_ROOMS else "b2b-handmade",
        }


def _guest(person: Doc) -> dict[str, Any]:
    return {
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "is_child": person["kind"] == "child",
    }


def _decimal(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))
