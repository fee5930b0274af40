"""The platform's arithmetic: totals, plans, penalties, signatures."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sandbox.platform import plans, policy
from sandbox.platform.amounts import Doc, Wrong, differences, percent_of
from sandbox.platform.signature import OLD_SECRET, SECRET, signed_headers

VECTOR_ID = "evt_01JD0000000000000000000001"
VECTOR_BODY = (
    b'{"specversion":"1.0","id":"evt_01JD0000000000000000000001","source":"https://platform.example/planners/pl_7Q2",'
    b'"type":"example.planner.payment.captured.v1","subject":"payment/pay_1001","time":"2026-11-20T10:15:00Z",'
    b'"datacontenttype":"application/json","partitionkey":"bkg_500","sequence":"00000000000000000042",'
    b'"data":{"schema_version":1,"environment":"test","planner_id":"pl_7Q2",'
    b'"aggregate":{"type":"payment","id":"pay_1001","revision":1},'
    b'"payment":{"id":"pay_1001","booking_id":"bkg_500","amount":{"amount":30000,"currency":"EUR"}}}}'
)


def eur(amount: int) -> Doc:
    return {"amount": amount, "currency": "EUR"}


def test_the_published_signature_vector_is_reproduced() -> None:
    headers = signed_headers([SECRET], VECTOR_ID, 1795170905, VECTOR_BODY)
    assert len(VECTOR_BODY) == 536
    assert headers["webhook-signature"] == "v1,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU="
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (VECTOR_ID, "1795170905")


def test_during_rotation_both_secrets_sign_the_old_one_first() -> None:
    headers = signed_headers([OLD_SECRET, SECRET], VECTOR_ID, 1795170905, VECTOR_BODY)
    assert headers["webhook-signature"] == (
        "v1,Yx4B5IwPtHoHQlvlz/3bD8pcDIH8SAiahYNCpi2Chak= v1,ac8ypacVfgnwVpfmErr8iyk7NYx6NmVxcD7coZgZ1FU="
    )


@pytest.mark.parametrize(
    ("amount", "percent", "expected"), [(95500, "40.00", 38200), (49450, "35.00", 17308), (1, "50.00", 1), (0, "10", 0)]
)
def test_percentages_round_halves_away_from_zero(amount: int, percent: str, expected: int) -> None:
    assert percent_of(amount, percent) == expected


TEMPLATE: list[Doc] = [
    {"seq": 1, "due": {"days_before_start": 200}, "kind": "fixed", "amount": eur(30000)},
    {"seq": 2, "due": {"on": "2027-03-22"}, "kind": "percentage", "percent": "40.00"},
    {"seq": 3, "due": {"days_before_start": 30}, "kind": "balance"},
]


def plan_of(total: int) -> list[Doc]:
    return plans.instalments_from(TEMPLATE, total, "EUR", date(2027, 6, 20), ["ins_01", "ins_02", "ins_03"])


def amounts(instalments: list[Doc]) -> list[object]:
    return [item["amount"]["amount"] for item in instalments]


def test_the_contract_s_plan_comes_out_of_its_template() -> None:
    instalments = plan_of(100500)
    assert amounts(instalments) == [30000, 40200, 30300]
    assert [item["due_on"] for item in instalments] == ["2026-12-02", "2027-03-22", "2027-05-21"]


def test_a_discount_moves_percentage_and_balance_but_not_what_was_paid() -> None:
    instalments = plan_of(100500)
    instalments[0]["status"] = "paid"
    after = plans.balanced(instalments, 95500, "EUR")
    assert amounts(after) == [30000, 38200, 27300]
    assert not plans.grew(instalments, after)


def test_a_price_under_the_fixed_part_waives_the_later_instalments_first() -> None:
    after = plans.balanced(plan_of(100500), 25000, "EUR")
    assert amounts(after) == [25000, 0, 0]
    assert [item["status"] for item in after] == ["scheduled", "waived", "waived"]


def test_a_rise_after_everything_was_paid_becomes_a_new_balance() -> None:
    instalments = plan_of(100500)
    for item in instalments:
        item["status"] = "paid"
    after = plans.balanced(instalments, 107700, "EUR")
    assert amounts(after) == [30000, 40200, 30300, 7200]
    assert [item["kind"] for item in after] == ["fixed", "percentage", "fixed", "balance"]
    assert plans.grew(instalments, after)


def test_a_plan_without_its_balance_at_the_end_is_refused() -> None:
    with pytest.raises(Wrong):
        plans.instalments_from(TEMPLATE[:2], 1000, "EUR", date(2027, 6, 20), ["ins_01", "ins_02"])


POLICY: Doc = {
    "basis": "total",
    "tiers": [
        {"from_days_before_start": 60, "penalty": {"amount": eur(3000)}},
        {"from_days_before_start": 15, "penalty": {"percent": "35.00"}},
        {"from_days_before_start": 0, "penalty": {"percent": "100.00"}},
    ],
}


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2027, 3, 1), 3000),
        (date(2027, 4, 21), 3000),
        (date(2027, 4, 22), 33425),
        (date(2027, 6, 6), 95500),
        (date(2027, 6, 21), 95500),
    ],
)
def test_the_penalty_is_that_of_the_first_lead_time_still_kept(on: date, expected: int) -> None:
    assert policy.penalty_of(policy.tier_for(POLICY, date(2027, 6, 20), on), 95500) == expected


def test_a_fixed_penalty_never_exceeds_what_is_given_up() -> None:
    assert policy.penalty_of(POLICY["tiers"][0], 2000) == 2000


def test_a_penalty_above_the_captured_money_leaves_no_refund() -> None:
    assert policy.refund_amount(30000, 0, 0, 95500) == 0
    assert policy.refund_amount(30000, 0, 0, 3000) == 27000


def test_the_refund_clock_is_fourteen_calendar_days() -> None:
    decision = policy.refund_decision(True, 27000, "EUR", datetime(2027, 3, 1, 9, tzinfo=UTC))
    assert decision["deadline"] == "2027-03-15T09:00:00Z"


def test_differences_are_json_pointers_to_leaves() -> None:
    before = {"travellers": [{"first_name": "Luis"}], "a/b": 1}
    after = {"travellers": [{"first_name": "Marta"}], "a/b": 2}
    assert differences(before, after) == [
        {"path": "/travellers/0/first_name", "from": "Luis", "to": "Marta"},
        {"path": "/a~1b", "from": 1, "to": 2},
    ]
