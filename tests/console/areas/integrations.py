"""Systems that the agency activated by itself, and effects there."""

from domain.effects import EffectKey
from store import Store

EXAMPLES = {"/integrations/{agency}/{system}": "/integrations/demo/giav"}


def seed(store: Store, times: int) -> None:
    store.integrations.request("demo", "giav", by="ada")
    store.integrations.request("demo", "kommo", by="ada")
    for number in range(times):
        key = EffectKey("demo", "giav", "cobro", f"pay_{number}", "create", 0)
        store.effects.intend(key, booking_id=None, request=None)
        store.effects.done(key, str(number)) if number else store.effects.refused(key, "closed file")
