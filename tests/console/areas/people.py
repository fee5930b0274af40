"""Somebody to look at, and deeds of theirs."""

from domain.people import Role
from store import Store
from store.audit_trail import Deed

EXAMPLES = {"/people/{name}": "/people/olga"}


def seed(store: Store, times: int) -> None:
    known = len(store.people.list())
    for number in range(known, known + times):
        store.people.add(f"person{number}", Role.VIEWER, ["demo"], password=None, by="ada", subject=f"sub-{number}")
        store.sessions.begin("olga", "Firefox")
        store.audit_trail.write(Deed("ada", "user.role", "olga", why="holiday cover"))
