"""What an agency configures for its mid-office, whichever it is (contracts: midoffice 1.3, 3.1).

Each system's package adds what only that system needs.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from activities.midoffice.booking import ProductKind

Text32 = Annotated[str, StringConstraints(min_length=1, max_length=32)]
CreditorNumber = Annotated[str, StringConstraints(min_length=1, max_length=16)]


class MidOfficeSettings(BaseModel):
    """`supplier_numbers` gives each supplier of the platform (`sup_…`) its creditor id in the mid-office; lines of other
    suppliers are not transferred. `capabilities` names the product kinds that may go there; a kind needs a branch in the
    system's codec, too (`accounts.SYSTEMS`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    branch_id: Text32 | None = None
    agent_id: Text32 | None = None
    supplier_numbers: Annotated[dict[str, CreditorNumber], Field(min_length=1)]
    capabilities: frozenset[ProductKind] = frozenset({"hotel"})
    most_travellers: Annotated[int, Field(ge=1)] = 250
    margin_vat_rate: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.21")

    def takes(self, kind: ProductKind) -> bool:
        """Whether lines of this kind may be transferred."""
        return kind in self.capabilities


class WebSettings(MidOfficeSettings):
    """A mid-office behind HTTP. Timeouts are seconds."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+.*$")]
    connect_timeout: Annotated[float, Field(gt=0)] = 5.0
    timeout: Annotated[float, Field(gt=0)] = 30.0
    calls_per_second: Annotated[float, Field(gt=0)] | None = None
    """Of one worker process; none: no limit."""
