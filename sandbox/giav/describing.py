"""The service description that GIAV shows to whoever asks for `?WSDL` (contracts: giav 1.1, payment-sync 9 "contract change")."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

WSDL = "http://schemas.xmlsoap.org/wsdl/"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_FOLDER = Path(__file__).parent


def service_description(new_field: str = "") -> bytes:
    """WSDL with every schema document inside; `new_field` is a mandatory element that an update has put into `Cobro_POST`."""
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap={"wsdl": WSDL})
    root.set("targetNamespace", "Giav.Core.Business")
    types = etree.SubElement(root, f"{{{WSDL}}}types")
    for document in sorted(_FOLDER.glob("api_2_05*.xsd")):
        types.append(etree.parse(document).getroot())
    if new_field:
        sequence = next(
            each.find(f".//{_XS}sequence") for each in types.iter(f"{_XS}element") if each.get("name") == "Cobro_POST"
        )
        assert sequence is not None
        etree.SubElement(sequence, f"{_XS}element", name=new_field, type="xs:string", minOccurs="1")
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
