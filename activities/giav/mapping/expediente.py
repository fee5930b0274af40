"""The file of an experience: Expediente (contracts: giav 2.4)."""

from __future__ import annotations

from datetime import date

from activities.giav.mapping.values import Request, reference_field
from activities.giav.settings import GiavSettings
from domain.platform import Experience


def title(experience: Experience) -> str:
    """The trip's title and its platform id, by which a person and a look-up find it again."""
    return f"{experience.title[:150]} [{experience.id}]"


def content(experience: Experience, holder: int, reference: str, settings: GiavSettings) -> Request:
    """What POST and PUT have in common."""
    cancelled = experience.status == "cancelled"
    return {
        "idCliente": holder,
        "idEntityStage": settings.stage_cancelled_id if cancelled else settings.stage_open_id,
        "esGrupo": True,
        "titulo": title(experience),
        "observacionesInternas": f"{experience.id} {reference}",
        "fechaDesde": experience.starts_on.isoformat(),
        "fechaHasta": experience.ends_on.isoformat(),
        "customDataValues": reference_field(settings.custom_fields.expediente, reference),
    }


def expediente(experience: Experience, holder: int, opened_on: date, reference: str, settings: GiavSettings) -> Request:
    """`Expediente_POST`."""
    shared = content(experience, holder, reference, settings)
    return {"idOficina": settings.office_id, "fechaApertura": opened_on.isoformat(), **shared}
