"""SOAP 1.1 messages, document/literal wrapped: calls in, answers and faults out (contracts: giav 1.2, 1.4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from sandbox.giav.refusals import BadMessage
from sandbox.giav.schema import NAMESPACE, Field, Operation, Shape, description

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{_XSI}}}nil"
_OPEN = (
    f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}" xmlns:xsi="{_XSI}" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
)
_CLOSE = "</soap:Body></soap:Envelope>"
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)

Call = dict[str, Any]
Reader = Callable[[etree._Element], Any]
Writer = Callable[[Any], str]


def operation_of(action: str | None) -> Operation:
    """The operation that a SOAPAction header names; raises BadMessage if there is none."""
    named = (action or "").strip()
    prefix = f'"{NAMESPACE}/'
    if named.startswith(prefix) and named.endswith('"'):
        found = description().operations.get(named[len(prefix) : -1])
        if found is not None:
            return found
    raise BadMessage(f"Server did not recognize the value of HTTP Header SOAPAction: {named}.")


def read_call(operation: Operation, body: bytes) -> Call:
    """The parameters of one call, by name; absent and nil ones are left out. Raises BadMessage on anything unlawful."""
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadMessage(f"Server was unable to read request. ---> {error}") from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise BadMessage("For security reasons DTD is prohibited in this XML document.")
    wrapper = _wrapper(root)
    if wrapper.tag != f"{{{NAMESPACE}}}{operation.name}":
        raise BadMessage(f"SOAPAction {NAMESPACE}/{operation.name} does not match the body element {wrapper.tag}.")
    try:
        description().validator.assertValid(wrapper)
    except etree.DocumentInvalid as error:
        raise BadMessage(f"Server was unable to read request. ---> {error}") from error
    call: Call = _record_reader(operation.name)(wrapper)
    return call


def _wrapper(root: etree._Element) -> etree._Element:
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        raise BadMessage("Possible SOAP version mismatch: the document element is not a SOAP 1.1 Envelope.")
    header = root.find(f"{{{ENVELOPE}}}Header")
    if header is not None and any(each.get(f"{{{ENVELOPE}}}mustUnderstand") == "1" for each in header):
        raise BadMessage("SOAP header was not understood.")
    parts = root.findall(f"{{{ENVELOPE}}}Body")
    if len(parts) != 1 or len(parts[0]) != 1 or root[-1] is not parts[0]:
        raise BadMessage("The SOAP Body must come last and hold exactly one element.")
    return parts[0][0]


def answer(operation: Operation, value: Any) -> bytes:
    """The answer envelope; `value` None leaves the wrapper empty."""
    wrapper = f"{operation.name}Response"
    inner = "" if operation.result is None or value is None else _result_writer(operation.name)(value)
    return f'{_OPEN}<{wrapper} xmlns="{NAMESPACE}">{inner}</{wrapper}>{_CLOSE}'.encode()


def fault(code: str, text: str) -> bytes:
    """A fault envelope without detail, as ASP.NET makes of an exception; `code` is `Client` or `Server`."""
    return (
        f"{_OPEN}<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{escape(text)}</faultstring>"
        f"<detail/></soap:Fault>{_CLOSE}"
    ).encode()


# Reading -------------------------------------------------------------------------------------------------------------


@cache
def _record_reader(operation: str) -> Reader:
    return _reader_of_shape(description().operations[operation].request)


def _reader_of_shape(shape: Shape) -> Reader:
    if (item := shape.repeated) is not None:
        read_item = _reader(item)
        return lambda element: [read_item(child) for child in element if child.get(_NIL) not in ("true", "1")]
    readers = {f"{{{each.namespace}}}{each.name}": (each.name, _reader(each)) for each in shape.fields}

    def read(element: etree._Element) -> Call:
        record: Call = {}
        for child in element:
            if child.get(_NIL) in ("true", "1"):
                continue
            name, reader = readers[str(child.tag)]
            record[name] = reader(child)
        return record

    return read


def _reader(field: Field) -> Reader:
    if field.shape is not None:
        return _reader_of_shape(field.shape)
    match field.base:
        case "int":
            return lambda element: int(element.text or "0")
        case "double" | "decimal":
            return _finite
        case "boolean":
            return lambda element: (element.text or "").strip() in ("true", "1")
        case _:
            return lambda element: element.text or ""


def _finite(element: etree._Element) -> float:
    value = float((element.text or "0").strip().replace("INF", "inf"))
    if not math.isfinite(value):
        raise BadMessage(f"Server was unable to read request. ---> {element.text} is not an amount.")
    return value


# Writing -------------------------------------------------------------------------------------------------------------


@cache
def _result_writer(operation: str) -> Writer:
    result = description().operations[operation].result
    if result is None:
        raise LookupError(f"{operation} answers nothing")
    return _writer(result, NAMESPACE)


def _writer(field: Field, around: str) -> Writer:
    space = "" if field.namespace == around else f' xmlns="{field.namespace}"'
    start, end = f"<{field.name}{space}>", f"</{field.name}>"
    inner = _content_writer(field)
    return lambda value: f"{start}{inner(value)}{end}"


def _content_writer(field: Field) -> Writer:
    if field.shape is not None:
        return _shape_writer(field.shape, field.namespace)
    match field.base:
        case "int":
            return str
        case "double" | "decimal":
            return _number
        case "boolean":
            return lambda value: "true" if value else "false"
        case _:
            return lambda value: escape(str(value))


def _shape_writer(shape: Shape, around: str) -> Writer:
    if (item := shape.repeated) is not None:
        write_item = _writer(item, around)
        return lambda values: "".join([write_item(value) for value in values])
    parts = [(each.name, _writer(each, around), _absent(each, around)) for each in shape.fields]

    def write(record: Any) -> str:
        known = record.get
        return "".join([absent if (value := known(name)) is None else writer(value) for name, writer, absent in parts])

    return write


def _absent(field: Field, around: str) -> str:
    """What .NET writes for a value that nobody set: nothing, nil, or the neutral value of its type."""
    if not field.required:
        return ""
    if field.nillable:
        space = "" if field.namespace == around else f' xmlns="{field.namespace}"'
        return f'<{field.name}{space} xsi:nil="true"/>'
    neutral: dict[str, Any] = {
        "int": 0,
        "double": 0.0,
        "decimal": 0.0,
        "boolean": False,
        "dateTime": "0001-01-01T00:00:00",
    }
    return _writer(field, around)(field.values[0] if field.values else neutral[field.base])


def _number(value: float) -> str:
    written = repr(round(float(value), 6))
    return written.removesuffix(".0")
