"""The SOAP 1.1 frame that several mid-offices use, and safe reading of their XML (contracts: midoffice 4, 5, 6)."""

from __future__ import annotations

from lxml import etree

from activities.midoffice.codec import Unreadable

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LARGEST_ANSWER = 5_000_000
"""Bytes; a booking with its status rows is some kilobytes."""


def new_envelope(**namespaces: str) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Envelope, header and body of a request; `namespaces` are prefixes to declare."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, **namespaces})
    return envelope, etree.SubElement(envelope, f"{{{SOAP}}}Header"), etree.SubElement(envelope, f"{{{SOAP}}}Body")


def as_bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def first_in_body(answer: bytes) -> etree._Element:
    """The one element in the body of an answer; raises `Unreadable`."""
    root = parsed(answer)
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) != 1 or not isinstance(body[0].tag, str):
        raise Unreadable("the answer is not a SOAP 1.1 envelope with one body element")
    return body[0]


def parsed(document: bytes) -> etree._Element:
    """The root of a document without type declaration and entities; raises `Unreadable`."""
    if len(document) > LARGEST_ANSWER:
        raise Unreadable("the answer is too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable("the answer is not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable("the answer declares a document type")
    return root


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def values(element: etree._Element) -> dict[str, str]:
    """Attributes and leaf children by local name."""
    found = {str(name): str(value) for name, value in element.attrib.items()}
    for child in children(element):
        if len(child) == 0:
            found.setdefault(local(child), child.text or "")
    return found


def children(element: etree._Element) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str)]


def spoken(value: str) -> str:
    """A text that XML can carry: control characters and lone surrogates become blanks."""
    return "".join(
        sign if sign >= " " and not "\ud800" <= sign <= "\udfff" and sign not in "\ufffe\uffff" else " "
        for sign in value
    )
