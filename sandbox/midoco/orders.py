"""Orders, bookings, payments and invoices as MIDOCO holds them (contracts: midoffice 4.1, 4.6)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.midoco.bookings import check_dates, feed_row, key_of, now, same_payment, status_of
from sandbox.midoco.envelope import MidocoError
from sandbox.shelf import Record, Shelf

SKIPPED = "x_skipped"


class Orders:
    """The order database; everything is scoped by organisation unit.

    One booking is known by (unit, supplier, booking id); a booking message about a known one is a change.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known_payments = {
            (payment["unit"], payment["transaction-number"]): payment for payment in self.payments()
        }

    def close(self) -> None:
        self._shelf.close()

    # --- bookings ---

    def announce(self, unit: str, message: Record) -> Record:
        """Create or change every booking of the message; gives the order.

        Raises MidocoError and stores nothing if one of them is wrong.
        """
        bookings: list[Record] = message["booking"]
        prices = message.get("prices", [{}])[0]
        wanted = [self._checked(unit, booking, prices) for booking in bookings]
        order = self._order_of(unit, bookings)
        payments = message.get("ExternalPayment", [])
        self._refuse_other_payments(unit, order, payments)
        order = order or self._new_order(unit)
        customer = message.get("customer")
        if customer and "customer" not in order:
            order["customer"] = customer[0]
        for booking, price in zip(bookings, wanted, strict=True):
            self._store(unit, order, booking, price)
        order["fees"] = prices.get("fee", order.get("fees", []))
        self._keep(order)
        self.pay(unit, order, payments)
        return order

    def _checked(self, unit: str, booking: Record, prices: Record) -> Record:
        held = self.booking(unit, booking["supplier"], booking["booking-id"])
        version, known = booking.get("booking-version"), (held or {}).get("booking-version")
        if version is not None and known is not None and int(version) < int(known):
            raise MidocoError("4007", f"booking-version {version} of {booking['booking-id']} is older than {known}")
        check_dates(booking)
        for price in prices.get("booking-price", []):
            if (price.get("booking-id"), price.get("supplier")) == (booking["booking-id"], booking["supplier"]):
                return dict(price)
        raise MidocoError("4003", f"no booking-price for booking {booking['booking-id']}")

    def _order_of(self, unit: str, bookings: Sequence[Record]) -> Record | None:
        for booking in bookings:
            for key in (booking["booking-id"], booking.get("reference-booking-id")):
                held = key and self.booking(unit, booking["supplier"], key)
                if held:
                    return self.order(unit, held["orderId"])
        return None

    def _new_order(self, unit: str) -> Record:
        number = self._shelf.next_number("order", 700_001)
        return self._keep(
            {
                "orderId": number,
                "orderNo": 26_000_000 + number,
                "unit": unit,
                "createdAt": now(),
                "payments": [],
                "bookings": [],
            }
        )

    def _store(self, unit: str, order: Record, booking: Record, price: Record) -> None:
        key = key_of(unit, booking["supplier"], booking["booking-id"])
        if booking["booking-id"].endswith(SKIPPED):
            self._shelf.put("skipped", key, feed_row(unit, order, booking) | {"reason": "no rule for this booking"})
            return
        held = self._shelf.get("booking", key)
        content = hashlib.sha256(json.dumps([booking, price], sort_keys=True).encode()).hexdigest()
        if held and held["content"] == content:
            held["announced"] += 1
            self._shelf.put("booking", key, held)
            return
        if key not in order["bookings"]:
            order["bookings"].append(key)
        services = booking["accomodation-service"]
        self._shelf.put(
            "booking",
            key,
            {
                **booking,
                "unit": unit,
                "itemId": held["itemId"] if held else self._shelf.next_number("item", 900_001),
                "orderId": order["orderId"],
                "status": status_of([service["service-status"] for service in services]),
                "price": price,
                "startTravel": min(service["start-date"] for service in services),
                "endTravel": max(service["end-date"] for service in services),
                "content": content,
                "announced": held["announced"] + 1 if held else 1,
                "changes": held["changes"] + 1 if held else 0,
                "processedAt": now(),
            },
        )

    def change_status(self, unit: str, wish: Record) -> Record:
        """Give a known booking a new status, and a new id if one is wished; gives the booking."""
        held = self.booking(unit, wish["supplierId"], wish["bookingId"])
        if held is None:
            raise MidocoError("4001", f"booking {wish['bookingId']} of supplier {wish['supplierId']} is not known")
        for service in held["accomodation-service"]:
            service["service-status"] = wish["newStatus"]
        held |= {"status": wish["newStatus"], "content": "", "changes": held["changes"] + 1, "processedAt": now()}
        if "newReferenceBookingId" in wish:
            held["reference-booking-id"] = wish["newReferenceBookingId"]
        if "newBookingId" in wish:
            held["renamedTo"] = wish["newBookingId"]
        self._shelf.put("booking", key_of(unit, wish["supplierId"], wish["bookingId"]), held)
        if "newBookingId" in wish:
            renamed = {**held, "booking-id": wish["newBookingId"], "itemId": self._shelf.next_number("item", 900_001)}
            renamed.pop("renamedTo")
            key = key_of(unit, wish["supplierId"], wish["newBookingId"])
            self._shelf.put("booking", key, renamed)
            order = self.order(unit, held["orderId"])
            order["bookings"].append(key)
            self._keep(order)
        return held

    def booking(self, unit: str, supplier: str, booking_id: str) -> Record | None:
        return self._shelf.get("booking", key_of(unit, supplier, booking_id))

    def bookings(self, unit: str) -> list[Record]:
        return [booking for booking in self._shelf.all("booking").values() if booking["unit"] == unit]

    def called(self, unit: str, booking_id: str, supplier: str | None) -> list[Record]:
        """The bookings with this id: at most one when the supplier is given."""
        if supplier is not None:
            held = self.booking(unit, supplier, booking_id)
            return [held] if held else []
        return [booking for booking in self.bookings(unit) if booking["booking-id"] == booking_id]

    def bookings_of(self, order: Record) -> list[Record]:
        return [held for key in order["bookings"] if (held := self._shelf.get("booking", key)) is not None]

    def skipped(self, unit: str) -> list[Record]:
        return [entry for entry in self._shelf.all("skipped").values() if entry["unit"] == unit]

    # --- orders ---

    def order(self, unit: str, order_id: int | str) -> Record:
        """The order by internal id; raises MidocoError if the unit has none."""
        held = self._shelf.get("order", str(order_id))
        if held is None or held["unit"] != unit:
            raise MidocoError("4002", f"order {order_id} is not known")
        return held

    def order_numbered(self, unit: str, order_no: str) -> Record:
        for order in self._shelf.all("order").values():
            if order["unit"] == unit and str(order["orderNo"]) == order_no:
                return order
        raise MidocoError("4002", f"order number {order_no} is not known")

    def _keep(self, order: Record) -> Record:
        return self._shelf.put("order", str(order["orderId"]), order)

    def total_price(self, order: Record) -> Decimal:
        return sum(
            (
                Decimal(booking["price"]["total-price"])
                for booking in self.bookings_of(order)
                if "renamedTo" not in booking
            ),
            Decimal(0),
        )

    # --- payments ---

    def pay(self, unit: str, order: Record, payments: Sequence[Record], *, guarded: bool = True) -> list[Record]:
        """Add payments to the order; a transaction number that the unit already has is reported, not added again.

        `guarded=False` adds it a second time, as MIDOCO does unless told not to. Raises MidocoError if a known number
        comes with another amount, currency or order; then nothing of the list is stored.
        """
        if guarded:
            self._refuse_other_payments(unit, order, payments)
        known = self._known_payments
        results = []
        for payment in payments:
            held = known.get((unit, payment["transaction-number"]))
            if held and guarded:
                results.append({**held, "result": "DUPLICATE"})
                continue
            kept = {
                **payment,
                "paymentId": self._shelf.next_number("payment", 800_001),
                "orderId": order["orderId"],
                "unit": unit,
            }
            order["payments"].append(kept)
            known[unit, payment["transaction-number"]] = kept
            results.append({**kept, "result": "OK"})
        self._keep(order)
        return results

    def _refuse_other_payments(self, unit: str, order: Record | None, payments: Sequence[Record]) -> None:
        for payment in payments:
            number = payment["transaction-number"]
            held = self._known_payments.get((unit, number))
            if held and not same_payment(held, payment, order["orderId"] if order else None):
                raise MidocoError("6002", f"transaction-number {number} is already used otherwise")

    def payments(self) -> list[Record]:
        return [payment for order in self._shelf.all("order").values() for payment in order["payments"]]

    # --- invoices ---

    def invoice(self, order: Record) -> Record:
        """Invoice what is not invoiced yet; MIDOCO writes invoices, others read them."""
        written = self.invoices(order)
        open_amount = self.total_price(order) - sum((Decimal(entry["invoiceAmount"]) for entry in written), Decimal(0))
        if open_amount == 0:
            raise MidocoError("5001", f"order {order['orderNo']} has nothing to invoice")
        currency = self.bookings_of(order)[0]["price"]["currency"]
        number = self._shelf.next_number("invoice", 1)
        return self._shelf.put(
            "invoice",
            str(number),
            {
                "invoiceId": number,
                "invoiceNo": f"M{datetime.now(UTC):%Y}-{number:06d}",
                "receiptDate": f"{datetime.now(UTC):%Y-%m-%d}",
                "invoiceAmount": f"{open_amount:.2f}",
                "currency": currency,
                "documentId": 300_000 + number,
                "partialInvoice": "false",
                "isDiffInvoice": "true" if written else "false",
                "orderId": order["orderId"],
            },
        )

    def invoices(self, order: Record) -> list[Record]:
        return [entry for entry in self._shelf.all("invoice").values() if entry["orderId"] == order["orderId"]]

    def feed(self, unit: str) -> list[Record]:
        return [
            feed_row(unit, self.order(unit, booking["orderId"]), booking)
            | {"status": booking["status"], "timestamp": booking["processedAt"]}
            for booking in self.bookings(unit)
        ]

    def everything(self) -> dict[str, Any]:
        return {
            "orders": list(self._shelf.all("order").values()),
            "bookings": list(self._shelf.all("booking").values()),
            "payments": self.payments(),
            "invoices": list(self._shelf.all("invoice").values()),
            "skipped": list(self._shelf.all("skipped").values()),
        }
