"""Hours become moments: every wait of the product, shortened in the same order, so that a case of days ends in seconds."""

from __future__ import annotations

from datetime import timedelta

import activities.ratehawk.feed
import domain.deals
import domain.effects
import domain.mailbox
import domain.payment_sync.conditions
import sandbox.ratehawk.stand_in
import workers.pulse
import workflows.payment_sync
import workflows.record_payment
import workflows.stepping
from activities.signatures import VERBS

SILENCE = timedelta(seconds=3.0)
"""After which a cell of a dead worker is taken over; in the product ten seconds."""


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def shorten() -> None:
    """For this process, for good; the order of the waits stays as it is in the product."""
    domain.effects.VERIFY_WAITS = (0.2, 0.5, 1.0)
    domain.mailbox.PATIENCE = seconds(6)
    for module in (domain.payment_sync.conditions, workflows.record_payment):
        module.RETRIES = tuple(map(seconds, (0.5, 1, 2, 3, 4)))  # type: ignore[attr-defined]
        module.PROBES = tuple(map(seconds, (1, 1.5, 2, 2, 2, 2, 2)))  # type: ignore[attr-defined]
    domain.payment_sync.conditions.APART = seconds(0.8)
    workflows.record_payment.HOLDS_NOTHING_BACK = seconds(1.9)
    domain.deals.SOON = tuple(map(seconds, (0.5, 1, 1.5, 2, *range(3, 600, 3))))
    for policy in (workflows.stepping.FOREVER, workflows.payment_sync.UNTIL_READY):
        policy.initial_interval, policy.maximum_interval = seconds(0.3), seconds(2)
    workflows.payment_sync.PATIENCE.initial_interval = seconds(0.3)
    workflows.payment_sync.PATIENCE.maximum_interval = seconds(1)
    workflows.payment_sync.AT_ONCE.initial_interval = seconds(0.3)
    activities.ratehawk.feed.SETTLED = seconds(2)
    # So long the supplier's stand-in takes to show what was done to an order.
    sandbox.ratehawk.stand_in.INFO_DELAY, sandbox.ratehawk.stand_in.STAFF_DELAY = 1, 1
    workers.pulse.BEAT = seconds(0.7)
    for verb in VERBS.values():
        object.__setattr__(verb, "silence", SILENCE)
