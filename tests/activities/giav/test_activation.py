"""A guess is made where there is one candidate, and what a person gave is never overruled (giav 2.2)."""

from __future__ import annotations

import pytest

from activities.giav.activation import merged, own_field, problems, propose, unanswered
from activities.giav.catalogues import FIELD_NAME, Catalogues, Entry, Method, Office, Stage

OFFICE = Office(id=3, name="Central", trade_name="Viajes Ñandú")


def method(number: int, category: str, *, collects: bool = True, refunds: bool = True) -> Method:
    return Method(id=number, name=category, category=category, collects=collects, refunds=refunds)


def suppliers(*names: str) -> Catalogues:
    return Catalogues(
        offices=(OFFICE,), suppliers=tuple(Entry(id=500 + at, name=name) for at, name in enumerate(names))
    )


@pytest.mark.parametrize(
    "name", ["VIAJES EJEMPLO SL", "Viajes Ejemplo, S.L.U.", "Viajes Ñandú", "Nuestra propia agencia"]
)
def test_the_agency_is_known_among_suppliers_by_its_names(name: str) -> None:
    found = propose(suppliers("Autocares Ejemplo", name), "Viajes Ejemplo, S.L.")
    assert found.settings["agency_supplier_id"] == 501


def test_two_suppliers_that_may_be_the_agency_are_a_question() -> None:
    found = propose(suppliers("Viajes Ejemplo Norte", "Viajes Ejemplo Sur"), "Viajes Ejemplo")
    assert "agency_supplier_id" not in found.settings
    assert found.questions["agency_supplier_id"] == (500, 501)


@pytest.mark.parametrize("short", ["Sol", "S.L.", ""])
def test_a_short_name_says_nothing_about_a_supplier(short: str) -> None:
    bare = Catalogues(suppliers=(Entry(id=500, name="Hotel Sol y Mar, S.L."),))
    assert propose(bare, short).questions["agency_supplier_id"] == ()


def test_money_that_goes_back_needs_a_method_that_allows_it() -> None:
    methods = (
        method(12, "Transferencia", refunds=False),
        method(13, "Transferencia", collects=False),
        method(10, "Tarjeta_TPV"),
    )
    found = propose(Catalogues(methods=methods), "x").settings
    assert found["payment_methods"] == {"card": 10, "transfer": 12, "default": 10}
    assert found["refund_methods"] == {"card": 10, "transfer": 13, "default": 10}


def test_a_default_answers_for_its_whole_table() -> None:
    found = propose(Catalogues(methods=(method(10, "Tarjeta_TPV"), method(17, "Tarjeta_TPV"))), "x")
    asked = {"payment_methods.card", "refund_methods.card"}
    assert asked <= set(unanswered(found, {}))
    given = {"payment_methods": {"default": 10}, "refund_methods": {"card": 17}}
    assert not asked & set(unanswered(found, given))


def test_a_withdrawn_stage_is_not_guessed() -> None:
    stages = (
        Stage(id=1, name="Abierto antiguo", order=0, withdrawn=True),
        Stage(id=2, name="Abierto", order=1, withdrawn=False),
        Stage(id=3, name="ANULADO", order=2, withdrawn=False),
    )
    found = propose(Catalogues(stages={"Expediente": stages}), "x").settings
    assert (found["stage_open_id"], found["stage_cancelled_id"]) == (2, 3)
    assert "reserva_stage_open_id" not in found


def test_our_own_field_counts_before_another_one_of_that_meaning() -> None:
    ours, other, third = (
        Entry(id=9, name=FIELD_NAME),
        Entry(id=2, name="Referencia Externa"),
        Entry(id=3, name="referencia externa"),
    )
    assert own_field([other, ours]) == 9
    assert own_field([other]) == 2
    assert own_field([other, third]) is None
    assert own_field([Entry(id=4, name="Referencia externa del proveedor")]) is None


def test_what_a_person_gave_counts_entry_by_entry() -> None:
    guessed = {"office_id": 3, "payment_methods": {"card": 10, "stripe": 14}}
    given = {"office_id": 4, "payment_methods": {"card": 11}}
    assert merged(guessed, given) == {"office_id": 4, "payment_methods": {"card": 11, "stripe": 14}}
    assert guessed["payment_methods"] == {"card": 10, "stripe": 14}


def test_missing_and_wrong_settings_are_told_apart_and_no_value_is_repeated() -> None:
    missing, wrong = problems({"office_id": "many", "payment_methods": {}, "colour": "red"})
    assert {"payment_methods", "refund_methods", "agency_supplier_id"} <= set(missing)
    assert sorted(each.partition(":")[0] for each in wrong) == ["colour", "office_id"]
    assert "red" not in "".join(wrong)
