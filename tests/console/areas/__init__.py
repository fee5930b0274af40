"""What the walk over every page needs of each area: things to show, and the address of an example of each kind of page.

A module per area with `EXAMPLES` (route → address, for routes with a part that varies) and `seed(store, times)`, which puts
`times` things of each kind into the store. The first of them are those that the examples name.
"""

from __future__ import annotations

import importlib
import pkgutil

from fastapi.routing import APIRoute

from starter.console.areas import every_area
from store import Store

_MODULES = tuple(importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
EXAMPLES: dict[str, str] = {
    route: address for module in _MODULES for route, address in getattr(module, "EXAMPLES", {}).items()
}
NOT_PAGES = {"/sign-in", "/sign-in/openid", "/sign-in/openid/back"}
"""Answered with a redirect to somebody who is signed in."""


def seed(store: Store, times: int, *areas: str) -> None:
    """Things of the named areas, of every area when none is named."""
    for module in _MODULES:
        if hasattr(module, "seed") and (not areas or module.__name__.rpartition(".")[2] in areas):
            module.seed(store, times)


def routes() -> list[str]:
    """Every route of the console that shows something."""
    return sorted(
        route.path
        for area in every_area()
        for route in area.router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and route.path not in NOT_PAGES
    )


def address(route: str) -> str:
    """Where an example of this route's page is."""
    return EXAMPLES.get(route, route)
