"""An XML schema of requests, made of an operations table and of nothing that writes them (contracts: giav 1.2, giav-operations)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

NAMESPACE = "Giav.Core.Business"
SIMPLE = frozenset({"string", "int", "double", "boolean", "dateTime"})
Members = Sequence[Mapping[str, Any]]


def schema_of(
    requests: Mapping[str, Members], types: Mapping[str, Members], enums: Mapping[str, Sequence[str]]
) -> etree.XMLSchema:
    """Every request wrapper as a global element; a type is a sequence of its members, an enumeration a list of strings."""
    parts = [
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:g="{NAMESPACE}"'
        f' targetNamespace="{NAMESPACE}" elementFormDefault="qualified">',
        *(f'<xs:element name="{name}">{_sequence(members)}</xs:element>' for name, members in requests.items()),
        *(_sequence(types[name], _named(name)) for name in sorted(_reached(requests, types) & types.keys())),
        *(_enumeration(name, values) for name, values in enums.items()),
        "</xs:schema>",
    ]
    return etree.XMLSchema(etree.fromstring("".join(parts)))


def _reached(requests: Mapping[str, Members], types: Mapping[str, Members]) -> set[str]:
    """Types that requests are made of; those of answers have members in other namespaces."""
    found: set[str] = set()

    def visit(members: Members) -> None:
        for member in members:
            if member["type"] not in found:
                found.add(member["type"])
                visit(types.get(member["type"], ()))

    for members in requests.values():
        visit(members)
    return found


def _sequence(members: Members, name: str | None = None) -> str:
    attribute = f' name="{name}"' if name else ""
    return f"<xs:complexType{attribute}><xs:sequence>{''.join(map(_element, members))}</xs:sequence></xs:complexType>"


def _element(member: Mapping[str, Any]) -> str:
    kind = f"xs:{member['type']}" if member["type"] in SIMPLE else f"g:{_named(member['type'])}"
    return f'<xs:element name="{member["name"]}" type="{kind}"{"".join(_occurs(member))}/>'


def _occurs(member: Mapping[str, Any]) -> Iterator[str]:
    yield f' minOccurs="{member.get("req", 0)}"'
    if member.get("many"):
        yield ' maxOccurs="unbounded"'
    if member.get("nil"):
        yield ' nillable="true"'


def _enumeration(name: str, values: Sequence[str]) -> str:
    choices = "".join(f"<xs:enumeration value={quoteattr(value)}/>" for value in values)
    return f'<xs:simpleType name="{_named(name)}"><xs:restriction base="xs:string">{choices}</xs:restriction></xs:simpleType>'


def _named(kind: str) -> str:
    """A type `Name@X` lives in another namespace, which no request shows; here they need names apart."""
    return kind.replace("@", ".")
