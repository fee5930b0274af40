"""Events as the gateway takes them in."""

import json
from datetime import UTC, datetime
from pathlib import Path

from starter.events import take_in
from store import Store
from tests.starter.agency import NOW, installation, payment_captured

EXAMPLES = {"/events/{agency}/{event_id}": f"/events/demo/{payment_captured()['id']}"}


def seed(store: Store, times: int) -> None:
    for number in range(1, times + 1):
        event = payment_captured(number, f"pay_{1000 + number}")
        take_in(
            store,
            installation(Path("var")),
            json.dumps(event).encode(),
            received_at=datetime.fromtimestamp(NOW, UTC),
            event_id=event["id"],
        )
