"""Who buys and who travels: invented people and companies with tax ids whose check characters are right.

The numbers are taken from the top of their ranges, which nobody has been given; addresses are well-known streets.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

Doc = dict[str, Any]

NIF_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def nif(number: int) -> str:
    """A Spanish personal tax id: eight digits and the letter that belongs to them."""
    return f"{number:08d}{NIF_LETTERS[number % 23]}"


def cif(letter: str, number: int) -> str:
    """A Spanish company tax id of the kinds A and B: seven digits and their check digit."""
    digits = f"{number:07d}"
    doubled = [int(digit) * 2 for digit in digits[0::2]]
    total = sum(int(digit) for digit in digits[1::2]) + sum(value // 10 + value % 10 for value in doubled)
    return f"{letter}{digits}{(10 - total % 10) % 10}"


@dataclass(frozen=True)
class Person:
    """A private payer; `number` makes id, tax id and telephone."""

    number: int
    first_name: str
    last_name: str
    line1: str
    postcode: str
    city: str
    region: str

    @property
    def party(self) -> Doc:
        return {
            "id": f"cus_{self.number}",
            "kind": "person",
            "name": f"{self.first_name} {self.last_name}",
            "first_name": self.first_name,
            "last_name": self.last_name,
            "tax_id": {"type": "NIF", "value": nif(99_990_000 + self.number), "country": "ES"},
            "address": _address(self.line1, self.postcode, self.city, self.region),
            "email": f"{_plain(self.first_name)}.{_plain(self.last_name.split()[0])}@mail.example",
            "phone": f"+34 600 000 {self.number:03d}",
            "language": "es",
        }

    @property
    def traveller(self) -> Doc:
        return {"first_name": self.first_name, "last_name": self.last_name, "is_payer": True, "room_ref": "R1"}


def _address(line1: str, postcode: str, city: str, region: str) -> Doc:
    return {"line1": line1, "postcode": postcode, "city": city, "region": region, "country": "ES"}


def _plain(name: str) -> str:
    """Lower-case letters without accents, words joined by full stops."""
    stripped = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return ".".join(stripped.lower().split())


def companion(first_name: str, last_name: str, kind: str = "adult", room: str = "R1") -> Doc:
    return {"first_name": first_name, "last_name": last_name, "kind": kind, "room_ref": room}


MERIDIAN: Doc = {
    "id": "cus_901",
    "kind": "company",
    "name": "Laboratorios Meridian, S.A.",
    "tax_id": {"type": "NIF", "value": cif("A", 9_999_001), "country": "ES"},
    "address": _address("Calle de Alcalá 476", "28027", "Madrid", "Madrid"),
    "email": "viajes@meridian.example",
    "phone": "+34 910 000 901",
    "language": "es",
}
ORTUNO: Doc = {
    "id": "cus_902",
    "kind": "company",
    "name": "Ferretería Ortuño, S.L.",
    "tax_id": {"type": "NIF", "value": cif("B", 9_999_002), "country": "ES"},
    "address": _address("Avenida de Aguilera 31", "03007", "Alicante", "Alicante"),
    "email": "administracion@ortuno.example",
    "phone": "+34 965 000 902",
    "language": "es",
}
MERIDIAN_BOOKER: Doc = {
    "id": "cus_903",
    "kind": "person",
    "name": "Beatriz Lozano Cruz",
    "email": "beatriz.lozano@meridian.example",
    "language": "es",
}

LUCIA = Person(101, "Lucía", "Fernández Robles", "Calle Mayor 14, 2º B", "28013", "Madrid", "Madrid")
JAVIER = Person(102, "Javier", "Morales Ibáñez", "Carrer de Colón 48", "46004", "Valencia", "Valencia")
CARMEN_O = Person(
    103, "María del Carmen", "Ortega Vidal", "Gran Vía de Don Diego López 20", "48001", "Bilbao", "Bizkaia"
)
ANTONIO = Person(104, "Antonio", "Ruiz Salcedo", "Calle Sierpes 61", "41004", "Sevilla", "Sevilla")
ELENA = Person(105, "Elena", "Navarro Pons", "Carrer de Balmes 205", "08006", "Barcelona", "Barcelona")
PABLO = Person(106, "Pablo", "Serrano Gil", "Paseo de la Independencia 22", "50004", "Zaragoza", "Zaragoza")
ISABEL = Person(107, "Isabel", "Domínguez Rey", "Rúa do Vilar 35", "15705", "Santiago de Compostela", "A Coruña")
FRANCISCO = Person(108, "Francisco Javier", "Peña Lara", "Calle Larios 9", "29005", "Málaga", "Málaga")
MARTA = Person(109, "Marta", "Castillo Vega", "Calle Uría 17", "33003", "Oviedo", "Asturias")
CARMEN_D = Person(111, "Carmen", "Delgado Prieto", "Calle Trapería 12", "30001", "Murcia", "Murcia")
SERGIO = Person(112, "Sergio", "Iglesias Mora", "Calle de Santiago 25", "47001", "Valladolid", "Valladolid")
NURIA = Person(113, "Nuria", "Campos Ferrer", "Calle de San Miguel 40", "07002", "Palma", "Illes Balears")
MIGUEL = Person(114, "Miguel Ángel", "Soto Blanco", "Calle de Toro 56", "37002", "Salamanca", "Salamanca")

TERESA = Person(115, "Teresa", "Aranda Pozo", "Calle Alcalá 210", "28028", "Madrid", "Madrid")
ANDRES = Person(116, "Andrés", "Fuster Mir", "Carrer de Sant Vicent 101", "46007", "Valencia", "Valencia")
GLORIA = Person(117, "Gloria", "Baena Ortiz", "Avenida de la Constitución 9", "18012", "Granada", "Granada")

_FIRST = (
    "Álvaro", "Ana", "Borja", "Clara", "Daniel", "Esther", "Fernando", "Gloria", "Hugo", "Inés", "Jorge", "Laura",
    "Manuel", "Noelia", "Óscar", "Patricia", "Raúl", "Rocío", "Samuel", "Silvia", "Tomás", "Teresa", "Víctor", "Yolanda",
)  # fmt: skip
_LAST = (
    "Aguirre Luna", "Benítez Sanz", "Calvo Herrera", "Díaz Manzano", "Esteban Moya", "Fuentes Arias", "Gallardo Rubio",
    "Herranz Nieto", "Izquierdo Solís", "Jurado Bravo", "Lorenzo Pardo", "Márquez Leal", "Nogales Roca", "Olmedo Cano",
    "Pascual Rivas", "Quintana Sáez", "Redondo Mesa", "Salas Merino", "Tejada Ponce", "Urbano Lago", "Valero Crespo",
    "Vallejo Amor", "Zafra Montes", "Zamora Vera",
)  # fmt: skip


def staff(first: int, count: int) -> list[Doc]:
    """Employees of Meridian with the fields that their company wants on its AirPlus invoice."""
    return [
        {
            "first_name": _FIRST[at % len(_FIRST)],
            "last_name": _LAST[at % len(_LAST)],
            "room_ref": f"R{(at - first) // 2 + 1}",
            "corporate": {
                "employee_no": f"ME{4100 + at}",
                "cost_centre": "CC4100",
                "project_no": "CONV-SEV",
                "department": "COMERCIAL",
                "purchase_order": "PO-88213",
            },
        }
        for at in range(first, first + count)
    ]
