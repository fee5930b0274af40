"""MIDOCO's XML namespaces (contracts: midoffice 4)."""

from __future__ import annotations

BOOKING = "http://www.midoco.de/booking"
ORDER = "http://www.midoco.de/order"
SYSTEM = "http://www.midoco.de/system"
NAMESPACES = frozenset({BOOKING, ORDER})
