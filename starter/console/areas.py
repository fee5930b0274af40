"""An area of the console: its routes and what it adds to the navigation. A new module in `pages` with an `AREA` is enough."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass

from fastapi import APIRouter

from domain.people import Role
from starter.console import pages
from starter.console.languages import N_

GROUPS = {
    "work": N_("Trabajo"),
    "money": N_("Dinero"),
    "system": N_("Sistema"),
}
"""The parts of the navigation, in order."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation. `title` is Spanish and marked with `N_`; lower `order` stands higher."""

    path: str
    title: str
    group: str = "work"
    order: int = 50
    needs: Role = Role.VIEWER


@dataclass(frozen=True, slots=True)
class Area:
    """`name` is the area's folder of templates and its file of translations."""

    name: str
    router: APIRouter
    links: tuple[Link, ...] = ()


def every_area() -> tuple[Area, ...]:
    """The `AREA` of each module in `pages`."""
    modules = (
        importlib.import_module(f"{pages.__name__}.{found.name}") for found in pkgutil.iter_modules(pages.__path__)
    )
    return tuple(module.AREA for module in modules if hasattr(module, "AREA"))


def navigation(areas: tuple[Area, ...], role: Role) -> list[tuple[str, list[Link]]]:
    """Groups with the links that this role may open."""
    links = sorted((link for area in areas for link in area.links if role.covers(link.needs)), key=_place)
    groups = [(title, [link for link in links if link.group == group]) for group, title in GROUPS.items()]
    return [(title, those) for title, those in groups if those]


def _place(link: Link) -> tuple[int, str]:
    return link.order, link.path
