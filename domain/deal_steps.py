"""What the cells that deal with a payment request take and give: keys and money only, as in `domain.steps`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.deals import RequestState, Role
from domain.money import Money
from domain.steps import Step


class Given(BaseModel):
    model_config = ConfigDict(frozen=True)


class DealStep(Step):
    """One deal."""

    deal_id: int


class DealReading(DealStep):
    """Read the deal. `wanted`: a person or a button asks for money, whatever the stage; `anew`: even if nothing changed."""

    wanted: bool = False
    anew: bool = False
    state: RequestState = "none"
    stage: int | None = None
    """Where the deal stood when the request came to its state."""


class DealRead(Given):
    """What the CRM says by now. `revision` is the newest that asks for money, 0 as long as none does.

    `faults` name what is missing in words; `lost` deals and those that are `gone` ask for nothing any more.
    """

    gone: bool = False
    lost: bool = False
    asks: bool = False
    """Money is to be asked for: by the stage, by a person, or because it is being asked for already."""
    revision: int = 0
    fresh: bool = False
    """This reading made the revision."""
    changed: bool = False
    """It was paid, and asks by now for something else."""
    amount: Money | None = None
    booking_id: str | None = None
    stage: int | None = None
    faults: tuple[str, ...] = ()


class RequestStep(DealStep):
    """One revision of a request; `ordinal` counts its links from 1, `amount` is that of the link (None: the whole)."""

    revision: int
    ordinal: int = 1
    amount: Money | None = None
    stage: int | None = None
    """Where the deal stood when it was read: who finds it elsewhere does not move it."""


class LinkAtWork(Given):
    """A page that the customer can pay on."""

    number: int
    revision: int
    amount: Money
    made_at: datetime
    expires_at: datetime
    paid: bool = False


class LinksStep(DealStep):
    """Look at the pages of a deal. `cancelled`: nobody wants the money any more."""

    cancelled: bool = False


class DealPayment(Given):
    """A page that was paid; `handled` when it is in the books or given back."""

    link: int
    payment_id: str
    amount: Money
    role: Role
    handled: bool = False


class LinksSeen(Given):
    """All pages of a deal, and all payments on them."""

    links: tuple[LinkAtWork, ...] = ()
    payments: tuple[DealPayment, ...] = ()


class Standing(LinksSeen):
    """What our store knows of a deal's request: enough to go on after everything else was lost."""

    state: RequestState = "none"
    revision: int = 0
    amount: Money | None = None
    booking_id: str | None = None
    refunded: int = 0
    stage: int | None = None
    issued: tuple[int, ...] = ()
    """Revisions whose document and link are out."""


class DealMoneyStep(DealStep):
    """One payment of a deal on its way into documents and books."""

    link: int
    payment_id: str
    amount: Money
    booking_id: str | None = None
    what: Literal["record", "suspend", "return"] = "record"


class DealRefundStep(DealStep):
    """Money that a person gave back, with the reference that proves it and by which it is known again."""

    payment_id: str
    link: int
    amount: Money
    reference: str
    by: str
    booking_id: str | None = None


class RefundedSoFar(Given):
    """`credit` and `receipt` are the numbers of the documents; `left` what may still be given back of the payment."""

    credit: str = ""
    receipt: str = ""
    left: int = 0


class DealPicture(DealStep):
    """What the deal is to show. Link, number and amounts are read from the store, so that the newest counts.

    `text` becomes a note that carries the marker of `step`; `task` is a note that also asks the responsible user.
    """

    revision: int
    state: RequestState
    step: str
    text: str = ""
    task: bool = False
    move_to: Literal["waiting", "paid"] | None = None
    from_stage: int | None = None


class DealShown(Given):
    """`stage`: where the deal stands after it was moved; None when it was left alone. `gone`: nobody can be shown anything."""

    gone: bool = False
    moved_to: int | None = None
    note: str = ""


DealOrder = Literal["request", "cancel", "refund", "poll"]


class DealCommand(BaseModel):
    """What a person wants done with a request. `reference` proves a refund; without `amount` all that is left goes back."""

    model_config = ConfigDict(frozen=True)

    key: str
    order: DealOrder
    by: str
    explanation: str = ""
    reference: str = ""
    amount: Money | None = None
    payment_id: str | None = None


class DealState(BaseModel):
    """What RequestPayment starts with. All else is in the store, so that a lost run loses nothing."""

    schema_version: int = 1
    agency: str
    deal_id: int
    wanted: bool = False
    bots: tuple[str, ...] = ()
    """Where bots of the CRM wait for an answer."""
    stage: int | None = None
    """Where we left the deal; whoever finds it elsewhere leaves it there."""
    orders: tuple[str, ...] = ()
    """Keys of orders that were accepted before the run was renewed."""


class DealView(Given):
    """How a request stands: keys, states and money."""

    state: RequestState
    revision: int
    amount: Money | None
    links: int
    payments: int
    waits_for: str


class BotStep(DealStep):
    """A bot that waits at `return_url` is told how the request stands."""

    return_url: str
    status: Literal["created", "exists", "rejected", "failed"]


class DealSweep(Step):
    """Look for deals that reached a stage in which money is asked for and whose webhook was lost."""


class DealsFound(Given):
    deals: tuple[int, ...] = ()
