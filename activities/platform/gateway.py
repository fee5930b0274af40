"""The platform as the gateway of its payments: what was captured and given back; a refund is asked of a planner (payment-sync 6.2).

The platform gives no money back by a call of ours (platform-events M9): a case is opened, a planner declares the refund, and
the case is done when the platform shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.platform.client import PlatformClient
from domain.errors import ContractBroken, Refused
from domain.money import Money, total
from domain.ports import GatewayPayment, RefundCase
from store import Store

SYSTEM = "platform"


class PlatformGateway:
    """`domain.ports.GatewayPort` for one agency; a payment's `ref` is its id on the platform."""

    def __init__(self, client: PlatformClient, store: Store, agency: str) -> None:
        self._client, self._store, self._agency = client, store, agency

    def get_payment(self, ref: str) -> GatewayPayment | None:
        shown = self._shown(ref)
        if shown is None:
            return None
        amount = Money.model_validate(shown["amount"])
        refunded = total((Money.model_validate(each["amount"]) for each in _standing(shown)), amount.currency)
        gone = any(each.get("stage") in ("funds_withdrawn", "lost") for each in shown.get("chargebacks", ()))
        state = "charged_back" if gone else "refunded" if refunded == amount else "captured"
        if refunded.amount and refunded != amount:
            state = "partly_refunded"
        code = (shown.get("processor") or {}).get("authorization_code") or ""
        return GatewayPayment.model_validate(
            {"ref": ref, "amount": amount, "refunded": refunded, "state": state, "auth_code": code}
        )

    def request_refund(self, ref: str, amount: Money, reason: str, idempotency_key: str) -> RefundCase:
        """A case for a person. Raises `Refused` for more than is left of the payment."""
        paid = self.get_payment(ref)
        if paid is None:
            raise Refused(f"the platform knows no payment {ref}", system=SYSTEM)
        case = f"{ref}:{amount.amount}:{idempotency_key}"
        if self.get_refund(case).state == "done":
            return self.get_refund(case)
        if amount > paid.amount - paid.refunded:
            raise Refused(f"{paid.amount - paid.refunded} are left of {ref}, not {amount}", system=SYSTEM)
        return RefundCase(case_id=case, state="requested", by_hand=True, words=f"declare it on the platform: {reason}")

    def get_refund(self, case_id: str) -> RefundCase:
        """Done when the platform shows a refund of this amount; refused when the only one that it shows has failed."""
        ref, _, rest = case_id.partition(":")
        minor = rest.partition(":")[0]
        if not minor.isdigit():
            raise ContractBroken(f"{case_id} is no case of ours", system=SYSTEM)
        shown = self._shown(ref) or {}
        alike = [each for each in shown.get("refunds", ()) if each["amount"]["amount"] == int(minor)]
        for each in alike:
            if each.get("status") == "succeeded":
                return RefundCase(case_id=case_id, state="done", by_hand=True, words=str(each["id"]))
        failed = bool(alike) and all(each.get("status") == "failed" for each in alike)
        return RefundCase(case_id=case_id, state="refused" if failed else "requested", by_hand=True)

    def _shown(self, ref: str) -> dict[str, Any] | None:
        known = self._store.facts.payment(self._agency, ref)
        pages = self._client.payments_of(known.booking_id) if known is not None else iter(())
        return next((each for each in pages if each["id"] == ref), None)


def _standing(shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in shown.get("refunds", ()) if each.get("status") != "failed")
