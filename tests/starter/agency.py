"""An agency, its secrets and its platform's events, for the tests of the ways in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starter.gateway.signatures import sign
from store.installation import Installation

SOURCE = "https://platform.example/planners/pl_7Q2"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OLD_SECRET = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
OTHER_SOURCE = "https://platform.example/planners/pl_8R3"
OTHER_SECRET = "whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
DEMO = f"""
[agencies.demo]
name = "Viajes Ejemplo"
[agencies.demo.platform]
source = "{SOURCE}"
webhook_secrets = [{{ value = "{SECRET}" }}]
"""
"""The agency in a settings file."""
NOW = 1795170905
"""The clock of the signature test vector (platform-events 3.2)."""


def installation(folder: Path, **more: Any) -> Installation:
    """Two agencies; the first one is rotating its secret."""
    return Installation.model_validate(
        {
            "data": folder,
            "store": {"master_key": MASTER_KEY},
            "agencies": {
                "demo": {
                    "name": "Viajes Ejemplo",
                    "platform": {
                        "source": SOURCE,
                        "webhook_secrets": [{"value": SECRET}, {"value": OLD_SECRET, "state": "retiring"}],
                    },
                },
                "other": {
                    "name": "Otra",
                    "platform": {"source": OTHER_SOURCE, "webhook_secrets": [{"value": OTHER_SECRET}]},
                },
            },
            **more,
        }
    )


def eur(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def event(kind: str, aggregate: tuple[str, str, int], data: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """An envelope around `data`; `number` makes id and sequence."""
    entity, ident, revision = aggregate
    return {
        "specversion": "1.0",
        "id": f"evt_01JD{number:022d}",
        "source": SOURCE,
        "type": f"example.planner.{kind}.v1",
        "subject": f"{entity}/{ident}",
        "time": "2026-11-20T10:05:00Z",
        "datacontenttype": "application/json",
        "partitionkey": "bkg_500",
        "sequence": f"{number:020d}",
        "data": {
            "schema_version": 1,
            "environment": "test",
            "planner_id": "pl_7Q2",
            "aggregate": {"type": entity, "id": ident, "revision": revision},
            "actor": {"type": "platform"},
            "reason": None,
            **data,
        },
    }


def payment_captured(number: int = 1, payment: str = "pay_1001", amount: int = 30_000) -> dict[str, Any]:
    """A captured payment of booking bkg_500 (platform-events 5.7)."""
    fact = {
        "id": payment,
        "booking_id": "bkg_500",
        "experience_id": "exp_31",
        "payer_id": "cus_77",
        "amount": eur(amount),
        "method": "card",
        "processor": {"name": "stripe", "payment_ref": f"pi_{payment}"},
        "initiation": "cit",
        "captured_at": "2026-11-20T10:15:00Z",
        "confirmation": "processor",
    }
    return event("payment.captured", ("payment", payment, 1), {"payment": fact}, number)


def booking_created(number: int = 2, total_of_line: int = 82_500) -> dict[str, Any]:
    """A booking of one line; another `total_of_line` than 825.00 does not add up."""
    payer = {"id": "cus_77", "kind": "person", "name": "Ana Prueba Ejemplo", "fiscal_complete": False}
    line = {
        "id": "lin_01",
        "status": "active",
        "service_id": "svc_hotel",
        "description": "Hotel 3 noches, doble",
        "quantity": 2,
        "unit_price": eur(41_250),
        "total": eur(total_of_line),
        "traveller_ids": ["trv_01"],
        "cost": {"supplier_id": "sup_rh", "status": "estimated", "unit": eur(33_000), "total": eur(66_000)},
    }
    totals = {
        "gross": 82_500, "discount": 0, "penalty": 0, "total": 82_500, "cost": 66_000, "margin": 16_500,
        "captured": 0, "refunded": 0, "disputed": 0, "due": 82_500,
    }  # fmt: skip
    booking = {
        "id": "bkg_500",
        "locator": "KX7Q2P",
        "experience_id": "exp_31",
        "status": "pending",
        "payer": payer,
        "booker": payer,
        "travellers": [{"id": "trv_01", "first_name": "Ana", "last_name": "Prueba Ejemplo", "kind": "adult"}],
        "lines": [line],
        "totals": {name: eur(amount) for name, amount in totals.items()},
        "created_at": "2026-11-20T10:05:00Z",
    }
    return event("booking.created", ("booking", "bkg_500", 1), {"booking": booking}, number)


def raw(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def signed(body: str, event_id: str, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    """The headers of a delivery."""
    return {**sign(secret, event_id, at, body), "content-type": "application/cloudevents+json; charset=utf-8"}
