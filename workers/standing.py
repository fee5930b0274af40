"""What waits in the store as gauges, read at every scrape."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from store import Store
from store.standing import LABELS

log = logging.getLogger(__name__)


class StandingCollector(Collector):
    """`bookings_<kind>` and `bookings_<kind>_oldest_seconds`; and whether the store could be asked at all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not ask the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("bookings_store_up", "1 when the store answers")
        try:
            standings = self._store.standings.all()
        except SQLAlchemyError as error:
            log.warning("the store cannot be asked what waits: %s", type(error).__name__)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        for kind, labels in LABELS.items():
            words = kind.replace("_", " ")
            counts = GaugeMetricFamily(f"bookings_{kind}", f"How many {words} there are", labels=labels)
            ages = GaugeMetricFamily(f"bookings_{kind}_oldest_seconds", f"Age of the oldest of {words}", labels=labels)
            for each in standings:
                if each.kind == kind:
                    counts.add_metric(each.labels, each.count)
                    ages.add_metric(each.labels, each.oldest.total_seconds())
            yield counts
            yield ages
