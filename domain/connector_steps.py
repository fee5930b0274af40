"""What the cells and workflows around a connector take and give (contracts: payment-sync 3, 6.1, 7)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.closing import Closing
from domain.money import Money
from domain.payment_sync import Evidence, Failing, Kind, State
from domain.payment_sync.breaker import Breaker
from domain.steps import Step

ErpName = Literal["giav", "journal"]
"""The systems that may hold an agency's receipts (settings: `erp`)."""


class ConnectorStep(Step):
    """A question about one connector of an agency."""

    connector: str


class BreakerReport(ConnectorStep):
    """The breaker as it stands, for whoever asks the store; the item that stands for it gets these words and this sum."""

    breaker: Breaker
    item_id: str = ""
    words: str = ""
    amount: Money | None = None


class BreakerKept(BaseModel):
    """Who waits behind it: payments and their money per currency (minor units), those that a person has to send among
    them, and how many payments moved within the breaker's window."""

    model_config = ConfigDict(frozen=True)

    waiting: int = 0
    unsynced: int = 0
    money: dict[str, int] = {}
    at_work: int = 0


class WaitingQuestion(ConnectorStep):
    """Payments of a connector in any of these states, the oldest first."""

    states: tuple[State, ...]
    limit: int = 50


class WaitingPayment(BaseModel):
    model_config = ConfigDict(frozen=True)

    payment_id: str
    workflow_id: str
    state: State


class WaitingPayments(BaseModel):
    model_config = ConfigDict(frozen=True)

    payments: tuple[WaitingPayment, ...] = ()


class AdmitStep(Step):
    """May this payment be written into the ERP now? It asks for its receivable, too.

    `first`: nothing is known of the payment yet, and it asks also whether anybody still wanted its money.
    """

    booking_id: str
    payment_id: str
    first: bool = False


class Admission(BaseModel):
    """Whether the breaker is closed and no other payment of the receivable is being written; `because` says why not.

    `failing` is the breaker's reason, None when the receivable is taken or a person opened it. `closing`: what it was asked
    for had been closed before it was captured.
    """

    model_config = ConfigDict(frozen=True)

    connector: ErpName = "giav"
    permitted: bool = True
    because: str = ""
    failing: Failing | None = None
    breaker_is_open: bool = False
    closing: Closing | None = None


class DescribeStep(ConnectorStep):
    """A look at an ERP: does it answer, and is its contract the one that was accepted? A person may accept it as it is."""

    accepted_by: str = ""
    why: str = ""


class Described(BaseModel):
    """The contract that the ERP shows, and the one that was accepted; what differs in words. Empty: it shows none."""

    model_config = ConfigDict(frozen=True)

    capabilities: tuple[Literal["idempotent_post", "search_by_reference", "instalments"], ...] = ()
    contract: str = ""
    accepted: str = ""
    differs: tuple[str, ...] = ()

    @property
    def drifted(self) -> bool:
        return bool(self.contract and self.accepted and self.contract != self.accepted)


class FailureReport(BaseModel):
    """A payment tells its connector that it failed; `tried`: it was the one that was let through."""

    model_config = ConfigDict(frozen=True)

    payment_id: str
    workflow_id: str
    at: datetime
    failing: Failing
    words: str = ""
    tried: bool = False


class GoOn(BaseModel):
    """Go on now. `tried`: as the one that is let through. `by`: a person who answered for all that wait."""

    model_config = ConfigDict(frozen=True)

    tried: bool = False
    by: str = ""


class Incident(BaseModel):
    """One item stands for the trouble of many payments, or no longer does."""

    model_config = ConfigDict(frozen=True)

    standing: bool
    words: str = ""


class Happening(BaseModel):
    """What the world did to a payment, whether its workflow runs or ended long ago: a chargeback, a reversal in the ERP, a
    part that was paid otherwise."""

    model_config = ConfigDict(frozen=True)

    kind: Literal[Kind.CHARGEBACK, Kind.REVERSED, Kind.SPLIT_DETECTED]
    text: str = ""
    effect: str = ""
    case_id: str | None = None
    evidence: Evidence | None = None


class TellPayment(Step):
    """Tell a payment what happened."""

    payment_id: str
    happening: Happening


class BreakerOrder(BaseModel):
    """A person opens or closes a breaker, or accepts a changed contract, and says why."""

    model_config = ConfigDict(frozen=True)

    by: str
    why: str


class ConnectorState(BaseModel):
    """What a connector's workflow carries from run to run."""

    agency: str
    connector: ErpName
    breaker: Breaker
    described_at: datetime | None = None
    aged_at: datetime | None = None
    incident: bool = False
    resuming: bool = False


class ReconcileOrder(Step):
    """An order to reconcile a connector; without a day, the one that ended last (UTC)."""

    connector: ErpName = "giav"
    day: date | None = None


class ReconcileStep(ConnectorStep):
    """The next page of payments and receipts of a window of UTC days, in the order of the experiences' ids."""

    first: date
    last: date
    after: str = ""
    report_id: str = ""


class ReconcilePage(BaseModel):
    """`after` is where the next page goes on, None at the end; `reversed` names payments whose receipt is gone."""

    model_config = ConfigDict(frozen=True)

    after: str | None = None
    compared: int = 0
    left_out: int = 0
    differing: int = 0
    told: tuple[TellPayment, ...] = ()


class DaySum(BaseModel):
    """One UTC day: what was captured, and what the ERP's receipts of ours say."""

    model_config = ConfigDict(frozen=True)

    day: date
    currency: str
    captured: Money
    receipts: Money
    payments: int
    posted: int
