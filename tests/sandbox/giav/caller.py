"""A caller of the GIAV stand-in over a real socket, which checks every answer against the published schema."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import httpx
from lxml import etree

from sandbox.giav import seeds
from sandbox.giav.schema import NAMESPACE, Field, Shape, description
from sandbox.giav.stand_in import PATH

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class Fault(Exception):
    """A SOAP fault: `code` without prefix, `text` the sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Giav:
    """Calls by name and keyword; required parameters that are left out get the neutral value of their type."""

    def __init__(self, base_url: str, key: str = seeds.API_KEY) -> None:
        self.url = base_url
        self.key = key
        # Plain HTTP on the loopback: no certificates to load, which is most of what making a client costs.
        self.http = httpx.Client(base_url=base_url, timeout=60, verify=False)

    def __call__(self, operation: str, **parameters: Any) -> Any:
        body = envelope(request(operation, {"apikey": self.key, **parameters}))
        return read(operation, self.send(operation, body))

    def send(self, operation: str, body: str | bytes, **headers: str) -> httpx.Response:
        sent = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{NAMESPACE}/{operation}"', **headers}
        content = body.encode() if isinstance(body, str) else body
        return self.http.post(PATH, content=content, headers=sent)

    # Shortcuts for what most tests need -------------------------------------------------------------------------------

    def client(self, document: str = "12345678Z", **more: Any) -> int:
        return int(
            self(
                "Cliente_POST",
                tipoCliente="Particular",
                nombre="Ana",
                documento=document,
                facturaECodPais="ESP",
                **more,
            )
        )

    def file(self, **more: Any) -> int:
        wish = {"idOficina": seeds.OFFICE, "idCliente": seeds.HOLDER, "titulo": "Camino de Santiago", "esGrupo": True}
        return int(self("Expediente_POST", **{**wish, **more}))

    def reservation(self, file: int, client: int, **more: Any) -> int:
        wish = {
            "idExpediente": file,
            "idCliente": client,
            "idProveedor": seeds.SUPPLIER_SELF,
            "tipoReserva": "PQ",
            "ventacomis": 1000,
            "margenOperacionPrevisto": 20,
        }
        return int(self("Reserva_Normal_POST", **{**wish, **more}))

    def cobro(self, client: int, amount: float, **more: Any) -> int:
        wish = {
            "idFormaPago": seeds.CARD,
            "idOficina": seeds.OFFICE,
            "idCliente": client,
            "idTipoOperacion": "Cobro",
            "importe": amount,
            "fechaCobro": "2026-03-01",
        }
        return int(self("Cobro_POST", **{**wish, **more}))

    def invoice(self, file: int, client: int, shares: dict[int, float], **more: Any) -> list[int]:
        wish = {
            "serie": "General",
            "idExpediente": file,
            "idCliente": client,
            "idReservas": list(shares),
            "importes": list(shares.values()),
            "fechaEmision": "2026-03-01",
        }
        return list(self("Factura_Servicios_POST", **{**wish, **more}))

    def find(self, operation: str, **filters: Any) -> list[dict[str, Any]]:
        """A SEARCH, without the items that carry no id."""
        found = self(operation, **{"pageSize": 100, "pageIndex": 0, **filters})
        return [each for each in found or [] if each.get("Id", 1) > 0]


def envelope(inner: str) -> str:
    return f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>{inner}</s:Body></s:Envelope>'


def request(operation: str, parameters: dict[str, Any]) -> str:
    """The request wrapper, in schema order. Raises TypeError on a parameter that the operation lacks."""
    shape = description().operations[operation].request
    unknown = set(parameters) - set(shape.lookup())
    if unknown:
        raise TypeError(f"{operation} has no {', '.join(sorted(unknown))}")
    return f'<{operation} xmlns="{NAMESPACE}">{_inner(shape, parameters)}</{operation}>'


def _inner(shape: Shape, values: dict[str, Any]) -> str:
    return "".join(_element(field, values.get(field.name)) for field in shape.fields)


def _element(field: Field, value: Any) -> str:
    if value is None:
        if not field.required:
            return ""
        if field.nillable:
            return f'<{field.name} xsi:nil="true"/>'
        value = field.values[0] if field.values else {"boolean": False}.get(field.base, 0)
    if field.shape is None:
        text = str(value).lower() if isinstance(value, bool) else escape(str(value))
        return f"<{field.name}>{text}</{field.name}>"
    if (item := field.shape.repeated) is not None:
        return f"<{field.name}>{''.join(_element(item, each) for each in value)}</{field.name}>"
    return f"<{field.name}>{_inner(field.shape, value)}</{field.name}>"


def read(operation: str, response: httpx.Response) -> Any:
    """The result; raises Fault on a SOAP fault and AssertionError on an answer that the schema does not allow."""
    root = etree.fromstring(response.content)
    answer = root[0][0]
    if answer.tag == f"{{{ENVELOPE}}}Fault":
        assert response.status_code == 500
        raise Fault(str(answer.findtext("faultcode")).removeprefix("soap:"), str(answer.findtext("faultstring")))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.tag == f"{{{NAMESPACE}}}{operation}Response"
    description().validator.assertValid(answer)
    result = description().operations[operation].result
    if result is None or len(answer) == 0:
        return None
    assert answer[0].tag == f"{{{result.namespace}}}{result.name}"
    return _value(result, answer[0])


def _value(field: Field, element: etree._Element) -> Any:
    if element.get(_NIL) == "true":
        return None
    if field.shape is None:
        text = element.text or ""
        by_base: dict[str, Any] = {"int": int, "double": float, "decimal": float, "boolean": "true".__eq__}
        return by_base.get(field.base, str)(text)
    if (item := field.shape.repeated) is not None:
        return [_value(item, child) for child in element]
    fields = field.shape.lookup()
    named = [(str(etree.QName(child).localname), child) for child in element]
    return {name: _value(fields[name], child) for name, child in named}
