"""Payers and travellers: Cliente and Pasajero (contracts: giav 2.3, 2.6)."""

from __future__ import annotations

from typing import NamedTuple

from activities.giav.mapping.values import Request, reference_field
from domain.platform import Party, Traveller

_COUNTRIES = (
    "ESESP PTPRT FRFRA DEDEU ITITA GBGBR IEIRL NLNLD BEBEL LULUX ATAUT CHCHE PLPOL CZCZE SKSVK HUHUN ROROU BGBGR GRGRC"
    " HRHRV SISVN SESWE DKDNK FIFIN NONOR EEEST LVLVA LTLTU MTMLT CYCYP ADAND USUSA CACAN MXMEX ARARG BRBRA CLCHL COCOL"
    " PEPER MAMAR ILISR CNCHN JPJPN KRKOR AUAUS TRTUR UAUKR"
)
_ALPHA3 = {pair[:2]: pair[2:] for pair in _COUNTRIES.split()}
"""Countries of payers as Facturae wants them; an unlisted one is sent as Spain, the default of every known client."""


class Document(NamedTuple):
    """What identifies a payer: a tax id, or a passport when there is none."""

    value: str
    passport: bool


def document_of(party: Party) -> Document | None:
    """Capitals without spaces, as GIAV normalises it."""
    if party.tax_id is None:
        return None
    value = "".join(party.tax_id.value.upper().split())
    return Document(value, party.tax_id.type == "PASSPORT") if value else None


def same_name(party: Party, nombre: str | None, apellidos: str | None) -> bool:
    """Whether a client read back has the payer's name, whatever the order of its parts."""
    held = sorted(f"{nombre or ''} {apellidos or ''}".casefold().split())
    return held == sorted(party.name.casefold().split())


def cliente(party: Party, reference: str, field: int | None) -> Request:
    """`Cliente_POST`: the minimal defaults that public clients use, and whatever the payer told."""
    document = document_of(party)
    company = party.kind == "company"
    first, last = (party.name, None) if company else _names(party)
    address = party.address
    country = address.country if address else (party.tax_id.country if party.tax_id else "ES")
    return {
        "tipoCliente": "Empresa" if company else "Particular",
        "documento": document.value if document and not document.passport else None,
        "pasaporteNumero": document.value if document and document.passport else None,
        "email": party.email,
        "apellidos": last,
        "nombre": first,
        "direccion": " ".join(part for part in (address.line1, address.line2) if part) if address else None,
        "telefono": party.phone,
        "codPostal": address.postcode if address else None,
        "poblacion": address.city if address else None,
        "provincia": address.region if address else None,
        "sedeFiscal": country,
        "creditoImporte": "0.00",
        "traspasaDepartamentos": False,
        "factTotalizadora": False,
        "deshabilitado": False,
        "empresa_Facturar_Reg_General": False,
        "comisionesIVAIncluido": True,
        "excluir_347_349": False,
        "validaAeat": False,
        "validaROI": False,
        "inscritoROI": False,
        "idSepatipo": "Puntual",
        "idSepaEstado": "Pendiente",
        "mailingConsent": "Pending",
        "rgpdSigned": False,
        "customerPortal_Enabled": False,
        "customerPortal_Zone_TravelFiles": False,
        "customerPortal_Zone_Invoicing": False,
        "customerPortal_Zone_Payments": False,
        "customerPortal_Zone_Contact": False,
        "facturaECodPais": _ALPHA3.get(country, "ESP"),
        "facturaEAcepta": False,
        "customDataValues": reference_field(field, reference),
    }


def _names(party: Party) -> tuple[str, str | None]:
    if party.first_name:
        return party.first_name, party.last_name
    first, _, last = party.name.partition(" ")
    return first, last or None


def full_name(traveller: Traveller) -> str:
    return f"{traveller.first_name} {traveller.last_name}".strip()


def pasajero(traveller: Traveller, reference: str, field: int | None, origin: int | None) -> Request:
    """`Pasajero_POST`. GIAV never gives a passenger's custom field back, so the reference also ends the remarks."""
    return {
        "idClienteOrigen": origin if traveller.is_payer else None,
        "nombre": full_name(traveller),
        "rgpdSigned": False,
        "observaciones": f"{traveller.id} {reference}",
        "paxTipo": "Ad" if traveller.kind == "adult" else "Ch",
        "customDataValues": reference_field(field, reference),
    }


def pasajero_change(pasajero_id: int, posted: Request) -> Request:
    """`Pasajero_PUT` with the content of a `pasajero`."""
    content = {name: value for name, value in posted.items() if name != "idClienteOrigen"}
    return {"idPasajero": pasajero_id, "idClienteAsociado": posted["idClienteOrigen"], **content}
