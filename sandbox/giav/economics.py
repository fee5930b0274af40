"""What a file is worth: sales, costs, invoices and money of its root reservations (contracts: giav 2.4, 2.5)."""

from __future__ import annotations

from datetime import timedelta

from sandbox.giav.books import Books, euros
from sandbox.giav.records import Record


def sale(reservation: Record) -> float:
    """Euro that the client owes for a reservation, service fee included."""
    parts = ("VentaComis", "VentaNoComis", "GastosGestionImporte")
    return euros(sum(reservation.get(part, 0.0) for part in parts))


def own_cost(reservation: Record) -> float:
    return euros(reservation.get("CosteComis", 0.0) + reservation.get("CosteNoComis", 0.0))


def children(books: Books, container_id: int) -> list[Record]:
    return books.records.having("Reserva", "Anidacion_IdReservaContenedora", container_id)


def cost(books: Books, reservation: Record) -> float:
    """Euro that a reservation costs, with what is nested in it."""
    return euros(own_cost(reservation) + sum(own_cost(each) for each in children(books, reservation["Id"])))


def economics(books: Books, file_id: int) -> Record:
    """`InfoEconomica` of a file. Money and invoices younger than the lag are not counted yet."""
    records = books.records
    settled_until = books.instant(-timedelta(seconds=books.manners.economics_lag))
    reservations = records.having("Reserva", "IdExpediente", file_id)
    roots = [each for each in reservations if each.get("Anidacion_IdReservaContenedora") is None]
    sold = sum(sale(each) for each in roots)
    costs = sum(cost(books, each) for each in roots)
    received = sum(each.get("received", 0.0) for each in reservations)
    paid_out = sum(each.get("received", 0.0) for each in reservations if each.get("paid"))
    invoiced = sum(
        each["total"]
        for each in records.having("Factura", "IdExpediente", file_id)
        if not each["EsProforma"] and each["at"] <= settled_until
    )
    collected = sum(
        each["Importe"] if each["TipoOperacion"] == "Cobro" else -each["Importe"]
        for each in records.having("Cobro", "IdExpediente", file_id)
        if each["at"] <= settled_until
    )
    margin = sold - costs
    return {
        "MargenEstimado": euros(margin),
        "MargenRealAcumulado": euros(invoiced - received),
        "MargenNeto": euros(margin),
        "PendienteCobrar": euros(sold - collected),
        "PendienteCobrarSinComisiones": euros(sold - collected),
        "PendienteFacturar": euros(sold - invoiced),
        "PendientePagar": euros(costs - paid_out),
        "Liquidez": euros(collected - paid_out),
        "MargenLiquidez": euros(collected - costs),
        "RentabilidadEstimada": euros(100 * margin / sold) if sold else 0.0,
        "RentabilidadRealAcumulada": euros(100 * (invoiced - received) / invoiced) if invoiced else 0.0,
        "RentabilidadNeta": euros(100 * margin / sold) if sold else 0.0,
    }
