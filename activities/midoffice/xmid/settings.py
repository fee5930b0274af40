"""What an agency configures for xMid (contracts: midoffice 7.1)."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr

from activities.midoffice.settings import Text32, WebSettings


class XmidSettings(WebSettings):
    """`agency_no` is sent as `X-Agency-Id`. `mediation_collected_by` says who takes the customer's money where the agency
    only mediates; on sales of its own it always does.
    """

    kind: Literal["xmid"] = "xmid"
    token: SecretStr
    agency_no: Text32
    mediation_collected_by: Literal["agency", "supplier"] = "agency"
