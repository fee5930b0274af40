"""What the contract's example booking asks of the platform (platform-events 5.7)."""

from __future__ import annotations

from typing import Any

from sandbox.platform.model import Platform

Doc = dict[str, Any]


def eur(amount: int) -> Doc:
    return {"amount": amount, "currency": "EUR"}


EXPERIENCE: Doc = {
    "id": "exp_31",
    "title": "Fin de curso Mallorca",
    "sales_mode": "seat_b2c",
    "starts_on": "2027-06-20",
    "ends_on": "2027-06-23",
    "services": [
        {
            "id": "svc_hotel",
            "kind": "hotel",
            "description": "Hotel 3 noches, doble",
            "supplier": {"id": "sup_rh", "name": "RateHawk"},
            "unit": "traveller",
            "price": eur(41250),
            "cost_estimated": eur(33000),
            "optional": False,
            "area": "ES",
        },
        {
            "id": "svc_bus",
            "kind": "transport",
            "description": "Autobus ida y vuelta",
            "supplier": {"id": "sup_bus", "name": "Autocares Ejemplo"},
            "unit": "traveller",
            "price": eur(9000),
            "cost_estimated": eur(6500),
            "optional": True,
            "area": "ES",
        },
    ],
    "cancellation_policy": {
        "basis": "total",
        "tiers": [
            {"from_days_before_start": 60, "penalty": {"amount": eur(3000)}},
            {"from_days_before_start": 15, "penalty": {"percent": "35.00"}},
            {"from_days_before_start": 0, "penalty": {"percent": "100.00"}},
        ],
    },
    "payment_plan_template": [
        {"seq": 1, "due": {"days_before_start": 200}, "kind": "fixed", "amount": eur(30000)},
        {"seq": 2, "due": {"days_before_start": 90}, "kind": "percentage", "percent": "40.00"},
        {"seq": 3, "due": {"days_before_start": 30}, "kind": "balance"},
    ],
}

BOOKING: Doc = {
    "id": "bkg_500",
    "experience_id": "exp_31",
    "payer": {
        "id": "cus_77",
        "kind": "person",
        "name": "Ana Prueba Ejemplo",
        "tax_id": {"type": "NIF", "value": "00000000T", "country": "ES"},
        "address": {"line1": "Calle Mayor 1", "postcode": "28013", "city": "Madrid", "country": "ES"},
    },
    "travellers": [
        {"first_name": "Ana", "last_name": "Prueba Ejemplo", "is_payer": True},
        {"first_name": "Luis", "last_name": "Prueba Otro"},
    ],
    "lines": [{"service_id": "svc_hotel"}, {"service_id": "svc_bus"}],
}

DISCOUNT: Doc = {"booking_id": "bkg_500", "kind": "amount", "value": eur(5000), "code": "ANTICIPADO"}


def sold(platform: Platform, **booking: Any) -> Platform:
    """A platform that has the experience and the booking."""
    platform.do("create-experience", EXPERIENCE)
    platform.do("create-booking", {**BOOKING, **booking})
    return platform
