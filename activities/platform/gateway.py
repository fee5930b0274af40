"""The platform as the gateway of its payments: what was captured, and money that goes back (contracts: payment-sync 6.2).

Whether the processor takes orders is the agency's setting. Where it does, a refund is one effect, sent once and looked for
ever after. Where it does not, or the payment has no way back through it (cash, a transfer), a case is opened for a person: a
planner gives the money back and declares it (platform-events M9), and the case is done when the platform shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.effects import Effect, Effects
from activities.platform.client import SYSTEM, RefundOrder
from activities.platform.settings import PlatformAccount
from domain.effects import REFERENCE_PREFIX, EffectKey
from domain.errors import ContractBroken, NeedsPerson, Refused
from domain.money import Money, total
from domain.platform import Payment
from domain.ports import GatewayPayment, RefundCase
from store import Store

GOES_BACK = frozenset({"card", "bizum", "sepa_dd"})
"""Methods whose money the processor can give back."""
STATES: dict[str, Any] = {"pending": "requested", "succeeded": "done", "failed": "refused"}


class PlatformGateway:
    """`domain.ports.GatewayPort` for one agency; a payment's `ref` is its id on the platform."""

    def __init__(self, account: PlatformAccount, store: Store, agency: str) -> None:
        self._account, self._store, self._agency = account, store, agency

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
        """The processor's order, made once under this key, or a case for a person. Raises `Refused`."""
        paid = self._store.facts.payment(self._agency, ref)
        if paid is None:
            raise Refused(f"the platform knows no payment {ref}", system=SYSTEM)
        if self._by_order(paid):
            return _case(self._order(paid, amount, reason, idempotency_key))
        return self._by_hand(ref, amount, reason, idempotency_key)

    def get_refund(self, case_id: str) -> RefundCase:
        """As the processor says of its order; of a case by hand: done when the platform shows a refund of this amount, refused
        when the only one that it shows has failed."""
        if case_id.startswith(REFERENCE_PREFIX):
            return _case(self._kept(case_id))
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

    # -- orders --------------------------------------------------------------------------------------------------------

    def _by_order(self, paid: Payment) -> bool:
        takes_orders = self._account.settings.refunds == "processor" and self._account.client is not None
        return takes_orders and paid.method in GOES_BACK and paid.confirmation == "processor"

    def _order(self, paid: Payment, amount: Money, reason: str, idempotency_key: str) -> RefundOrder:
        client = self._account.client
        assert client is not None
        key = EffectKey(self._agency, SYSTEM, "refund", idempotency_key, "order")
        sent = (self._store.effects.last_request(key) or {}).get("amount")
        # An order that may have arrived keeps its amount.
        amount = Money.model_validate(sent) if sent else amount

        def act(reference: str) -> str:
            made = client.order_refund(payment_id=paid.id, merchant_ref=reference, amount=amount, reason=reason)
            return made.id

        def look_up(reference: str) -> list[str]:
            return [each.id for each in client.refund_orders(reference)]

        request = {"payment": paid.id, "amount": amount.model_dump()}
        Effects(self._store.effects).perform(Effect(key, act, look_up, booking_id=paid.booking_id, request=request))
        return self._kept(key.reference)

    def _kept(self, reference: str) -> RefundOrder:
        client = self._account.client
        made = client.refund_orders(reference) if client is not None else []
        if not made:
            raise NeedsPerson(f"refund {reference} was ordered and the processor does not show it", system=SYSTEM)
        return made[0]

    # -- by hand -------------------------------------------------------------------------------------------------------

    def _by_hand(self, ref: str, amount: Money, reason: str, idempotency_key: str) -> RefundCase:
        """Raises `Refused` for more than is left of the payment."""
        paid = self.get_payment(ref)
        if paid is None:
            raise Refused(f"the platform knows no payment {ref}", system=SYSTEM)
        case = f"{ref}:{amount.amount}:{idempotency_key}"
        known = self.get_refund(case)
        if known.state == "done":
            return known
        if amount > paid.amount - paid.refunded:
            raise Refused(f"{paid.amount - paid.refunded} are left of {ref}, not {amount}", system=SYSTEM)
        return RefundCase(case_id=case, state="requested", by_hand=True, words=f"declare it on the platform: {reason}")

    def _shown(self, ref: str) -> dict[str, Any] | None:
        """As the platform shows it; where it cannot be asked (an agency that only imports), as it was told."""
        known = self._store.facts.payment(self._agency, ref)
        if known is None:
            return None
        if self._account.client is not None:
            return next(
                (each for each in self._account.client.payments_of(known.booking_id) if each["id"] == ref), None
            )
        facts = self._store.facts
        told = [each.model_dump(mode="json") for each in facts.refunds_of(self._agency, known.booking_id)]
        stages = [each.model_dump(mode="json") for each in facts.chargebacks_of(self._agency, known.booking_id)]
        return {
            **known.model_dump(mode="json"),
            "refunds": [{**each, "status": "succeeded"} for each in told if each["payment_id"] == ref],
            "chargebacks": [each for each in stages if each["payment_id"] == ref][-1:],
        }


def _case(order: RefundOrder) -> RefundCase:
    return RefundCase(
        case_id=order.merchant_ref, state=STATES[order.status], words=order.message or order.refund_id or ""
    )


def _standing(shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in shown.get("refunds", ()) if each.get("status") != "failed")
