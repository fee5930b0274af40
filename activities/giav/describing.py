"""The contract that GIAV shows, part by part, so that an update over there is noticed and named (contracts: payment-sync 3, 6.1)."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from lxml import etree

from activities.giav.client import SYSTEM
from activities.giav.office import Office
from domain.connector_steps import Described, DescribeStep
from domain.errors import ContractBroken, Refused

SCHEMA = "{http://www.w3.org/2001/XMLSchema}"
NOBODY = 1
"""An expediente to ask for: a refusal comes from behind the door that the key opens."""


def describe(office: Office, step: DescribeStep) -> Described:
    """Two reads: one harmless call, and the service description. Raises whatever a read may meet.

    A system that shows no description has none to differ.
    """
    with suppress(Refused):
        office.client.call("Expediente_InfoEconomica_GET", id=NOBODY)
    shown = office.client.service_description()
    if shown is None:
        return Described()
    parts = parts_of(shown)
    described = office.store.connectors.seen(office.agency, SYSTEM, contract_of(parts), parts)
    if step.accepted_by:
        accepted = office.store.connectors.accept(office.agency, SYSTEM, step.accepted_by, step.why)
        assert accepted is not None
        return accepted.described
    return described


def parts_of(document: bytes) -> dict[str, str]:
    """Hashes of the elements and types of a service description by name; addresses, comments and layout count for nothing.

    Raises `ContractBroken` for what is no description.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_blank_text=True
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ContractBroken("the service description is no XML", system=SYSTEM, operation="WSDL") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ContractBroken("the service description has a document type", system=SYSTEM, operation="WSDL")
    parts = {
        f"{each.tag.removeprefix(SCHEMA)} {schema.get('targetNamespace', '')}:{each.get('name')}": _hash(each)
        for schema in root.iter(f"{SCHEMA}schema")
        for each in schema.iterchildren(f"{SCHEMA}element", f"{SCHEMA}complexType", f"{SCHEMA}simpleType")
    }
    if not parts:
        raise ContractBroken("the service description describes nothing", system=SYSTEM, operation="WSDL")
    return parts


def contract_of(parts: dict[str, str]) -> str:
    """One hash of all parts, whatever their order."""
    together = "\n".join(f"{name} {value}" for name, value in sorted(parts.items()))
    return hashlib.sha256(together.encode()).hexdigest()


def _hash(element: etree._Element) -> str:
    # Only the second version of the canonical form takes the service's relative namespaces.
    plain = etree.canonicalize(etree.tostring(element, encoding="unicode", with_tail=False), strip_text=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]
