"""Who acts, by which way in, with which rights; and the line of the audit trail that every action leaves (DESIGN 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeVar

from temporalio.client import Client

from domain.payment_sync import Role as PaymentRole
from domain.people import Person, Role
from starter.answers import CommandError
from starter.desk.refusals import Away, DeskError, NotAllowed, NotFound, Unclear
from store import Store
from store.audit_trail import Deed, Outcome
from store.installation import Installation

Way = Literal["console", "command", "api"]
T = TypeVar("T")
CHANGES = Role.OPERATOR
"""The least role that may change anything."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class BackOffice:
    """What the desk works with. `connect` gives a Temporal client, or raises `RuntimeError` when nobody answers."""

    installation: Installation
    store: Store
    connect: Callable[[], Awaitable[Client]]
    now: Callable[[], datetime] = utc_now

    async def temporal(self) -> Client:
        try:
            return await self.connect()
        except RuntimeError:
            raise Away(
                f"Temporal does not answer at {self.installation.temporal.target}; nothing was done: try again later"
            ) from None

    def workflow_page(self, workflow_id: str) -> str:
        """The workflow's page in Temporal UI."""
        temporal = self.installation.temporal
        return f"{temporal.ui}/namespaces/{temporal.namespace}/workflows/{workflow_id.replace('/', '%2F')}"


@dataclass(frozen=True, slots=True)
class Acting:
    """A person at work."""

    person: Person
    way: Way

    @property
    def payment_role(self) -> PaymentRole:
        """As whom the machine of payments knows this person."""
        return PaymentRole.SUPERVISOR if self.person.may(Role.SUPERVISOR) else PaymentRole.OPERATOR

    def must_see(self, agency: str) -> None:
        """Raises `NotFound`."""
        if not self.person.sees(agency):
            raise NotFound("there is no such thing")

    def must_be(self, needed: Role) -> None:
        """Raises `NotAllowed`."""
        if not self.person.may(needed):
            raise NotAllowed(f"{self.person.name} has the role {self.person.role}; this needs at least {needed}")

    def agencies(self, office: BackOffice, wanted: str | None = None) -> tuple[str, ...]:
        """Those that a list is about: one, or all that this person may see. Raises `NotFound`."""
        visible = self.person.visible(office.installation.agencies)
        if wanted is None:
            return visible
        if wanted not in visible:
            raise NotFound(f"there is no agency '{wanted}'; known: {', '.join(visible) or 'none'}")
        return (wanted,)


async def recorded(
    office: BackOffice,
    acting: Acting,
    deed: Deed,
    work: Callable[[], Awaitable[T]],
    *,
    needs: Role = CHANGES,
) -> T:
    """Do `work` if the person may, and write down who did what and how it ended, also when it was refused."""
    try:
        if deed.agency is not None:
            acting.must_see(deed.agency)
        acting.must_be(needs)
        done = await work()
    except DeskError as refusal:
        await _write(office, acting, deed, "failed" if isinstance(refusal, Away) else "refused", str(refusal))
        raise
    except Exception as error:
        await _write(office, acting, deed, "failed", type(error).__name__)
        raise
    await _write(office, acting, deed, "done", "")
    return done


@contextmanager
def written_down(store: Store, acting: Acting, deed: Deed, *, needs: Role = CHANGES) -> Iterator[None]:
    """`recorded` for work that is done in the block, without Temporal."""
    try:
        if deed.agency is not None:
            acting.must_see(deed.agency)
        acting.must_be(needs)
        yield
    except DeskError as refusal:
        store.audit_trail.write(_line(acting, deed, "failed" if isinstance(refusal, Away) else "refused", str(refusal)))
        raise
    except Exception as error:
        said = str(error) if isinstance(error, CommandError) else type(error).__name__
        store.audit_trail.write(_line(acting, deed, "failed", said))
        raise
    store.audit_trail.write(_line(acting, deed, "done", ""))


async def _write(office: BackOffice, acting: Acting, deed: Deed, outcome: Outcome, said: str) -> None:
    await asyncio.to_thread(office.store.audit_trail.write, _line(acting, deed, outcome, said))


def _line(acting: Acting, deed: Deed, outcome: Outcome, said: str) -> Deed:
    why = " | ".join(text for text in (deed.why, said) if text)
    return Deed(acting.person.name, deed.action, deed.object, outcome, why, deed.agency, acting.way)


def at_the_terminal(store: Store, name: str, *, supervisor: bool = False, unknown: Role = Role.OPERATOR) -> Acting:
    """Who commands by `--by`. As soon as the installation knows people, only they may, each with their own role.

    Before that, names are taken as given, with the role `unknown` or the one asked for: whoever has the terminal has the
    store anyway.
    Raises `Unclear`, `NotAllowed`.
    """
    if not name.strip() or name == "system":
        raise Unclear("say who commands: --by")
    entry = store.people.get(name)
    if entry is None and not store.people.list():
        return Acting(Person(name, Role.SUPERVISOR if supervisor else unknown, None), "command")
    if entry is None:
        raise Unclear(f"nobody is called '{name}' here; see 'bookings user list'")
    if entry.person.locked:
        store.audit_trail.write(Deed(entry.person.name, "command", "", "refused", "locked", way="command"))
        raise NotAllowed(f"{name} is locked; see 'bookings user list'")
    return Acting(entry.person, "command")


def looking_on(installation: Installation) -> Acting:
    """Whoever reads at the terminal, without a name: the whole installation."""
    return Acting(Person("terminal", Role.ADMINISTRATOR, frozenset(installation.agencies)), "command")
