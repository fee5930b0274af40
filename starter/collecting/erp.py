"""GIAV's side of the books, from what the stand-in holds (contracts: giav 2.4, 2.5, 2.8, 2.9)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from domain.books import Invoice, Receipt, Reserva
from starter.collecting.reading import cents, reference_of, state_of
from starter.collecting.references import NOBODY, References

FOLLOWS = re.compile(r"Sustituye a (\S+)\.")
"""How an invoice that is issued again names the one it follows."""


class Erp:
    """Records of GIAV by the booking they belong to; those of nobody stand under `NOBODY`."""

    def __init__(self, url: str, references: References) -> None:
        state = state_of(url)
        self._references = references
        self._expedientes: list[dict[str, Any]] = state["Expediente"]
        self._documents = {client["Id"]: _document(client) for client in state["Cliente"]}
        self._facturas = {factura["Id"]: factura for factura in state["Factura"]}
        self._children: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self._containers: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._index_reservas(state["Reserva"])
        self.invoices: dict[str, list[Invoice]] = defaultdict(list)
        self.receipts: dict[str, list[Receipt]] = defaultdict(list)
        booking_of = {
            container["Id"]: booking for booking, containers in self._containers.items() for container in containers
        }
        for factura in state["Factura"]:
            owners = {booking_of.get(reserva, NOBODY) for reserva in factura["reservas"]}
            self.invoices["/".join(sorted(owners))].append(self._invoice(factura))
        for cobro in state["Cobro"]:
            receipt = self._receipt(cobro)
            self.receipts[references.booking_of(receipt.fact_id)].append(receipt)

    def _index_reservas(self, reservas: Iterable[dict[str, Any]]) -> None:
        for reserva in reservas:
            parent = reserva.get("Anidacion_IdReservaContenedora")
            if parent is not None:
                self._children[parent].append(reserva)
            elif reserva["TipoReserva"] == "PQ":
                self._containers[reserva["CodSolicitud"]].append(reserva)

    def reservas(self, booking_id: str) -> Iterator[Reserva]:
        for container in self._containers[booking_id]:
            yield Reserva(
                id=str(container["Id"]),
                expediente_id=str(container["IdExpediente"]),
                client_document=self._documents.get(container["IdCliente"]),
                sale=cents(container["VentaComis"]) + cents(container["VentaNoComis"]),
                cost=sum(cents(child["CosteComis"]) for child in self._children[container["Id"]]),
                line_costs={
                    child["CodSolicitud"].rpartition("/")[2]: cents(child["CosteComis"])
                    for child in self._children[container["Id"]]
                },
            )

    def expedientes_of(self, experience_id: str) -> tuple[str, ...]:
        reference = self._references.of("expediente", experience_id)
        return tuple(str(e["Id"]) for e in self._expedientes if reference_of(e) == reference)

    def strangers(self) -> tuple[str, ...]:
        """Documents and receipts that belong to no booking and no fact."""
        found = [*self.invoices.get(NOBODY, ()), *self.receipts.get(NOBODY, ())]
        return tuple(f"{type(record).__name__} {record.id}" for record in found)

    def _invoice(self, factura: dict[str, Any]) -> Invoice:
        reference = reference_of(factura)
        typed = self._references.typed(factura["Descripcion"]) if reference is None else None
        kind, fact, refers_to = self._reading(factura, typed or self._references.fact(reference))
        series, _, _ = factura["Codigo"].rpartition("-")
        return Invoice.model_validate(
            {
                "id": str(factura["Id"]),
                "number": factura["Codigo"],
                "series": series,
                "kind": kind,
                "fact_id": fact,
                "total": cents(factura["total"]),
                "issued_on": date.fromisoformat(factura["FechaEmision"][:10]),
                "refers_to": refers_to,
                "external_key": reference,
                "by_hand": typed is not None,
            }
        )

    def _reading(self, factura: dict[str, Any], fact: str | None) -> tuple[str, str | None, str | None]:
        """Kind, fact and predecessor of a document."""
        if factura["IdTipo"] == "Reembolso":
            before = self._facturas.get(factura.get("IdFacturaAsociada", 0), {})
            credited = self._references.fact(reference_of(before)) if before else None
            return "penalty" if _is_penalty(credited) else "credit_note", fact, before.get("Codigo")
        if fact is not None:
            return "penalty" if _is_penalty(fact) else "original", fact, None
        # Not the first invoice of a payment: one issued again after a credit note, by its own words.
        words = factura["Descripcion"]
        followed = FOLLOWS.search(words)
        payment = next((word for word in words.split() if word.startswith("pay_")), None)
        return "original", payment, followed.group(1) if followed else "nothing that it names"

    def _receipt(self, cobro: dict[str, Any]) -> Receipt:
        reference = reference_of(cobro)
        typed = self._references.typed(cobro.get("Documento")) if reference is None else None
        return Receipt(
            id=str(cobro["Id"]),
            fact_id=typed or self._references.fact(reference),
            kind=cobro["TipoOperacion"],
            amount=abs(cents(cobro["Importe"])),
        )


def _is_penalty(fact: str | None) -> bool:
    return fact is not None and fact.startswith("cxl_")


def _document(client: dict[str, Any]) -> str | None:
    """NIF or passport, as GIAV keeps them: capitals without blanks."""
    return client.get("Documento") or client.get("PasaporteNumero") or None
