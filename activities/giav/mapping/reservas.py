"""Reservations: one container per booking, one cost line per service (contracts: giav 2.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from activities.giav.mapping.values import CHANNEL, At, Request, euros, reference_field
from domain.platform import Booking, Experience, Line, ServiceKind


class CostKind(NamedTuple):
    tipo: str
    subtipo: str | None = None


COST_KINDS: dict[ServiceKind, CostKind] = {
    "hotel": CostKind("HT"),
    "transport": CostKind("BU"),
    "flight": CostKind("OT", "Otros"),
    "activity": CostKind("OT", "Excursiones"),
    "insurance": CostKind("SG"),
    "guide": CostKind("OT", "GuíasTurísticos"),
    "fee": CostKind("OT", "Otros"),
    "other": CostKind("OT", "Otros"),
}
"""Service kinds of the platform → tipoReserva; flights are OT because AV wants tickets (Reserva_Billete)."""

ZONES = {"ES": "ES_Nacional", "EU": "ES_UnionEuropea", "NON_EU": "ES_RestoMundo"}
ONLY_IN_POST = ("tipoReserva", "porcentajeComisionMinorista", "comisionMinoristaIncluyeImpuestos", "idExpediente")
CANCELLED = "CANCELADA"


def line_code(booking_id: str, line_id: str) -> str:
    """CodSolicitud of a cost line: the platform's ids, unique, and readable for a person."""
    return f"{booking_id}/{line_id}"


def has_cost_line(line: Line) -> bool:
    """A cancelled line is kept only for what the supplier charges for it."""
    return line.status == "active" or bool(line.cost.total)


def container(booking: Booking, experience: Experience, at: At) -> Request:
    """The reservation that the payer sees: the whole price, no cost, and the margin without which nothing nests in it."""
    settings = at.settings
    cancelled = booking.status == "cancelled"
    stage = settings.reserva_stage_cancelled_id if cancelled else settings.reserva_stage_open_id
    prefix = f"{CANCELLED} " if cancelled else ""
    return {
        **_shared(experience, at),
        "idProveedor": settings.agency_supplier_id,
        "tipoReserva": "PQ",
        "descripcion": f"{prefix}{experience.title} · {booking.locator}",
        "observaciones": _remarks(booking),
        "ventacomis": euros(booking.totals.total),
        "costeComis": "0.00",
        "margenOperacionPrevisto": f"{settings.margin_percent:.2f}",
        "rooming": _rooming(booking),
        "localizador": booking.locator,
        "CodSolicitud": booking.id,
        "idEntityStage": stage,
        **_pax(booking, [traveller.id for traveller in booking.travellers]),
    }


def cost_line(booking: Booking, line: Line, experience: Experience, at: At) -> Request:
    """What one service is expected to cost; sold for nothing, because the container carries the price."""
    service = next((each for each in experience.services if each.id == line.service_id), None)
    kind = COST_KINDS[service.kind if service else "other"]
    settings = at.settings
    cancelled = line.status == "cancelled"
    stage = settings.reserva_stage_cancelled_id if cancelled else settings.reserva_stage_open_id
    prefix = f"{CANCELLED} " if cancelled else ""
    return {
        **_shared(experience, at),
        "idProveedor": settings.suppliers.get(line.cost.supplier_id, settings.default_supplier_id),
        "tipoReserva": kind.tipo,
        "subtipoReserva": kind.subtipo,
        "descripcion": f"{prefix}{line.description}",
        "ventacomis": "0.00",
        "costeComis": euros(line.cost.total),
        "localizador": line.cost.supplier_ref,
        "destinationIdCountryZone": ZONES.get(service.area) if service else None,
        "CodSolicitud": line_code(booking.id, line.id),
        "idEntityStage": stage,
        **_pax(booking, line.traveller_ids),
    }


def without_cost(posted: Request) -> Request:
    """A cost line whose service is gone but which may not be deleted any more."""
    description = posted["descripcion"]
    prefix = "" if description.startswith(CANCELLED) else f"{CANCELLED} "
    return {**posted, "costeComis": "0.00", "descripcion": f"{prefix}{description}"}


def as_change(reserva_id: int, posted: Request) -> Request:
    """`Reserva_Normal_PUT` with the content of a POST, whose rest GIAV fixes at creation, or of an earlier PUT."""
    if "idReserva" in posted:
        return posted
    content = {name: value for name, value in posted.items() if name not in (*ONLY_IN_POST, "idsPasajeros")}
    return {
        "idReserva": reserva_id,
        **content,
        "comisionClienteIncluyeImpuestos": posted["comisionMinoristaIncluyeImpuestos"],
    }


def differs(last: Request, wished: Request) -> bool:
    """Whether a PUT is needed to get from the last request to the wished record; what a PUT cannot say is no difference."""
    names = (last.keys() & wished.keys()) | {name for name in wished if wished[name] is not None}
    # The reference never changes, and beside it people's own fields are carried along.
    fixed = {*ONLY_IN_POST, "idsPasajeros", "idReserva", "customDataValues", "kept"}
    return any(last.get(name) != wished.get(name) for name in names - fixed)


def _shared(experience: Experience, at: At) -> Request:
    return {
        "idExpediente": at.expediente,
        "idCliente": at.client,
        "codModalidadpago": "C",
        "ventaNoComis": "0.00",
        "costeNoComis": "0.00",
        "porcentajeComisionMinorista": "0.00",
        "comisionMinoristaIncluyeImpuestos": False,
        "gastosGestion": "0.00",
        "recuperacion": "0.00",
        "comisionAgenteComercial": "0.00",
        "tipoIVA": "G",
        "fechadesde": experience.starts_on.isoformat(),
        "fechahasta": experience.ends_on.isoformat(),
        "via": CHANNEL,
        "servicioOtrosOtrosREAV": False,
        "customDataValues": reference_field(at.settings.custom_fields.reserva, at.reference),
    }


def _pax(booking: Booking, traveller_ids: Sequence[str]) -> Request:
    going = [each for each in booking.travellers if each.id in traveller_ids and each.status == "active"]
    adults = sum(each.kind == "adult" for each in going)
    return {"numPax": len(going), "numAdultos": adults, "numNinos": len(going) - adults}


def _rooming(booking: Booking) -> str | None:
    rooms: dict[str, list[str]] = {}
    for traveller in booking.travellers:
        if traveller.room_ref and traveller.status == "active":
            rooms.setdefault(traveller.room_ref, []).append(f"{traveller.first_name} {traveller.last_name}")
    return "; ".join(f"{room}: {', '.join(names)}" for room, names in rooms.items()) or None


def _remarks(booking: Booking) -> str | None:
    reasons = [f"Descuento {each.code or each.id}: {euros(each.amount)} EUR" for each in booking.discounts]
    return "; ".join(reasons) or None
