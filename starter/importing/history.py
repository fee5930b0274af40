"""One row as the history of one booking: sale, amendments, money, ending (contracts: platform-events 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from starter.importing.expressions import Row, Unusable
from starter.importing.identity import Identity
from starter.importing.mapping import CancellationMapping, Mapping, PaymentMapping
from starter.importing.sale import Data, Sale, effect, money

MOST_AMENDMENTS = 50
REFUND_DEADLINE = timedelta(days=14)
"""By when money of a cancelled trip must be back (money-rules: viaje combinado)."""

Deed = tuple[date, int, Callable[[date], None]]
"""A day, the rank within the day, what happens."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One event before it gets its envelope: aggregate type, id and revision; `parts` of `data` beside the common ones."""

    kind: str
    on: date
    aggregate: tuple[str, str, int]
    parts: Data


@dataclass(slots=True)
class BookingHistory:
    """Tells the moments of one row, whose trip is `experience_id`."""

    mapping: Mapping
    row: Row
    identity: Identity
    experience_id: str
    moments: list[Moment] = field(default_factory=list)
    _payments: list[tuple[str, int]] = field(default_factory=list)
    _revision: int = 0

    def tell(self) -> list[Moment]:
        """All moments in the order in which they happened. Raises `Unusable`."""
        booked, ending = self.row.day("booked"), self._ending()
        closes = self.row.day(ending.on) if ending else self.row.day("departure")
        self._check_dates(booked, closes)
        sale = Sale(self.mapping, self.row, self.identity, self.experience_id, booked)
        self._tell_state("booking.created", sale, booked, {})
        deeds = [*self._amendments(sale, booked, closes), *self._captures(sale, booked)]
        if ending:
            deeds.append((closes, 90, lambda on: self._cancel(sale, ending, on)))
        for day, _, act in sorted(deeds, key=lambda deed: deed[:2]):
            act(day)
        return sorted(self.moments, key=lambda moment: moment.on)

    def _ending(self) -> CancellationMapping | None:
        return next((rule for rule in self.mapping.cancellations if self.row.matches(rule.when)), None)

    def _check_dates(self, booked: date, closes: date) -> None:
        arrival = self.row.day("arrival")
        if self.row.day("departure") <= arrival:
            raise Unusable("no nights: the departure is not after the arrival")
        if booked > arrival:
            raise Unusable("booked after the arrival")
        if closes < booked:
            raise Unusable("ended before it was booked")

    def _amendments(self, sale: Sale, booked: date, closes: date) -> list[Deed]:
        """Spread evenly between the sale and the arrival, or the end if that comes first."""
        changes = self.mapping.changes
        count = self.row.whole(changes.count) if changes else 0
        if not 0 <= count <= MOST_AMENDMENTS:
            raise Unusable(f"{count} amendments cannot be")
        span = (min(closes, self.row.day("arrival")) - booked).days

        def deed(number: int) -> Deed:
            day = booked + timedelta(days=span * (number + 1) // (count + 1))
            return day, 10 + number, lambda on: self._amend(sale, number, on)

        return [deed(number) for number in range(count)]

    def _captures(self, sale: Sale, booked: date) -> list[Deed]:
        def deed(rank: int, rule: PaymentMapping) -> Deed:
            on = max(self.row.day(rule.on), booked)
            return on, 5 if on == booked else 70 + rank, lambda day: self._pay(sale, rule, day)

        rules = [rule for rule in self.mapping.payments if self.row.matches(rule.when)]
        return [deed(rank, rule) for rank, rule in enumerate(rules)]

    def _tell_state(self, kind: str, sale: Sale, on: date, parts: Data) -> None:
        self._revision += 1
        aggregate = ("booking", self.identity.booking_id, self._revision)
        self.moments.append(Moment(kind, on, aggregate, {"booking": sale.snapshot(on), **parts}))

    def _amend(self, sale: Sale, number: int, on: date) -> None:
        rules = self.mapping.changes
        assert rules is not None
        before = sale.totals()
        if rules.kinds[number % len(rules.kinds)] == "modified":
            change = sale.move_room(f"R{number + 2}")
            parts = {"changes": [change], "price_effect": effect(before["total"], before["total"])}
            self._tell_state("booking.modified", sale, on, parts)
            return
        line = sale.add_extra(rules.extra)
        after = sale.totals()
        change = {
            "id": f"chg_{number:02d}{self.identity.token}",
            "action": "added",
            "line_before": None,
            "line_after": line,
            "initiated_by": "customer",
            "significant": False,
            "consent": {"required": False},
            "effective_at": f"{on.isoformat()}T11:00:00Z",
        }
        parts = {
            "service_change": change,
            "price_effect": effect(before["total"], after["total"]),
            "cost_effect": effect(before["cost"], after["cost"]),
        }
        self._tell_state("booking.service_changed", sale, on, parts)

    def _pay(self, sale: Sale, rule: PaymentMapping, on: date) -> None:
        totals = sale.totals()
        share = totals["due"] if rule.percent == "balance" else totals["total"].percent(str(rule.percent))
        amount = min(share, totals["due"])
        if amount.amount <= 0:
            return
        token = f"{len(self._payments) + 1:02d}{self.identity.token}"
        payment_id = f"pay_{token}"
        payment = {
            "id": payment_id,
            "booking_id": self.identity.booking_id,
            "experience_id": self.experience_id,
            "payer_id": sale.payer["id"],
            "amount": money(amount),
            "method": rule.method,
            "processor": {"name": "import", "payment_ref": f"import-{token}"},
            "initiation": "manual",
            "captured_at": f"{on.isoformat()}T13:00:00Z",
            "value_date": on.isoformat(),
            "confirmation": "declared",
        }
        self._payments.append((payment_id, amount.amount))
        sale.captured += amount.amount
        self.moments.append(Moment("payment.captured", on, ("payment", payment_id, 1), {"payment": payment}))

    def _cancel(self, sale: Sale, rule: CancellationMapping, on: date) -> None:
        before = sale.totals()
        penalty = before[rule.penalty_of].percent(str(rule.penalty_percent))
        owed = max(0, before["captured"].amount - penalty.amount)
        if owed and rule.refund_after_days is None:
            raise Unusable("the mapping keeps money above the penalty: give refund_after_days")
        sale.cancel(penalty, rule.supplier_percent)
        cancellation = {
            "id": f"cxl_{self.identity.token}",
            "scope": "full",
            "traveller_ids": [traveller["id"] for traveller in sale.travellers],
            "line_ids": [line["id"] for line in sale.lines],
            "requested_at": f"{on.isoformat()}T12:00:00Z",
            "effective_at": f"{on.isoformat()}T12:00:00Z",
            "initiated_by": rule.initiated_by,
            "cause": rule.cause,
            "penalty": {"amount": money(penalty), "treatment": rule.treatment if penalty else "none"},
            "refund": {
                "decided": True,
                "amount": money(sale.of(owed)),
                "deadline": f"{(on + REFUND_DEADLINE).isoformat()}T12:00:00Z",
            },
        }
        self._tell_state("booking.cancelled", sale, on, {"cancellation": cancellation})
        self._give_back(sale, on + timedelta(days=rule.refund_after_days or 0), owed)

    def _give_back(self, sale: Sale, on: date, owed: int) -> None:
        """From the newest payment first, never more than it brought."""
        for number, (payment_id, captured) in enumerate(reversed(self._payments), start=1):
            back = min(owed, captured)
            if back == 0:
                return
            owed -= back
            sale.refunded += back
            refund = {
                "id": f"ref_{number:02d}{self.identity.token}",
                "payment_id": payment_id,
                "booking_id": self.identity.booking_id,
                "amount": money(sale.of(back)),
                "cause": "cancellation",
                "cancellation_id": f"cxl_{self.identity.token}",
                "destination": "original_method",
                "status": "declared",
                "processor": {"name": "import"},
                "requested_at": f"{on.isoformat()}T14:00:00Z",
                "settled_at": f"{on.isoformat()}T14:00:00Z",
            }
            paid = {"id": payment_id, "amount": money(sale.of(captured)), "refunded_total": money(sale.of(back))}
            parts = {"refund": refund, "payment_ref": paid}
            self.moments.append(Moment("payment.refunded", on, ("payment", payment_id, 2), parts))
