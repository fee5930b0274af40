"""Sending a record whole without writing over what people changed in GIAV (contracts: giav 2.1, 4 "before-images")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from activities.giav.client import SYSTEM
from activities.giav.elements import Record
from activities.giav.mapping.merging import RESERVA, Shape, conflicts, merged, modified_at, sent
from activities.giav.mapping.values import Request
from activities.giav.office import Office
from domain.effects import EffectKey
from domain.errors import NeedsPerson

CHANGED_THERE = "giav_changed_there"
SKEW = timedelta(minutes=1)
"""How far GIAV's clock may be from ours."""
UNREADABLE = frozenset({"customerPortal_Password"})
"""Sent along and never kept in our ledger."""


@dataclass(frozen=True)
class Replacement:
    """One PUT of one record. `read` gives the record as it stands; `last_key` is the effect whose `last` was sent last.

    With `any_change` a later change counts although all that can be read agrees: something that cannot be read may differ.
    """

    key: EffectKey
    operation: str
    shape: Shape
    own: int
    last_key: EffectKey
    last: Request
    wished: Request
    read: Callable[[], Record | None]
    booking_id: str | None = None
    any_change: bool = False
    target: int | None = None
    """What the ledger keeps as outside id, if not the record's own."""
    remarks: tuple[str, str] | None = None
    """A parameter of ours and the member in which it, or another one of people's, comes back: nobody knows which."""


def replace_reserva(
    office: Office,
    key: EffectKey,
    own: int,
    last: tuple[EffectKey, Request],
    wished: Request,
    booking_id: str,
    read: Callable[[], Record | None] | None = None,
) -> None:
    """Bring a reserva or cost line to what is wished; `last` is what was sent last, and by which effect."""
    put = Replacement(
        key=key,
        operation="Reserva_Normal_PUT",
        shape=RESERVA,
        own=own,
        last_key=last[0],
        last=last[1],
        wished=wished,
        read=read or (lambda: office.lookups.reserva_as_it_stands(own)),
        booking_id=booking_id,
    )
    replace(office, put)


def replace(office: Office, put: Replacement) -> bool:
    """Send the record, merged with what stands there; False when it was left as it is.

    Raises `NeedsPerson` with the code `giav_changed_there` when a person changed what we are about to write, until
    somebody says whose words count.
    """
    if office.made(put.key) is not None:
        return True
    theirs = put.read()
    if theirs is None:
        raise NeedsPerson(f"record {put.own} is not in GIAV any more", system=SYSTEM, effect=str(put.key))
    under_way = office.store.effects.last_request(put.key)
    foreign = _foreign_remarks(put, theirs)
    found = conflicts(put.shape, put.last, put.wished, theirs, under_way) + foreign
    answer = _whose(office, put, found, theirs, under_way is not None)
    if answer == "keep_theirs" and (foreign or not found):
        # What cannot be sent back as it stands would be lost.
        return False
    request = merged(put.shape, put.last, put.wished, theirs, found if answer == "keep_theirs" else ())
    office.change(
        put.key,
        put.operation,
        sent(request),
        put.own if put.target is None else put.target,
        put.booking_id,
        reached=lambda: _reached(put, request),
        remember={name: value for name, value in request.items() if name not in UNREADABLE},
    )
    return True


def _whose(office: Office, put: Replacement, found: list[str], theirs: Record, under_way: bool) -> str:
    """`ours`, or what a person said."""
    changed = modified_at(theirs)
    written = office.store.effects.settled_at(put.last_key) if found or put.any_change else None
    if found and changed is not None and written is not None and changed < written - SKEW:
        # Nobody touched it since we wrote it: GIAV spells our own words in another way.
        return "ours"
    later = changed is not None and written is not None and changed > written + SKEW
    if not found and not (put.any_change and later and not under_way):
        return "ours"
    what = ", ".join(found) or "something that cannot be read back"
    when = f" at {changed:%Y-%m-%d %H:%M}" if changed else ""
    words = f"{put.key.entity} {put.own} was changed in GIAV{when} ({what}) and our change would write over it"
    return office.ask(
        put.key,
        CHANGED_THERE,
        words,
        ("take_ours", "keep_theirs"),
        since=None if changed is None else changed - 2 * SKEW,
    )


def _foreign_remarks(put: Replacement, theirs: Record) -> list[str]:
    if put.remarks is None:
        return []
    parameter, member = put.remarks
    stands = theirs.get(member) or ""
    mine = (put.last.get(parameter), put.wished.get(parameter))
    return [] if not stands or any(each and each in stands for each in mine) else [member]


def _reached(put: Replacement, request: Request) -> bool:
    """Whether the record stands as we sent it."""
    theirs = put.read()
    return theirs is not None and not conflicts(put.shape, sent(request), sent(request), theirs, None)
