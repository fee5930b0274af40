"""Finding what an earlier attempt made: by our reference first, then by a natural key in the file (contracts: giav 3.1).

Whether GIAV's filters are exact is unknown, so every hit is compared again here. All answers are ids, oldest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from activities.giav.client import GiavClient
from activities.giav.elements import Record
from activities.giav.mapping.values import Request, carries, carries_another, money_of, reference_field
from activities.giav.settings import GiavSettings

RESERVAS: Request = {
    "facturacionPendiente": "NoAplicar",
    "cobroPendiente": "NoAplicar",
    "prepagoPendiente": "NoAplicar",
    "modofiltroImporte": "venta",
    "importeDesde": "0.00",
    "importeHasta": "9999999.00",
    "recepcionCosteTotal": "NoAplicar",
    "fechaReserva": "creacion",
    "modoFiltroLocalizadorPedido": "LOCPED",
}
CLIENTES: Request = {
    "documentoModo": "Ambos",
    "documentoExacto": True,
    "incluirDeshabilitados": False,
    "modoFecha": "Creacion",
    "rgpdSigned": "NoAplicar",
}
EXPEDIENTES: Request = {
    "modoMultiFiltroFecha": "Salida",
    "facturacionPendiente": "NoAplicar",
    "cobroPendiente": "NoAplicar",
    "estadoCierre": "NoAplicar",
    "tipoExpediente": "NoAplicar",
    "recepcionCosteTotal": "NoAplicar",
}
PASAJEROS: Request = {
    "documentoModo": "Ambos",
    "modoFiltroFecha": "Viaje",
    "modoFiltroLocalizadorPedido": "Todos",
    "rgpdSigned": "NoAplicar",
}
COBROS: Request = {"traspasado": "NoAplicar", "conciliado": "NoAplicar"}
FACTURAS: Request = {
    "traspasado": "NoAplicar",
    "mostrarSoloConPtePago": False,
    "liquidada": "NoAplicar",
    "simplificada": "NoAplicar",
}
DUE_DATES: Request = {"HasCompensations": "NoAplicar", "IsRemitted": "NoAplicar", "IsPrepayment": "NoAplicar"}
ACTIVITIES: Request = {"completed": "NoAplicar"}
"""The neutral value of every filter that must be sent even when it is not used."""


class Lookups:
    """The searches of one agency."""

    def __init__(self, client: GiavClient, settings: GiavSettings) -> None:
        self._client = client
        self._fields = settings.custom_fields

    def cliente(self, reference: str) -> list[str]:
        return self._by_field("Cliente_SEARCH", CLIENTES, self._fields.cliente, reference)

    def clientes_with(self, document: str) -> list[Record]:
        """Clients in use whose tax id or passport is exactly this."""
        hits = self._client.search("Cliente_SEARCH", **CLIENTES, documento=document)
        wanted = _alphanumeric(document)
        same = (
            record
            for record in hits
            if wanted in (_alphanumeric(record["Documento"]), _alphanumeric(record["PasaporteNumero"]))
        )
        return sorted((record for record in same if not record["Deshabilitado"]), key=lambda record: int(record["Id"]))

    def expediente(self, reference: str, title: str) -> list[str]:
        found = self._by_field("Expediente_SEARCH", EXPEDIENTES, self._fields.expediente, reference)
        if found:
            return found
        hits = self._client.search("Expediente_SEARCH", **EXPEDIENTES, titulo=title)
        return _ids(hits, lambda record: record["Titulo"] == title)

    def pasajero(self, reference: str, name: str) -> list[str]:
        """Passengers never give their custom field back; the reference is read in their remarks."""
        hits = self._client.search("Pasajero_SEARCH", **PASAJEROS, nombre=name)
        return _ids(hits, lambda record: reference in (record["Observaciones"] or ""))

    def pasajeros(self, ids: list[int]) -> list[Record]:
        return list(self._client.search("Pasajero_SEARCH", **PASAJEROS, idsPasajeros=ids))

    def pasajero_in_expediente(self, pasajero: int, expediente: int) -> list[str]:
        hits = self._client.search("PasajeroExpediente_SEARCH", idsExpediente=[expediente], idsPasajeros=[pasajero])
        return _ids(hits, lambda record: (record["IdPasajero"], record["IdExpediente"]) == (pasajero, expediente))

    def pasajero_in_reserva(self, pasajero: int, reserva: int) -> list[str]:
        hits = self._client.search("PasajeroReserva_SEARCH", idsReservas=[reserva], idsPasajeros=[pasajero])
        return _ids(hits, lambda record: (record["IdPasajero"], record["IdReserva"]) == (pasajero, reserva))

    def reserva(self, reference: str, expediente: int, code: str) -> list[str]:
        """By reference; else by our code (CodSolicitud) inside the file, unless another effect of ours owns it."""
        field = self._fields.reserva
        found = self._by_field("Reservas_SEARCH", RESERVAS, field, reference)
        if found:
            return found
        hits = self._client.search("Reservas_SEARCH", **RESERVAS, idsExpediente=[expediente])
        return _ids(
            hits, lambda record: record["IdExpediente"] == expediente and self.is_reserva(record, reference, code)
        )

    def is_reserva(self, record: Record, reference: str, code: str) -> bool:
        """Whether it carries our reference, or our code and no reference of ours."""
        field = self._fields.reserva
        return carries(record, field, reference) or (
            record["CodSolicitud"] == code and not carries_another(record, field, reference)
        )

    def reservas(self, **filters: list[int]) -> list[Record]:
        """Reservations as they stand, for guards."""
        return list(self._client.search("Reservas_SEARCH", **RESERVAS, **filters))

    def reserva_as_it_stands(self, own: int) -> Record | None:
        return _one(own, lambda: self.reservas(idsReservas=[own]))

    def container_of(self, own: int) -> int | None:
        """The container in which a cost line hangs."""
        found = self.reserva_as_it_stands(own)
        container: int | None = found["Anidacion_IdReservaContenedora"] if found else None
        return container

    def cobro(self, reference: str, request: Request) -> list[str]:
        """By reference; else by processor id, kind and amount inside the file (giav 3.1: GIAV leaks other files)."""
        field = self._fields.cobro
        found = self._by_field("Cobro_SEARCH", COBROS, field, reference)
        if found:
            return found

        def same(record: Record) -> bool:
            return (
                record["IdExpediente"] == request["idExpediente"]
                and record["TipoOperacion"] == request["idTipoOperacion"]
                and record["Documento"] == request["documento"]
                # A refund may come back negative.
                and f"{abs(money_of(record['Importe']).decimal):.2f}" == request["importe"]
                and not carries_another(record, field, reference)
            )

        return _ids(self._client.search("Cobro_SEARCH", **COBROS, idsExpediente=[request["idExpediente"]]), same)

    def cobro_by_id(self, own: int) -> Record | None:
        """An entry as it stands, for its guards; None when it is gone."""
        return _one(own, lambda: list(self._client.search("Cobro_SEARCH", **COBROS, idsCobro=[own])))

    def cobros_of(self, expediente: int) -> list[Record]:
        """The money of a file; GIAV leaks that of other files of the same clients."""
        hits = self._client.search("Cobro_SEARCH", **COBROS, idsExpediente=[expediente])
        return [record for record in hits if record["IdExpediente"] == expediente]

    def facturas_of(self, expediente: int) -> list[Record]:
        hits = self._client.search("Factura_SEARCH", **FACTURAS, idsExpediente=[expediente])
        return [record for record in hits if record["IdExpediente"] == expediente]

    def cobros_on(self, invoice: int) -> list[Record]:
        """The money that pays an invoice, oldest first."""
        hits = self._client.search("Cobro_SEARCH", **COBROS, idsFactura=[invoice])
        return sorted(hits, key=lambda record: int(record["Id"]))

    def factura(self, reference: str, expediente: int) -> list[str]:
        """By reference; else by the reference in the text of the file's invoices."""
        found = self._by_field("Factura_SEARCH", FACTURAS, self._fields.factura, reference)
        if found:
            return found
        hits = self._client.search("Factura_SEARCH", **FACTURAS, idsExpediente=[expediente])
        return _ids(hits, lambda record: record["IdTipo"] == "Normal" and reference in (record["Descripcion"] or ""))

    def credit_note(self, original: int, kind: str = "Reembolso") -> list[str]:
        """The original is the natural key: one whole credit note, or rectification, per invoice."""
        hits = self._client.search("Factura_SEARCH", **FACTURAS, idsFacturaAsociada=[original])
        return _ids(hits, lambda record: record["IdFacturaAsociada"] == original and record["IdTipo"] == kind)

    def due_dates(self, invoice: int) -> list[Record]:
        """When the parts of an invoice fall due, earliest first."""
        hits = self._client.search("DueDate_SEARCH", **DUE_DATES, IdsFacturasClientes=[invoice])
        own = (record for record in hits if record["IdFactura"] == invoice)
        return sorted(own, key=lambda record: (record["DateDueDate"], record["Id"]))

    def compensation(self, due_date: int, cobro: int) -> list[str]:
        hits = self._client.search("RelationDueDatePayment_SEARCH", idsDueDates=[due_date], idsCobros=[cobro])
        return _ids(hits, lambda record: (record["IdDueDate"], record["IdCobro"]) == (due_date, cobro))

    def task(self, reference: str, summary: str) -> list[str]:
        hits = self._client.search("Activity_SEARCH", **ACTIVITIES, summary=summary)
        return _ids(hits, lambda record: reference in (record["Summary"] or ""))

    def _by_field(self, operation: str, neutral: Request, field: int | None, reference: str) -> list[str]:
        if field is None:
            return []
        hits = self._client.search(operation, **neutral, customDataValues=reference_field(field, reference))
        return _ids(hits, lambda record: carries(record, field, reference))


def _one(own: int, ask: Callable[[], list[Record]]) -> Record | None:
    """The record with this id. An answer that tells of others alone may be another call's, so it is asked once more."""
    hits = ask()
    if hits and all(record["Id"] != own for record in hits):
        hits = ask()
    return next((record for record in hits if record["Id"] == own), None)


def _ids(records: Iterable[Record], wanted: Callable[[Record], bool]) -> list[str]:
    return [str(number) for number in sorted({int(record["Id"]) for record in records if wanted(record)})]


def _alphanumeric(document: str | None) -> str:
    return "".join(each for each in (document or "").upper() if each.isalnum())
