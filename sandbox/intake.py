"""How a mid-office takes bookings in: by id and revision, payments by transaction, repeats by their key.

Shared by the stand-ins whose formats differ but whose books do not; nothing here knows a format.
"""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any, Literal

from sandbox.shelf import Record, Shelf

CLOSED = "x_closed"
"""A booking whose id ends so can be made, and no longer be touched."""
Why = Literal["unknown", "older", "closed", "value"]


class NotTaken(Exception):
    """Why a message was not taken, in words; nothing was stored."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why, self.text = why, text


class Intake:
    """Bookings and payments by scope (the agency, as the system knows it); safe from several threads."""

    def __init__(self, shelf: Shelf, prefix: str, first: int) -> None:
        self._shelf, self._prefix, self._first = shelf, prefix, first
        self._lock = threading.RLock()

    def close(self) -> None:
        self._shelf.close()

    def booking(self, scope: str, booking_id: str) -> Record | None:
        return self._shelf.get("booking", _key(scope, booking_id))

    def bookings(self) -> list[Record]:
        return list(self._shelf.all("booking").values())

    def payments(self) -> list[Record]:
        return list(self._shelf.all("payment").values())

    def take(
        self, scope: str, booking_id: str, revision: int, content: Record, *, idem: str, known: bool
    ) -> tuple[Record, bool]:
        """Keep a booking's new content; gives what the answer says of it and whether the message had come before.

        `known`: the message is about a booking that must be there. Raises NotTaken.
        """
        with self._lock:
            repeated = self._shelf.get("message", _key(scope, idem))
            if repeated is not None:
                return repeated, True
            held = self.booking(scope, booking_id)
            if held is None and known:
                raise NotTaken("unknown", f"booking {booking_id} is not known")
            if held is not None and booking_id.endswith(CLOSED):
                raise NotTaken("closed", f"booking {booking_id} is invoiced")
            digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
            if held is not None and (revision, digest) != (held["revision"], held["digest"]):
                self._refuse_older(held, booking_id, revision)
            if held is None:
                number = self._shelf.next_number("booking", self._first)
                held = {"id": str(number), "code": f"{self._prefix}{number}", "scope": scope, "bookingId": booking_id}
            kept = {**held, **content, "revision": revision, "digest": digest}
            self._shelf.put("booking", _key(scope, booking_id), kept)
            said = {"id": kept["id"], "code": kept["code"], "bookingId": booking_id, "revision": revision}
            return self._shelf.put("message", _key(scope, idem), said), False

    def pay(self, scope: str, booking_id: str, payment: Record, *, transaction: str, idem: str) -> tuple[Record, bool]:
        """Keep a payment of a known booking once by its transaction; gives what the answer says, and whether it is a
        repeat. Raises NotTaken, also if the transaction was something else before.
        """
        with self._lock:
            held = self.booking(scope, booking_id)
            if held is None:
                raise NotTaken("unknown", f"booking {booking_id} is not known")
            kept = {**payment, "transaction": transaction, "bookingId": booking_id, "scope": scope}
            before = self._shelf.get("payment", _key(scope, transaction))
            said = {"id": held["id"], "code": held["code"], "bookingId": booking_id, "revision": held["revision"]}
            if before is not None:
                if before != kept:
                    raise NotTaken("value", f"transaction {transaction} was another payment")
                return said, True
            self._shelf.put("payment", _key(scope, transaction), kept)
            self._shelf.put("message", _key(scope, idem), said)
            return said, False

    def paid(self, scope: str, booking_id: str) -> list[Record]:
        return [one for one in self.payments() if (one["scope"], one["bookingId"]) == (scope, booking_id)]

    def everything(self) -> dict[str, Any]:
        return {"bookings": self.bookings(), "payments": self.payments()}

    def _refuse_older(self, held: Record, booking_id: str, revision: int) -> None:
        if revision < held["revision"]:
            raise NotTaken("older", f"revision {revision} of {booking_id} is older than {held['revision']}")
        if revision == held["revision"]:
            raise NotTaken("value", f"revision {revision} of {booking_id} came before with other content")


def _key(*parts: str) -> str:
    return "\x1f".join(parts)
