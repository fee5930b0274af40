"""The open books that every operation works on: records, clock, manners and the checks that many operations share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from sandbox.giav.records import CUSTOM, Record, Records
from sandbox.giav.refusals import CLOSED, NO_ACCESS, Refusal, missing

Call = Mapping[str, Any]
Operation = Callable[["Books", Call], Any]

EmptyLists = Literal["rotate", "absent", "wrapper", "empty-item"]

INDEXED: dict[str, tuple[str, ...]] = {
    "Oficina": (),
    "FormaPago": (),
    "EntityStage": (),
    "CustomData": (),
    "Proveedor": (CUSTOM,),
    "Cliente": (CUSTOM, "documento"),
    "Expediente": (CUSTOM, "IdCliente"),
    "Reserva": (CUSTOM, "IdExpediente", "Anidacion_IdReservaContenedora", "CodSolicitud"),
    "Pasajero": (CUSTOM, "Documento"),
    "PasajeroExpediente": ("IdPasajero", "IdExpediente"),
    "PasajeroReserva": ("IdPasajero", "IdReserva"),
    "Cobro": (CUSTOM, "IdExpediente", "IdCliente", "Documento", "IdRelacionPasajeroReserva"),
    "Factura": (CUSTOM, "IdExpediente", "IdFacturaAsociada", "reservas"),
    "FacturaLinea": ("IdFactura", "IdReserva"),
    "DueDate": ("IdFactura",),
    "RelationDueDatePayment": ("IdDueDate", "IdCobro"),
    "Serie": ("prefix",),
    "Message": ("target",),
    "Activity": ("target",),
}
"""Every entity with the fields that searches jump to."""


@dataclass
class Manners:
    """How this installation behaves where the contract says that installations differ (contracts: giav 1.5)."""

    empty_lists: EmptyLists = "rotate"
    """An empty search answers nothing, an empty wrapper, or one item without a positive id; `rotate` takes turns."""
    economics_lag: float = 0.0
    """Seconds during which `InfoEconomica` does not count a new collection or invoice yet."""
    leaky_cobros: bool = True
    """`Cobro_SEARCH` by expediente also returns the same clients' collections of other files."""
    full_invoice_needs_document: bool = True
    """An invoice that is not simplified is refused to a client without tax document."""

    new_field: str = ""
    """A mandatory element that an update has put into the description of `Cobro_POST`; empty: no update."""

    def change(self, wish: Mapping[str, Any]) -> None:
        """Take over the members of `wish`; raises ValueError on an unknown member or value."""
        known = {each.name for each in fields(self)}
        if set(wish) - known:
            raise ValueError(f"unknown members: {', '.join(sorted(set(wish) - known))}")
        if wish.get("empty_lists", self.empty_lists) not in get_args(EmptyLists):
            raise ValueError(f"empty_lists is one of {', '.join(get_args(EmptyLists))}")
        for name, value in wish.items():
            kind = type(getattr(self, name))
            if kind is bool and not isinstance(value, bool):
                raise ValueError(f"{name} is true or false")
            setattr(self, name, kind(value))


def madrid_now() -> datetime:
    """GIAV's clock: local time of Madrid, written without a zone."""
    return datetime.now(ZoneInfo("Europe/Madrid")).replace(tzinfo=None)


@dataclass
class Books:
    """What an operation may use. `clock` gives GIAV's local time without a zone."""

    records: Records
    manners: Manners
    clock: Callable[[], datetime] = madrid_now

    def now(self) -> str:
        return self.clock().isoformat(timespec="seconds")

    def instant(self, shift: timedelta = timedelta(0)) -> str:
        """The precise moment now, or `shift` away from it."""
        return (self.clock() + shift).isoformat(timespec="microseconds")

    def today(self) -> str:
        return self.clock().date().isoformat()

    def demand(self, entity: str, id_: int) -> Record:
        """The record, or the refusal that it does not exist."""
        found = self.records.get(entity, id_)
        if found is None:
            raise missing(entity, id_)
        return found

    def optional(self, entity: str, id_: int | None) -> Record | None:
        """The record that an optional id names; refuses an id that names nothing."""
        return None if id_ is None else self.demand(entity, id_)

    def open_file(self, id_: int | None) -> Record | None:
        """The expediente for writing; refuses a closed or missing one. None stays None."""
        found = self.optional("Expediente", id_)
        if found is not None and found.get("Cerrado"):
            raise Refusal(CLOSED)
        return found

    def office(self, id_: int | None) -> Record:
        """The office for writing; the key has rights in seeded offices only."""
        found = self.records.get("Oficina", id_)
        if found is None:
            raise Refusal(NO_ACCESS)
        return found

    def is_closed(self, file_id: int | None) -> bool:
        found = self.records.get("Expediente", file_id)
        return bool(found and found.get("Cerrado"))

    def check_references(self, target: str, call: Call) -> None:
        """Refuse a stage or a custom field that does not exist for records of class `target`."""
        if (stage := call.get("idEntityStage")) is not None and self.demand("EntityStage", stage)[
            "ClassName"
        ] != target:
            raise missing(f"EntityStage de {target}", stage)
        for item in call.get("customDataValues") or ():
            known = self.demand("CustomData", item["Key"])
            if known.get("targetClass") not in (None, target):
                raise missing(f"CustomData de {target}", item["Key"])


def euros(value: float) -> float:
    """An amount in euro, to the cent, never minus zero."""
    return round(value, 2) + 0.0


def as_date(text: str, parameter: str) -> str:
    """A `yyyy-MM-dd` parameter, checked; anything else is refused as GIAV's date parser would."""
    try:
        if len(text) != 10:
            raise ValueError(text)
        date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"La cadena '{text}' no se reconoció como fecha válida ({parameter})") from None
    return text


def as_moment(text: str) -> str:
    """The `dateTime` that GIAV stores for a date."""
    return f"{text}T00:00:00"
