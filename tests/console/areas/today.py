"""Parked items."""

from domain.money import Money
from store import Store
from store.parked import StoreParking


def seed(store: Store, times: int) -> None:
    for number in range(1, times + 1):
        store.parked.open_from_store(
            StoreParking(
                item_id=f"prk_{number}",
                agency="demo",
                reason="fact_contradiction",
                detail="pay_1001 was told again with another amount",
                verb="inbox",
                decisions=("retry", "skip"),
                booking_id=f"bkg_{number}",
                payment_id=f"pay_{number}",
                amount=Money(amount=30_000 + number, currency="EUR"),
            )
        )
