"""The items of `today`."""

EXAMPLES = {"/parked/{item_id}": "/parked/prk_1"}
