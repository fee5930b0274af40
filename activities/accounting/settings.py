"""What an agency configures for its journal: settings section `journal`."""

from __future__ import annotations

from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.ledger import Chart
from store.installation import AgencySettings


class JournalSettings(BaseModel):
    """`accounts` are the codes of the chart; `documents_from` names the system whose documents are posted.

    `timezone` decides the day of an entry; it is the agency's unless the section says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: Chart = Chart()
    documents_from: str = "giav"
    timezone: str = "Europe/Madrid"

    @classmethod
    def of(cls, agency: AgencySettings) -> Self:
        """Validate the section of an agency; raises pydantic's ValidationError with the path."""
        return cls.model_validate({"timezone": agency.timezone} | agency.journal)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
