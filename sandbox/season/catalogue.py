"""The two experiences of the season: a company's convention and a long weekend sold seat by seat."""

from __future__ import annotations

from datetime import date, timedelta

from sandbox.season.people import Doc, cif

CONVENTION = "exp_71"
GRANADA = "exp_72"

HOTELS = {"id": "sup_rh", "name": "RateHawk"}
INSURER = {"id": "sup_seguro", "name": "Seguros Viajero Ibérico, S.A.", "tax_id": cif("A", 9_999_030)}


def eur(amount: int) -> Doc:
    """`amount` in cents."""
    return {"amount": amount, "currency": "EUR"}


def _service(
    service_id: str, kind: str, description: str, supplier: Doc, price: int, cost: int, *, unit: str = "traveller",
    optional: bool = False,
) -> Doc:  # fmt: skip
    return {
        "id": service_id,
        "kind": kind,
        "description": description,
        "supplier": supplier,
        "unit": unit,
        "price": eur(price),
        "cost_estimated": eur(cost),
        "optional": optional,
        "area": "ES",
    }


def _supplier(name: str, key: str) -> Doc:
    return {"id": f"sup_{key}", "name": name}


def convention(start: date) -> Doc:
    """Sold as a whole to one company, which pays on notice by transfer. Prices and costs in cents, tax included."""
    departure = start + timedelta(days=60)
    return {
        "id": CONVENTION,
        "title": "Convención anual Laboratorios Meridian en Sevilla",
        "external_ref": "MERIDIAN-CONV",
        "sales_mode": "group_b2b",
        "starts_on": departure.isoformat(),
        "ends_on": (departure + timedelta(days=3)).isoformat(),
        "min_travellers": 20,
        "max_travellers": 40,
        "min_travellers_deadline": (departure - timedelta(days=30)).isoformat(),
        "services": [
            _service("svc_71H", "hotel", "Hotel 3 noches en Sevilla, uso individual", HOTELS, 46500, 37200),
            _service("svc_71B", "transport", "Autocar Madrid-Sevilla ida y vuelta",
                     _supplier("Autocares Giralda", "giralda"), 6200, 4500),
            _service("svc_71A", "activity", "Cena y espectáculo flamenco",
                     _supplier("Tablao Triana", "triana"), 8500, 6150, optional=True),
            _service("svc_71G", "guide", "Guía oficial, día completo",
                     _supplier("Guías de Sevilla", "guias"), 64000, 48000, unit="group"),
            _service("svc_71S", "insurance", "Seguro de asistencia", INSURER, 1850, 1235),
            _service("svc_71T", "transport", "Traslado al recinto de congresos",
                     _supplier("Autocares Giralda", "giralda"), 950, 640, optional=True),
        ],
        "cancellation_policy": {
            "basis": "total",
            "tiers": [
                {"from_days_before_start": 45, "penalty": {"percent": "10.00"}},
                {"from_days_before_start": 15, "penalty": {"percent": "50.00"}},
                {"from_days_before_start": 0, "penalty": {"percent": "100.00"}},
            ],
        },
        "payment_plan_template": [
            {"seq": 1, "due": {"on": start.isoformat()}, "kind": "fixed", "amount": eur(500000)},
            {"seq": 2, "due": {"days_before_start": 40}, "kind": "percentage", "percent": "40.00"},
            {"seq": 3, "due": {"days_before_start": 15}, "kind": "balance"},
        ],
    }  # fmt: skip


def granada(start: date) -> Doc:
    """Sold seat by seat under the margin scheme. Its instalments are due by the start, so that a plan is collected at once."""
    departure = start + timedelta(days=45)
    return {
        "id": GRANADA,
        "title": "Puente en Granada: Alhambra y Sierra Nevada",
        "external_ref": "GRX-PUENTE",
        "sales_mode": "seat_b2c",
        "split_payment": True,
        "fill_deadline_days": 3,
        "starts_on": departure.isoformat(),
        "ends_on": (departure + timedelta(days=3)).isoformat(),
        "min_travellers": 15,
        "max_travellers": 50,
        "min_travellers_deadline": (departure - timedelta(days=20)).isoformat(),
        "services": [
            _service("svc_72H", "hotel", "Hotel 3 noches en Granada, doble", HOTELS, 31200, 24450),
            _service("svc_72B", "transport", "Autobús Madrid-Granada ida y vuelta",
                     _supplier("Autocares Veleta", "veleta"), 7800, 5400),
            _service("svc_72A", "activity", "Entrada y visita a la Alhambra",
                     _supplier("Visitas Nazaríes", "nazaries"), 5900, 4120, optional=True),
            _service("svc_72G", "guide", "Guía acompañante", _supplier("Guías de Granada", "guiasgrx"), 2400, 1650),
            _service("svc_72S", "insurance", "Seguro de viaje y anulación", INSURER, 2150, 1475, optional=True),
            _service("svc_72W", "activity", "Baños árabes, circuito de 90 minutos",
                     _supplier("Hammam Darro", "hammam"), 3600, 2400, optional=True),
        ],
        "cancellation_policy": {
            "basis": "total",
            "tiers": [
                {"from_days_before_start": 60, "penalty": {"amount": eur(3000)}},
                {"from_days_before_start": 20, "penalty": {"percent": "35.00"}},
                {"from_days_before_start": 0, "penalty": {"percent": "100.00"}},
            ],
        },
        "payment_plan_template": [
            {"seq": 1, "due": {"on": (start - timedelta(days=14)).isoformat()}, "kind": "fixed", "amount": eur(30000)},
            {"seq": 2, "due": {"on": (start - timedelta(days=7)).isoformat()}, "kind": "percentage", "percent": "40.00"},
            {"seq": 3, "due": {"on": start.isoformat()}, "kind": "balance"},
        ],
    }  # fmt: skip
