"""The SOAP 1.1 envelope of MIDOCO: credentials in, answers and faults out (contracts: midoffice 4, 4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from sandbox.grammar import ShapeError, name_of
from sandbox.midoco.names import NAMESPACES, SYSTEM

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CREDENTIALS = ("Login", "Password", "OrganisationUnit", "Locale", "RoleID", "SessionID")

Leaf = str | int
Row = tuple[str, Mapping[str, Leaf]]
"""An element of an answer whose values are attributes."""


@dataclass(frozen=True)
class Call:
    """A request whose envelope is in order."""

    operation: str
    namespace: str
    body: etree._Element
    credentials: Mapping[str, str]


class MidocoError(Exception):
    """A SOAP fault with MIDOCO's own code and text."""

    def __init__(self, code: str, text: str, side: str = "Server") -> None:
        super().__init__(text)
        self.code, self.text, self.side = code, text, side


def read(raw: bytes) -> Call:
    """The call in `raw`; raises MidocoError if it is no SOAP 1.1 envelope, or ShapeError with the place."""
    try:
        root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise MidocoError("1000", f"not well-formed: {error}", "Client") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # lxml-stubs leaves it out
        raise MidocoError("1000", "a document type declaration is not allowed", "Client")
    if root.tag != f"{{{SOAP}}}Envelope":
        raise MidocoError("1000", "the root element is not a SOAP 1.1 Envelope", "Client")
    body = root.find(f"{{{SOAP}}}Body")
    if body is None or len(body) != 1:
        raise ShapeError("Body: exactly one element is required")
    operation = body[0]
    namespace = etree.QName(operation).namespace or ""
    if namespace not in NAMESPACES:
        raise ShapeError(f"Body: {name_of(operation)} is in a wrong namespace")
    return Call(name_of(operation), namespace, operation, _credentials(root))


def _credentials(root: etree._Element) -> dict[str, str]:
    given = root.find(f"{{{SOAP}}}Header/{{{SYSTEM}}}MidocoCredentials")
    if given is None:
        return {}
    found: dict[str, str] = {}
    for child in given:
        name = name_of(child)
        if name not in CREDENTIALS or etree.QName(child).namespace != SYSTEM:
            raise ShapeError(f"MidocoCredentials: element {name} is not known here")
        found[name] = child.text or ""
    return found


def answer(call: Call, values: Mapping[str, Leaf], rows: Sequence[Row] = ()) -> bytes:
    """The answer to `call`: single values as child elements, rows as elements with attributes."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "m": call.namespace})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    response = etree.SubElement(body, f"{{{call.namespace}}}{call.operation}Response")
    for name, value in values.items():
        etree.SubElement(response, f"{{{call.namespace}}}{name}").text = str(value)
    for name, attributes in rows:
        row = etree.SubElement(response, f"{{{call.namespace}}}{name}")
        for attribute, value in attributes.items():
            row.set(attribute, str(value))
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def fault(problem: MidocoError, locale: str = "de") -> bytes:
    """`problem` as a SOAP fault whose detail is a `MidocoFaultType`."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "s": SYSTEM})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    element = etree.SubElement(body, f"{{{SOAP}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soap:{problem.side}"
    etree.SubElement(element, "faultstring").text = problem.text
    detail = etree.SubElement(element, "detail")
    kind = etree.SubElement(detail, f"{{{SYSTEM}}}MidocoFaultType")
    kind.set("code", problem.code)
    kind.set("text", problem.text)
    kind.set("locale", locale)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
