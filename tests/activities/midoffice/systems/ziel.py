"""Z.I.E.L. for the conformance suite: files lie until time passes, then they are read and acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sandbox.airplus.running import running_sftp
from sandbox.ziel.stand_in import PASSWORD, USER, ZielStandIn
from tests.activities.midoffice.under_test import Deed, Held, Paid, UnderTest

STATUS = {"OK": "CONFIRMED", "NS": "CONFIRMED", "ST": "CANCELLED"}


class ZielUnderTest(UnderTest):
    """A refusal is what an acknowledgement says; everything else befalls the files on their way."""

    def fault(self, deed: Deed, kind: str, **more: Any) -> None:
        operation = "ack" if kind == "refuse" else self.operations[deed]
        self.stand_in.faults.set({"operation": operation, "kind": kind, **more})


@contextmanager
def ziel() -> Iterator[UnderTest]:
    stand_in = ZielStandIn(
        agencies=frozenset({"AG01"}), suppliers=frozenset({"RATEHAWK", "70012"}), answers_at_once=False
    )

    def held() -> dict[str, Held]:
        return {
            one["buchungsnr"]: Held(
                STATUS[one["status"]],  # type: ignore[arg-type]
                _money(one["vk_brutto"]),
                _money(one["ek_brutto"]),
                len(one["travellers"]),
                int(one["revision"]),
            )
            for one in stand_in.state()["bookings"]
        }

    def paid() -> list[Paid]:
        found = stand_in.state()["payments"]
        return [Paid(one["transaktion"], _money(one["betrag"]), one["waehrung"]) for one in found]

    with running_sftp(stand_in) as reach:
        sftp = {"host": reach.host, "port": reach.port, "username": USER, "host_keys": [reach.fingerprint]}
        yield ZielUnderTest(
            name="ziel",
            stand_in=stand_in,
            section={
                "kind": "ziel",
                "agency_no": "AG01",
                "supplier_numbers": {"sup_rh": "RATEHAWK", "sup_direct": "70012"},
                "sftp": {**sftp, "password": PASSWORD},
            },
            operations=dict.fromkeys(("create", "change", "cancel", "pay", "find"), "rename"),
            stranger={"sftp": {**sftp, "password": "wrong-one"}},
            held=held,
            paid=paid,
            time_passes=lambda: _read(stand_in),
        )
        stand_in.close()


def _read(stand_in: ZielStandIn) -> None:
    stand_in.run()


def _money(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
