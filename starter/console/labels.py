"""Spanish words for what the program calls by code: roles, answers, reasons, states. What has no word shows its code.

An area adds its own kinds with `add` when it is loaded. Texts are marked for translation here and translated where shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from starter.console.languages import N_

COMMON = (
    N_("Abierto"),
    N_("Acciones"),
    N_("Acción"),
    N_("Agencia"),
    N_("Buscar"),
    N_("Cancelar"),
    N_("Cliente"),
    N_("Cobro"),
    N_("Creado"),
    N_("Detalle"),
    N_("Proceso"),
    N_("Desde"),
    N_("Estado"),
    N_("Evento"),
    N_("Experiencia"),
    N_("Fecha"),
    N_("Filtrar"),
    N_("Fichero"),
    N_("Guardar"),
    N_("Hasta"),
    N_("Historial"),
    N_("Importe"),
    N_("Moneda"),
    N_("Motivo"),
    N_("Nombre"),
    N_("Plan"),
    N_("Plazo"),
    N_("Quién"),
    N_("Reserva"),
    N_("Responsable"),
    N_("Sistema"),
    N_("Sobre"),
    N_("Tipo"),
    N_("Total"),
    N_("Ver"),
    N_("Volver"),
    N_("Explicación"),
    N_("todos"),
    N_("todas"),
    N_("sí"),
    N_("no"),
)
"""Words that many pages use: translated once, with the frame."""

_KINDS: dict[str, dict[str, str]] = {
    "role": {
        "viewer": N_("Consulta"),
        "operator": N_("Operación"),
        "supervisor": N_("Supervisión"),
        "administrator": N_("Administración"),
    },
    "owner": {
        "accounting": N_("Contabilidad"),
        "operations": N_("Operaciones"),
        "technical": N_("Técnica"),
        "supervisor": N_("Supervisión"),
    },
    "actor": {
        "system": N_("el programa"),
        "command line": N_("la línea de órdenes"),
    },
    "outcome": {
        "done": N_("hecho"),
        "refused": N_("rechazado"),
        "failed": N_("fallido"),
    },
    "way": {
        "console": N_("consola"),
        "command": N_("línea de comandos"),
        "api": N_("API"),
    },
}


def add(kind: str, words: Mapping[str, str]) -> None:
    """Words of another kind, or more words of one that exists."""
    _KINDS.setdefault(kind, {}).update(words)


def label(kind: str, value: object) -> str:
    """The Spanish word for a value, the value itself where there is none."""
    return _KINDS.get(kind, {}).get(str(value), str(value))
