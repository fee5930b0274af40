"""What an agency configures for its journal: settings section `journal`."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.ledger import Chart


class JournalSettings(BaseModel):
    """`accounts` are the codes of the chart; `documents_from` names the system whose documents are posted.

    `timezone` decides the day of an entry; workers give the agency's unless the section names one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accounts: Chart = Chart()
    documents_from: str = "giav"
    timezone: str = "Europe/Madrid"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
