"""Speaks to the control endpoint of a running stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

PORTS = {
    "giav": 18101,
    "midoco": 18102,
    "airplus": 18103,
    "platform": 18104,
    "ratehawk": 18105,
    "tina": 18106,
    "sapeig": 18107,
    "xmid": 18108,
    "ziel": 18109,
    "easycount": 18110,
    "kommo": 18111,
    "postbox": 18112,
}
"""The HTTP ports on which `serve` puts the stand-ins unless told otherwise."""
SFTP_PORT = 18122
FTPS_PORT = 18121
ZIEL_SFTP_PORT = 18123
SMTP_PORT = 18125


class Unreachable(Exception):
    """No answer, or not the answer of this stand-in; the text is one line."""


@dataclass(frozen=True)
class Remote:
    """One running stand-in."""

    system: str
    url: str

    def faults(self) -> Any:
        return self._ask("GET", "/control/faults")

    def set_fault(self, wish: dict[str, Any]) -> Any:
        return self._ask("POST", "/control/faults", wish)

    def clear_faults(self) -> Any:
        return self._ask("DELETE", "/control/faults")

    def calls(self) -> Any:
        return self._ask("GET", "/control/calls")

    def state(self) -> Any:
        return self._ask("GET", "/control/state")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            health = httpx.get(f"{self.url}/control/health", timeout=5).json()
            if health.get("system") != self.system:
                raise Unreachable(f"{self.url} is not {self.system} but {health.get('system')}")
            answer = httpx.request(method, f"{self.url}{path}", json=body, timeout=60)
            held = answer.json()
        except (httpx.HTTPError, ValueError, AttributeError) as error:
            raise Unreachable(
                f"{self.system} does not answer on {self.url}: {error or type(error).__name__}"
            ) from error
        if answer.is_error:
            raise Unreachable(f"{self.system} refused: {held.get('error', held)}")
        return held
