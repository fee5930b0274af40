"""What an agency has set up in its GIAV before the first booking; settings name these ids (contracts: giav 2.2).

| what | ids |
|---|---|
| API key | `sandbox-giav-key` |
| office | 3 |
| payment methods | 10 card terminal, 11 UATP (AirPlus), 12 transfer, 13 refund only (transfer), 14 Stripe, 15 PayPal, 16 disabled |
| stages of a file | 101 Abierto, 102 Cancelado, 103 Finalizado |
| stages of a reservation | 111 Confirmada, 112 Cancelada |
| stages of a collection | 121 Registrado, of an invoice 131 Emitida, of a client 141 Activo |
| suppliers | 501 the agency itself, 502 generic, 503 RateHawk, 504 coach company, 505 disabled |
| clients | 1 the holder of files that many travellers pay |
| custom text fields | 2001 Cliente, 2002 Expediente, 2003 Reserva, 2004 Cobro, 2005 Factura, 2006 Pasajero |
"""

from __future__ import annotations

from sandbox.giav.records import Record, Records

API_KEY = "sandbox-giav-key"
OFFICE = 3
CARD, UATP, TRANSFER, REFUND, STRIPE, PAYPAL, DISABLED_METHOD = 10, 11, 12, 13, 14, 15, 16
FILE_OPEN, FILE_CANCELLED, FILE_FINISHED = 101, 102, 103
RESERVATION_CONFIRMED, RESERVATION_CANCELLED = 111, 112
COLLECTION_STAGE, INVOICE_STAGE, CLIENT_STAGE = 121, 131, 141
SUPPLIER_SELF, SUPPLIER_GENERIC, SUPPLIER_RATEHAWK, SUPPLIER_COACH, SUPPLIER_DISABLED = 501, 502, 503, 504, 505
HOLDER = 1
REFERENCE_FIELDS = {
    "Cliente": 2001,
    "Expediente": 2002,
    "Reserva": 2003,
    "Cobro": 2004,
    "Factura": 2005,
    "Pasajero": 2006,
}

_SETUP = "2025-01-01T00:00:00"


def _method(id_: int, code: str, name: str, category: str, collects: bool, refunds: bool, **more: object) -> Record:
    return {
        "Id": id_,
        "Codigo": code,
        "Nombre": name,
        "Tipo": "Cobro",
        "AdmiteCobros": collects,
        "AdmiteReembolsos": refunds,
        "Uatp": category == "UATP",
        "IdCategoria": category,
        "SubcuentaTesoreria": f"57200000{id_}",
        **more,
    }


def _stage(id_: int, name: str, target: str, order: int) -> Record:
    return {"Id": id_, "StageName": name, "ClassName": target, "OrderNum": order, "Cancelled": False}


def _supplier(id_: int, name: str, tax_id: str, disabled: bool = False) -> Record:
    return {
        "Id": id_,
        "Nombre": name,
        "Cif": tax_id,
        "CodProveedor": f"400000{id_:04d}",
        "Credito": True,
        "Deshabilitado": disabled,
        "Tipo": "MayoristaMinoristaANetos",
        "ModalidadPago": "C",
        "SedeFiscal": "ES",
        "PermitirProductoOtros": True,
        "LongitudLocalizador": 0,
    }


_OFFICE: Record = {
    "Id": OFFICE,
    "SedeFiscal": "ES_PenínsulaYBaleares",
    "Codigo": "003",
    "Denominacion": "Oficina central",
    "NombreComercial": "Viajes Ejemplo",
    "Pais": "ES",
    "Direccion": "Calle Mayor 1",
    "CodPostal": "28013",
    "Poblacion": "Madrid",
    "Provincia": "Madrid",
    "Email": "oficina@example.com",
    "CierreExpFacturados": True,
    "CierreExpCobrados": True,
}

_METHODS = [
    _method(CARD, "TPV", "Tarjeta TPV", "Tarjeta_TPV", True, True),
    _method(UATP, "UATP", "AirPlus (UATP)", "UATP", True, True),
    _method(TRANSFER, "TRF", "Transferencia", "Transferencia", True, False),
    _method(REFUND, "DEV", "Devolución por transferencia", "Transferencia", False, True),
    _method(STRIPE, "STR", "Stripe", "Stripe", True, True),
    _method(PAYPAL, "PAY", "PayPal", "Paypal", True, True),
    _method(DISABLED_METHOD, "CHQ", "Cheque", "Otros", True, False, Deshabilitado=True),
]

_STAGES = [
    _stage(FILE_OPEN, "Abierto", "Expediente", 1),
    _stage(FILE_CANCELLED, "Cancelado", "Expediente", 2),
    _stage(FILE_FINISHED, "Finalizado", "Expediente", 3),
    _stage(RESERVATION_CONFIRMED, "Confirmada", "Reserva", 1),
    _stage(RESERVATION_CANCELLED, "Cancelada", "Reserva", 2),
    _stage(COLLECTION_STAGE, "Registrado", "Cobro", 1),
    _stage(INVOICE_STAGE, "Emitida", "Factura", 1),
    _stage(CLIENT_STAGE, "Activo", "Cliente", 1),
]

_SUPPLIERS = [
    _supplier(SUPPLIER_SELF, "Viajes Ejemplo (propia agencia)", "B00000018"),
    _supplier(SUPPLIER_GENERIC, "Proveedor genérico", "B00000026"),
    _supplier(SUPPLIER_RATEHAWK, "RateHawk", "B00000034"),
    _supplier(SUPPLIER_COACH, "Autocares Ejemplo", "B00000042"),
    _supplier(SUPPLIER_DISABLED, "Proveedor de baja", "B00000059", disabled=True),
]

_HOLDER: Record = {
    "Id": HOLDER,
    "Tipo": "NoDefinido",
    "Codigo": "C000001",
    "Nombre": "Clientes de grupo (titular del expediente)",
    "Documento": "",
    "FacturaeCodPais": "ESP",
    "idSepaTipo": "Puntual",
    "idSepaEstado": "Pendiente",
    "MailingConsent": "Pending",
    "FechaModificacion": _SETUP,
    "FechaCreacion": _SETUP,
}


def sow(records: Records) -> None:
    """Lay the seeds where nothing has been laid yet."""
    if records.all("Oficina"):
        return
    fields = [
        {"Id": id_, "Name": "Referencia externa", "Type": "TextBox", "targetClass": target}
        for target, id_ in REFERENCE_FIELDS.items()
    ]
    laid: list[tuple[str, list[Record]]] = [
        ("Oficina", [_OFFICE]),
        ("FormaPago", _METHODS),
        ("EntityStage", _STAGES),
        ("Proveedor", _SUPPLIERS),
        ("CustomData", fields),
        ("Cliente", [_HOLDER]),
    ]
    for entity, kept in laid:
        for record in kept:
            records.add(entity, record)
    records.commit()
