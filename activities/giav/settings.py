"""What an agency configures for GIAV (contracts: giav 2.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Id = Annotated[int, Field(gt=0)]
"""An internal id of GIAV."""
Series = Literal["TravelAgentAI", "General", "Especial", "Dac"]
"""Fiscal series; Proforma is left out because every payment gets a real invoice."""
Regime = Literal["reav", "general", "mediation"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomFields(Part):
    """Keys of the text fields that hold our reference. Without one, look-ups scan the expediente instead."""

    cliente: Id | None = None
    expediente: Id | None = None
    reserva: Id | None = None
    cobro: Id | None = None
    factura: Id | None = None
    pasajero: Id | None = None


class GiavSettings(Part):
    """Address, key and catalogue ids. `connect_seconds` and `read_seconds` bound one call.

    `payment_methods` and `refund_methods` map a processor name or a payment method of the platform (the processor
    wins, `default` catches the rest) to a payment method of GIAV; a refund method must have `AdmiteReembolsos`.
    """

    url: str = "https://services.mytravelagency.app/webservices/api_2_05.asmx"
    api_key: SecretStr
    office_id: Id
    agency_supplier_id: Id
    """The supplier that stands for the agency itself on container reservations."""
    default_supplier_id: Id
    """The supplier of cost lines whose platform supplier is not in `suppliers`."""
    suppliers: dict[str, Id] = {}
    b2c_holder_client_id: Id
    """The client that holds files which no single payer owns."""
    payment_methods: Annotated[dict[str, Id], Field(min_length=1)]
    refund_methods: Annotated[dict[str, Id], Field(min_length=1)]
    series: dict[Regime, Series] = {"reav": "Especial", "general": "General", "mediation": "Dac"}
    penalty_series: Series = "General"
    margin_percent: Decimal = Decimal("20")
    """The operating margin expected of a container; GIAV refuses nested costs without one."""
    stage_open_id: Id | None = None
    stage_cancelled_id: Id | None = None
    """Stages of expedientes; those of reservas are a list of their own in GIAV."""
    reserva_stage_open_id: Id | None = None
    reserva_stage_cancelled_id: Id | None = None
    custom_fields: CustomFields = CustomFields()
    penalty: Literal["rectify_everything", "rectify_refunded_part"] = "rectify_everything"
    payment_variant: Literal["money_first", "one_call"] = "money_first"
    """Cobro, invoice and their link as three writes, or an invoice that collects by itself (giav 4)."""
    simplified_up_to: Annotated[int, Field(ge=0)] = 40_000
    """Largest simplified invoice in cents, tax included (money-rules 1.1.6)."""
    connect_seconds: Annotated[float, Field(gt=0)] = 15.0
    read_seconds: Annotated[float, Field(gt=0)] = 60.0
    calls_per_second: Annotated[float, Field(gt=0)] | None = None
    """Of one worker process; none: as many as `calls_at_once` brings about."""
    calls_at_once: Annotated[int, Field(ge=1)] = 4
    writes_at_once: Annotated[int, Field(ge=1)] = 2
    wait_for_expediente_seconds: Annotated[float, Field(gt=0)] = 1.0
    """How soon a step comes back when what it builds on is not in GIAV yet."""

    def payment_method(self, processor: str, method: str) -> int | None:
        return _first(self.payment_methods, processor, method)

    def refund_method(self, processor: str, method: str) -> int | None:
        return _first(self.refund_methods, processor, method)


def _first(methods: dict[str, Id], *names: str) -> int | None:
    return next((methods[name] for name in (*names, "default") if name in methods), None)
