"""The outside systems of one agency, its settings, and what they hold in the end, read from the systems themselves."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faults.street import Street
from sandbox.easycount.stand_in import EasyCountStandIn
from sandbox.giav.stand_in import PATH as GIAV_PATH
from sandbox.giav.stand_in import GiavStandIn
from sandbox.kommo.stand_in import ACCOUNT_ID, CLIENT_ID, KommoStandIn
from sandbox.midoco.stand_in import MidocoStandIn
from sandbox.platform.events import Account
from sandbox.platform.signature import SECRET
from sandbox.platform.stand_in import TOKEN, PlatformStandIn
from sandbox.ratehawk.stand_in import ORDERS, RateHawkStandIn
from sandbox.serving import StandIn
from starter.collecting import StandIns

PATIENCE_SECONDS = 3.0
"""How long a call may take; a slow answer stays below it, a hanging one goes beyond."""
PLATFORM_HOST = "https://platform.example"
HOOK_SECRET = "hook-secret-0123456789abcdef0123456789abcdef"
EASYCOUNT_KEY = "5" * 64
KOMMO_SECRET = "sandbox-kommo-secret-0123456789abcdef0123456789abcdef0123456789abcdef"
KOMMO_TOKEN = "sandbox-kommo-long-lived-token-0123456789"
RATEHAWK_LIMIT = 3000


class QuietPlatform(PlatformStandIn):
    """A platform whose events are carried by whoever plays the scenario, in the order that they choose."""

    def app(self) -> Any:
        return StandIn.app(self)


class NoFiles(StandIn):
    """AirPlus for agencies that never send it a file."""

    name = "airplus"

    def routes(self) -> list[Any]:
        return []

    def state(self) -> dict[str, Any]:
        return {"files": [], "transactions": []}


@dataclass(frozen=True)
class OwnDoor:
    """A stand-in with a socket of its own: a server of files, or one whose address may have no path."""

    stand_in: StandIn
    settings: Mapping[str, Any]
    url: str | None = None


def ratehawk_key(agency: str) -> str:
    """One for each agency: by the key that signed it a webhook finds its agency."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, agency))


def settings_of(
    agency: str, street: str, gateway: str, own: Mapping[str, OwnDoor], systems: frozenset[str]
) -> dict[str, Any]:
    """The section of one agency; the parts of optional systems stand in it where the scenario uses them."""
    door = f"{street}/{agency}"
    found: dict[str, Any] = {
        "name": "Viajes Ejemplo",
        "platform": {
            "source": f"{PLATFORM_HOST}/planners/pl_{agency}",
            "url": f"{door}/platform",
            "token": TOKEN,
            "webhook_secrets": [{"value": SECRET}],
        },
        "giav": {
            "url": f"{door}/giav{GIAV_PATH}",
            "api_key": "sandbox-giav-key",
            "office_id": 3,
            "agency_supplier_id": 501,
            "default_supplier_id": 502,
            "suppliers": {"sup_rh": 503, "sup_giralda": 504, "sup_veleta": 504},
            "b2c_holder_client_id": 1,
            "payment_methods": {"stripe": 14, "airplus": 11, "transfer": 12, "card": 10, "bizum": 10, "default": 10},
            "refund_methods": {"stripe": 14, "airplus": 11, "transfer": 13, "default": 10},
            "stage_open_id": 101,
            "stage_cancelled_id": 102,
            "reserva_stage_open_id": 111,
            "reserva_stage_cancelled_id": 112,
            "connect_seconds": 5.0,
            "read_seconds": PATIENCE_SECONDS,
            "wait_for_expediente_seconds": 0.1,
            "custom_fields": {
                "cliente": 2001,
                "expediente": 2002,
                "reserva": 2003,
                "cobro": 2004,
                "factura": 2005,
                "pasajero": 2006,
            },
        },
        "midoffice": {
            "kind": "midoco",
            "url": f"{door}/midoco",
            "login": "orchestrator",
            "password": "sandbox-midoco",
            "organisation_unit": "1000",
            "agency_no": "100200",
            "supplier_numbers": {"sup_rh": "RHK01", "sup_resort": "RES01"},
            "timeout": PATIENCE_SECONDS,
        },
        "check_files_at": "",
    }
    if "airplus" in systems:
        found["tamara"] = {
            "partner_id": f"ORQ{agency.upper():0>9}",
            "country": "ES",
            "city": "Madrid",
            "mode": "T",
            "retry": {"first_seconds": 0.3, "longest_seconds": 2.0, "denied_seconds": 0.7, "late_seconds": 2.0},
            "ftps" if "ftps" in systems else "sftp": {
                "host": "127.0.0.1",
                "username": "agency",
                "password": "sandbox-airplus",
                "folder": "in",
                **own["airplus"].settings,
            },
        }
    if "ratehawk" in systems:
        found["ratehawk"] = {
            "url": f"{door}/ratehawk",
            "key_id": 1001,
            "api_key": ratehawk_key(agency),
            "suppliers": ["sup_rh"],
        }
    if "kommo" in systems:
        found["kommo"] = {
            "url": own["kommo"].url,
            "account_id": ACCOUNT_ID,
            "token": KOMMO_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": KOMMO_SECRET,
            "redirect_uri": "http://127.0.0.1:8099/kommo",
            "pipeline": 3001,
            "trigger_stages": [33],
            "waiting_stage": 34,
            "paid_stage": 35,
            "gateway_url": gateway,
            "hook_secret": HOOK_SECRET,
        }
        found["easycount"] = {
            "url": own["easycount"].url,
            "api_key": EASYCOUNT_KEY,
            "developer_email": "developer@example.test",
            "success_url": f"{gateway}/thanks",
            "currency": "EUR",
        }
    return found


def invoicing() -> EasyCountStandIn:
    return EasyCountStandIn(api_key=EASYCOUNT_KEY)


def crm() -> KommoStandIn:
    return KommoStandIn(token=KOMMO_TOKEN, client_secret=KOMMO_SECRET, per_second=1000.0)


class House:
    """The stand-ins of one agency behind its doors of the street."""

    def __init__(
        self, street: Street, gateway: str, agency: str, systems: frozenset[str], own: Mapping[str, OwnDoor]
    ) -> None:
        self.street, self.agency = street, agency
        self.platform = QuietPlatform(account=Account(planner_id=f"pl_{agency}", host=PLATFORM_HOST))
        self.giav = GiavStandIn()
        self.stand_ins: dict[str, StandIn] = {
            "platform": self.platform,
            "giav": self.giav,
            "midoco": MidocoStandIn(),
            "airplus": own["airplus"].stand_in if "airplus" in own else NoFiles(),
        }
        if "ratehawk" in systems:
            self.stand_ins["ratehawk"] = RateHawkStandIn(
                api_key=ratehawk_key(agency),
                limits={ORDERS: (RATEHAWK_LIMIT, 60)},
                webhook_url=f"{gateway}/suppliers/ratehawk",
            )
        if "kommo" in systems:
            self.stand_ins["kommo"] = own["kommo"].stand_in
            self.stand_ins["easycount"] = own["easycount"].stand_in
        doors = {name: each for name, each in self.stand_ins.items() if name not in own or own[name].url is None}
        self.urls = {name: street.open(agency, name, each.app()) for name, each in doors.items()}
        self.urls |= {name: each.url for name, each in own.items() if each.url is not None}
        self.platform.ordering.url = self.urls.get("ratehawk")

    def close(self) -> None:
        self.street.close(self.agency)
        for stand_in in self.stand_ins.values():
            stand_in.close()

    @property
    def collected(self) -> StandIns:
        """For the collector of the books."""
        return StandIns(
            giav=self.urls["giav"],
            midoffice=self.urls["midoco"],
            airplus=self.urls["airplus"],
            platform=self.urls["platform"],
            ratehawk=self.urls.get("ratehawk"),
            kommo=self.urls.get("kommo"),
            easycount=self.urls.get("easycount"),
        )

    def calls(self) -> list[tuple[str, str]]:
        """Every call so far, as system and operation, in order of the systems' names and then of time."""
        return [(name, call["operation"]) for name, each in self.stand_ins.items() for call in list(each.calls)]

    def count_of_calls(self) -> Counter[tuple[str, str]]:
        return Counter(self.calls())

    def states(self) -> dict[str, dict[str, Any]]:
        """Everything that each system holds."""
        return {name: each.state() for name, each in self.stand_ins.items()}

    def holdings(self) -> dict[str, int]:
        """How many records of each kind every system holds: what was made twice counts twice, whoever looks for it."""
        found: dict[str, int] = {}
        for name, state in self.states().items():
            if name == "platform":
                continue
            for kind, records in state.items():
                if isinstance(records, list | dict) and kind not in UNCOUNTED:
                    found[f"{name}.{kind}"] = len(records)
        return found


UNCOUNTED = frozenset({"calls", "webhooks", "sent", "deliveries", "logins", "account", "manners", "events", "knobs"})
"""What grows with every look or try, and is no effect."""
