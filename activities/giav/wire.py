"""GIAV's SOAP 1.1 on the wire: envelopes written and answers read by the operations table (contracts: giav 1.2, 1.6, 2.1).

Every operation is compiled once into a plan; a call then only joins strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from lxml import etree

from activities.giav.elements import (
    NIL,
    SIMPLE_READERS,
    SIMPLE_WRITERS,
    XSI,
    Member,
    Reader,
    WireError,
    Writer,
    array,
    compound,
    element,
    enumeration,
    items,
    record,
    text,
    value,
)

NAMESPACE = "Giav.Core.Business"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_HEAD = f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:xsi="{XSI}"><s:Body>'
_TAIL = "</s:Body></s:Envelope>"


class NotXml(ValueError):
    """The body is no XML that we accept (a page of HTML, a cut answer, one with a document type)."""


@dataclass(frozen=True, slots=True)
class SoapFault(Exception):
    """An answer that is a fault; `code` without its prefix."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A compiled operation. `writes` tells whether it may change anything on the other side."""

    name: str
    writes: bool
    members: tuple[Member, ...]
    names: frozenset[str]
    answer_tag: str
    result_tag: str | None
    result_is_list: bool
    read: Reader | None

    @property
    def soap_action(self) -> str:
        return f'"{NAMESPACE}/{self.name}"'

    def envelope(self, key: str, values: Mapping[str, Any]) -> bytes:
        """The request with the key as first element. Raises `WireError` on an unknown, missing or ill-typed value."""
        unknown = values.keys() - self.names
        if unknown:
            raise WireError(f"{self.name} has no {', '.join(sorted(unknown))}")
        parts = [_HEAD, f'<{self.name} xmlns="{NAMESPACE}">', f"<apikey>{text(key)}</apikey>"]
        for member in self.members:
            value = values.get(member.name)
            if value is not None:
                parts.append(member.write(value, member.name))
            elif member.absent is not None:
                parts.append(member.absent)
            else:
                raise WireError(f"{self.name} needs {member.name}")
        parts += (f"</{self.name}>", _TAIL)
        return "".join(parts).encode()

    def answer(self, body: bytes) -> Any:
        """The result of a successful answer: an int, a record, a list, or None for an empty wrapper.

        Raises `NotXml`, `SoapFault`, or `WireError` when the XML is not an answer to this operation.
        """
        content = soap_body(body)
        if content.tag == f"{{{SOAP}}}Fault":
            raise SoapFault(
                code=(content.findtext("faultcode") or "").rpartition(":")[2],
                text=(content.findtext("faultstring") or "").strip(),
            )
        if content.tag != self.answer_tag:
            raise WireError(f"{self.name} was answered with another element")
        if self.read is None or self.result_tag is None:
            return None
        result = content.find(self.result_tag)
        if result is None or result.get(NIL) in ("true", "1"):
            return [] if self.result_is_list else None
        return self.read(result)


def soap_body(body: bytes) -> etree._Element:
    """The one element inside the SOAP body. Raises `NotXml`, also for anything with a document type."""
    # No entity is ever resolved and no document type accepted: nobody honest sends one in SOAP.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise NotXml("not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type is not accepted")
    if root.tag != f"{{{SOAP}}}Envelope":
        raise NotXml("not a SOAP envelope")
    content = root.find(f"{{{SOAP}}}Body")
    if content is None or len(content) != 1:
        raise NotXml("not one element in the SOAP body")
    return content[0]


@cache
def operations() -> Mapping[str, Operation]:
    """The compiled table of this package."""
    table = yaml.load(files("activities.giav").joinpath("operations.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    compiler = _Compiler(table["types"], {name: frozenset(values) for name, values in table["enums"].items()})
    return {name: compiler.operation(name, spec) for name, spec in table["operations"].items()}


class _Compiler:
    def __init__(self, types: Mapping[str, Any], enums: Mapping[str, frozenset[str]]) -> None:
        self._types = types
        self._enums = enums

    def operation(self, name: str, spec: Mapping[str, Any]) -> Operation:
        members = tuple(self._member(m) for m in spec["request"] if m["name"] != "apikey")
        result = spec["result"]
        return Operation(
            name=name,
            writes=not name.endswith(("_GET", "_SEARCH")),
            members=members,
            names=frozenset(member.name for member in members),
            answer_tag=f"{{{NAMESPACE}}}{name}Response",
            result_tag=None if result is None else f"{{{NAMESPACE}}}{result['name']}",
            result_is_list=result is not None and result["type"].startswith("ArrayOf"),
            read=None if result is None else self._reader(result["type"]),
        )

    def _member(self, spec: Mapping[str, Any]) -> Member:
        absent: str | None = ""
        if spec.get("req"):
            absent = f'<{spec["name"]} xsi:nil="true"/>' if spec.get("nil") else None
        return Member(spec["name"], self._writer(spec["type"]), absent)

    def _writer(self, kind: str) -> Writer:
        if kind in SIMPLE_WRITERS:
            return element(SIMPLE_WRITERS[kind])
        if kind in self._enums:
            return element(enumeration(self._enums[kind]))
        fields = self._types[kind]
        if len(fields) == 1 and fields[0].get("many"):
            return array(fields[0]["name"], self._writer(fields[0]["type"]))
        return compound([(self._member(spec)) for spec in fields])

    def _reader(self, kind: str) -> Reader:
        if kind in SIMPLE_READERS:
            return value(SIMPLE_READERS[kind])
        if kind in self._enums:
            return value(str)
        fields = self._types[kind]
        own = f"{NAMESPACE}.{kind.partition('@')[2]}" if "@" in kind else NAMESPACE
        if len(fields) == 1 and fields[0].get("many"):
            return items(f"{{{own}}}{fields[0]['name']}", self._reader(fields[0]["type"]))
        plan = {
            f"{{{spec.get('ns', own)}}}{spec['name']}": (spec["name"], self._reader(spec["type"])) for spec in fields
        }
        return record(plan)
