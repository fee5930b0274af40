from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.desk import DUTIES, Desk, StoreReason, item_id

SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def test_every_reason_of_the_store_has_an_owner_of_its_own() -> None:
    assert set(StoreReason) <= set(DUTIES)


def test_an_agency_may_change_single_reasons_and_the_rest() -> None:
    desk = Desk.model_validate(
        {"duties": {"chargeback": {"owner": "marta", "hours": 2}}, "otherwise": {"owner": "luis", "hours": 1}}
    )
    assert desk.assign(SINCE, "chargeback") == ("marta", SINCE + timedelta(hours=2))
    assert desk.assign(SINCE, "giav_unauthorised", "Unauthorised") == Desk().assign(SINCE, "Unauthorised")
    assert desk.assign(SINCE, "never heard of") == ("luis", SINCE + timedelta(hours=1))


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Desk.model_validate({"owners": {}})


def test_the_same_trouble_has_the_same_id_and_parts_do_not_run_together() -> None:
    assert item_id("a", "bc") == item_id("a", "bc")
    assert item_id("a", "bc") != item_id("ab", "c")
