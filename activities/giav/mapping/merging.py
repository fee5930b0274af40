"""A PUT replaces the whole record: what people changed in GIAV is found, what we never write is carried along (contracts: giav 2.1).

Pure. `last` is what we sent last, `wished` what we want to send, `theirs` the record as it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities.giav.elements import Record
from activities.giav.mapping.values import MADRID, Request

KEPT = "kept"
"""Beside the parameters in the ledger: where the record keeps what stands there, what we would have written."""
CUT_AFTER = 30
"""A text of at least this length that begins as ours is ours, cut by a field of a length that nobody declared."""
FIELDS = "customDataValues"


@dataclass(frozen=True)
class Shape:
    """Parameters of a PUT and the members in which they come back: those that are ours, and those that are people's."""

    ours: Mapping[str, str]
    theirs: Mapping[str, str]


def _pairs(text: str) -> dict[str, str]:
    """`parameter Member` pairs; a parameter alone has the member of the same name with a capital."""
    made = {}
    for word in text.split():
        parameter, _, member = word.partition("=")
        made[parameter] = member or parameter[0].upper() + parameter[1:]
    return made


RESERVA = Shape(
    ours=_pairs(
        "idCliente idProveedor descripcion observaciones ventacomis=VentaComis costeComis rooming localizador"
        " fechadesde=FechaDesde fechahasta=FechaHasta idEntityStage"
    ),
    theirs=_pairs(
        "idPrestatario idProducto idGastoGestion idAgenteComercial textoBono fechaPrepago pagaderoPor"
        " fechalimite=FechaLimite regimen uso1 uso2 uso3 uso4 num1 num2 num3 num4 clienteBono"
        " ts_MultiData0 ts_MultiData1 ts_MultiData2 ts_MultiData3 ts_MultiData4"
        " destinationCountryISO3166Code=Destination_Country"
    ),
)
EXPEDIENTE = Shape(
    ours=_pairs("idCliente titulo fechaDesde fechaHasta idEntityStage"),
    theirs=_pairs(
        "idDepartamento idAgenteComercial destinationCountryISO3166Code=Destination_Country"
        " destinationIdCountryZone=Destination_IdCountryZone"
    ),
)
CLIENTE = Shape(
    ours=_pairs(
        "tipoCliente=Tipo documento pasaporteNumero email apellidos nombre direccion telefono codPostal poblacion"
        " provincia sedeFiscal"
    ),
    theirs=_pairs(
        "nombreAlias fax movil codCC=CodCc comentarios traspasaDepartamentos factTotalizadora creditoImporte deshabilitado"
        " empresa_Facturar_Reg_General=EmpresaFacturarRegGeneral comisionesIVAIncluido=ComisionesIvaIncluido"
        " comisionesComisionDefecto excluir_347_349=Excluir347349 idAgenteComercial=idAgenteComercial"
        " idEntityStage=idEntityStage idPaymentTerm=idPaymentTerm inscritoROI=inscritoROI idSepatipo=idSepaTipo"
        " idSepaEstado=idSepaEstado sepaReferencia sepaFecha alertMsg mailingConsent rgpdSigned=RGPDSigned"
        " cuentaContableVentas customerPortal_Enabled customerPortal_DefaultVendorId customerPortal_Email"
        " customerPortal_Password customerPortal_Zone_TravelFiles customerPortal_Zone_Invoicing"
        " customerPortal_Zone_Payments customerPortal_Zone_Contact"
        " facturaETipoPersona=FacturaeTipoPersona facturaETipoResidencia=FacturaeTipoResidencia"
        " facturaECodPais=FacturaeCodPais facturaEAcepta=FacturaeAcepta"
        " facturaeDir3OficinaContable facturaeDir3OrganoGestor facturaeDir3UnidadTramitadora facturaeDir3OrganoProponente"
        " facturaeDir3OcDesc facturaeDir3OgDesc facturaeDir3UtDesc facturaeDir3OpDesc"
    ),
)


def sent(last: Request) -> Request:
    """What went over the wire, without what the ledger keeps beside it."""
    return {name: value for name, value in last.items() if name != KEPT}


def ours(last: Request) -> Request:
    """What we would have sent, had nobody changed anything there."""
    return sent(last) | (last.get(KEPT) or {})


def respecting(last: Request, wished: Request) -> Request:
    """The wish, with what people wrote where it was kept and our own word has not changed since."""
    kept = last.get(KEPT) or {}
    return {**wished, **{name: last.get(name) for name, wish in kept.items() if wished.get(name) == wish}}


def conflicts(shape: Shape, last: Request, wished: Request, theirs: Record, under_way: Request | None) -> list[str]:
    """Members that stand there neither as we sent them nor as we want them: a person changed them.

    `under_way` is the same PUT of an earlier attempt, which may have landed.
    """
    kept = last.get(KEPT) or {}
    found = []
    for name, member in shape.ours.items():
        before, wish = last.get(name), wished.get(name)
        if (before is None and wish is None) or (name in kept and wish == kept[name]):
            continue
        if name == "costeComis" and wished.get("margenOperacionPrevisto") is not None:
            # What a container costs GIAV may compute from what is nested in it.
            continue
        stands = _parameter(name, theirs.get(member))
        if not any(_same(stands, each) for each in (before, wish, (under_way or {}).get(name, before))):
            found.append(name)
    return found


def merged(shape: Shape, last: Request, wished: Request, theirs: Record, keep: Collection[str] = ()) -> Request:
    """The whole record to send. Members in `keep` stay as they stand, and so does what only people write."""
    kept = last.get(KEPT) or {}
    request, remember = dict(wished), {}
    for name, member in shape.ours.items():
        stands, wish = _parameter(name, theirs.get(member)), wished.get(name)
        never_ours = last.get(name) is None and wish is None
        if name in keep or never_ours or (name in kept and wish == kept[name]):
            if _same(stands, wish):
                continue
            request[name], remember[name] = stands, wish
    for name, member in shape.theirs.items():
        value = _parameter(name, theirs.get(member))
        if value is not None:
            request[name] = value
    others = _other_fields(theirs, wished)
    if others:
        request[FIELDS] = [*others, *(wished.get(FIELDS) or ())]
    return request | ({KEPT: remember} if remember else {})


def _other_fields(theirs: Record, wished: Request) -> list[Request]:
    own = {item["Key"] for item in wished.get(FIELDS) or ()}
    items = theirs.get("CustomDataValues") or ()
    return [{"Key": each["Key"], "Value": each["Value"]} for each in items if each["Key"] not in own and each["Value"]]


def modified_at(theirs: Record) -> datetime | None:
    """When a record was last changed there; the service writes local time without a zone."""
    told = theirs.get("FechaModificacion")
    if not told:
        return None
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=MADRID)


def _parameter(name: str, value: Any) -> Any:
    """A value read as it would be written."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, str):
        return (value[:10] if name.lower().startswith("fecha") else value) or None
    return value


def _same(stands: Any, sent_by_us: Any) -> bool:
    if isinstance(stands, str) and isinstance(sent_by_us, str):
        there, here = (" ".join(each.casefold().split()) for each in (stands, sent_by_us))
        return there == here or (len(there) >= CUT_AFTER and here.startswith(there))
    return (stands or None) == (sent_by_us or None)
