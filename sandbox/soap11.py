"""A SOAP 1.1 request's one element in the body, read safely: no document types, no entities, no network."""

from __future__ import annotations

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


class NotSoap(Exception):
    """Not a SOAP 1.1 request; the text says why."""


def parsed(raw: bytes) -> etree._Element:
    """The root of a document without type declaration; raises NotSoap."""
    try:
        root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotSoap(f"not well-formed: {error}") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # lxml-stubs leaves it out
        raise NotSoap("a document type declaration is not allowed")
    return root


def in_body(raw: bytes) -> etree._Element:
    """The element in the body; raises NotSoap."""
    root = parsed(raw)
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) != 1 or not isinstance(body[0].tag, str):
        raise NotSoap("not a SOAP 1.1 envelope with one element in its body")
    return body[0]


def answer(namespace: str, name: str) -> tuple[etree._Element, etree._Element]:
    """An envelope and the element in its body, to be filled."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "m": namespace})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    return envelope, etree.SubElement(body, f"{{{namespace}}}{name}")


def as_bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
