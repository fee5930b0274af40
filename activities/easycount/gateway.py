"""EasyCount as the gateway of its pages: it has no call for a refund, so a case waits for a person (payment-sync 6.2)."""

from __future__ import annotations

from domain.errors import ContractBroken, Refused
from domain.money import Money, total
from domain.ports import GatewayPayment, RefundCase
from store import Store
from store.payment_request_records import DealRefund, LinkPayment

SYSTEM = "easycount"


class EasyCountGateway:
    """`domain.ports.GatewayPort` for one agency; a payment's `ref` is our id of the page that was paid."""

    def __init__(self, store: Store, agency: str) -> None:
        self._store, self._agency = store, agency

    def get_payment(self, ref: str) -> GatewayPayment | None:
        """As the page told it when it was paid, which is all that EasyCount ever tells."""
        found = self._store.payment_requests.payment_if_any(self._agency, ref)
        if found is None:
            return None
        refunded = total((each.amount for each in self._refunds(found)), found.amount.currency)
        state = "refunded" if refunded == found.amount else "partly_refunded" if refunded.amount else "captured"
        return GatewayPayment.model_validate(
            {"ref": ref, "amount": found.amount, "refunded": refunded, "state": state, "auth_code": found.authorisation}
        )

    def request_refund(self, ref: str, amount: Money, reason: str, idempotency_key: str) -> RefundCase:
        """A case for a person, who gives the money back at the card company and names its reference."""
        paid = self.get_payment(ref)
        if paid is None:
            raise Refused(f"no page was paid as {ref}", system=SYSTEM)
        case = f"{ref}:{amount.amount}:{idempotency_key}"
        known = self.get_refund(case)
        if known.state == "requested" and amount > paid.amount - paid.refunded:
            raise Refused(f"{paid.amount - paid.refunded} are left of {ref}, not {amount}", system=SYSTEM)
        words = f"give it back at the card company, then 'bookings deal refund': {reason}"
        return known.model_copy(update={"words": words}) if known.state == "requested" else known

    def get_refund(self, case_id: str) -> RefundCase:
        """Done when a person has confirmed a refund of this amount with its reference."""
        ref, _, rest = case_id.partition(":")
        minor = rest.partition(":")[0]
        if not minor.isdigit():
            raise ContractBroken(f"{case_id} is no case of ours", system=SYSTEM)
        found = self._store.payment_requests.payment_if_any(self._agency, ref)
        done = [each for each in self._refunds(found) if each.amount.amount == int(minor)] if found else []
        if done:
            return RefundCase(case_id=case_id, state="done", by_hand=True, words=done[0].reference)
        return RefundCase(case_id=case_id, state="requested", by_hand=True)

    def _refunds(self, paid: LinkPayment) -> list[DealRefund]:
        every = self._store.payment_requests.refunds(self._agency, paid.deal_id)
        return [each for each in every if each.payment_id == paid.payment_id]
