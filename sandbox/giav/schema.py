"""What the service description says, read from `api_2_05.xsd`: operations, shapes and the validator (contracts: giav 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lxml import etree

NAMESPACE = "Giav.Core.Business"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_FILE = Path(__file__).with_name("api_2_05.xsd")


@dataclass
class Shape:
    """A record type: its fields in schema order. A list type has exactly one repeated field."""

    name: str
    namespace: str
    fields: list[Field] = field(default_factory=list)

    @property
    def repeated(self) -> Field | None:
        """The repeated field if this is a list type."""
        return self.fields[0] if len(self.fields) == 1 and self.fields[0].many else None

    def lookup(self) -> Mapping[str, Field]:
        return {each.name: each for each in self.fields}


@dataclass
class Field:
    """One element. Exactly one of `base` (XSD simple type), `values` (enumeration) and `shape` says what it holds."""

    name: str
    namespace: str
    required: bool
    nillable: bool
    many: bool
    base: str = ""
    values: tuple[str, ...] = ()
    shape: Shape | None = None


@dataclass(frozen=True)
class Operation:
    """A request wrapper and the single child of its answer wrapper (None: the answer is empty)."""

    name: str
    request: Shape
    result: Field | None


class Description:
    """The parsed schema documents."""

    def __init__(self, main: Path) -> None:
        document = etree.parse(main)
        self.validator = etree.XMLSchema(document)
        self._roots: dict[str, etree._Element] = {}
        self._read(document.getroot(), main.parent)
        self._shapes: dict[tuple[str, str], Shape] = {}
        top = self._roots[NAMESPACE]
        elements = {str(each.get("name")): each for each in top.iterfind(f"{_XS}element")}
        self.operations = {
            name: self._operation(name, element, elements[f"{name}Response"])
            for name, element in elements.items()
            if f"{name}Response" in elements
        }

    def shape(self, name: str) -> Shape:
        """A record type of the main namespace; raises KeyError if there is none."""
        return self._shapes[NAMESPACE, name]

    def _read(self, root: etree._Element, folder: Path) -> None:
        self._roots[str(root.get("targetNamespace"))] = root
        for each in root.iterfind(f"{_XS}import"):
            self._read(etree.parse(folder / str(each.get("schemaLocation"))).getroot(), folder)

    def _operation(self, name: str, request: etree._Element, answer: etree._Element) -> Operation:
        results = self._fields(answer[0], NAMESPACE)
        return Operation(
            name, Shape(name, NAMESPACE, self._fields(request[0], NAMESPACE)), results[0] if results else None
        )

    def _fields(self, holder: etree._Element, namespace: str) -> list[Field]:
        return [self._field(each, namespace) for each in holder.iterfind(f"{_XS}sequence/{_XS}element")]

    def _field(self, element: etree._Element, namespace: str) -> Field:
        required = element.get("minOccurs") != "0"
        nillable = element.get("nillable") == "true"
        many = element.get("maxOccurs") == "unbounded"
        if (reference := element.get("ref")) is not None:
            namespace, name = self._resolve(element, reference)
            element = self._named("element", namespace, name)
        made = Field(str(element.get("name")), namespace, required, nillable, many)
        home, kind = self._resolve(element, str(element.get("type")))
        if home == _XS.strip("{}"):
            made.base = kind
        elif (simple := self._roots[home].find(f"{_XS}simpleType[@name='{kind}']")) is not None:
            made.values = tuple(str(each.get("value")) for each in simple.iter(f"{_XS}enumeration"))
        else:
            made.shape = self._shape(home, kind)
        return made

    def _shape(self, namespace: str, name: str) -> Shape:
        if (namespace, name) not in self._shapes:
            self._shapes[namespace, name] = made = Shape(name, namespace)
            made.fields = self._fields(self._named("complexType", namespace, name), namespace)
        return self._shapes[namespace, name]

    def _named(self, tag: str, namespace: str, name: str) -> etree._Element:
        found = self._roots[namespace].find(f"{_XS}{tag}[@name='{name}']")
        if found is None:
            raise KeyError(f"{namespace} has no {tag} {name}")
        return found

    @staticmethod
    def _resolve(element: etree._Element, prefixed: str) -> tuple[str, str]:
        prefix, _, name = prefixed.partition(":")
        return str(element.nsmap[prefix]), name


@cache
def description() -> Description:
    """The description, parsed and compiled once per process."""
    return Description(_FILE)
