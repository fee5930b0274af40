"""GIAV's own figures of a file, read over the wire, and what is not over there yet (contracts: giav 2.4)."""

from __future__ import annotations

import pytest

from activities.giav.economics import GiavEconomics
from activities.giav.office import GiavAccount
from domain.comparing import FileFigures
from domain.errors import Refused, Transient
from domain.money import Money
from sandbox.faults import Kind
from tests import stories
from tests.activities.giav.desk import Desk, section


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


@pytest.fixture
def economics(desk: Desk) -> GiavEconomics:
    return GiavEconomics(stories.AGENCY, GiavAccount.open(section(desk.url)), desk.store)


def opened(economics: GiavEconomics) -> int:
    file = economics.file_of("exp_31")
    assert file is not None
    return file


@pytest.mark.covers("giav 4: nightly check")
def test_a_file_shows_margin_and_what_is_pending_in_one_call(desk: Desk, economics: GiavEconomics) -> None:
    desk.registered()
    desk.activities.record_payment(desk.payment())
    desk.calls()
    assert economics.figures(opened(economics)) == FileFigures(eur(21500), eur(70500), eur(70500))
    assert desk.calls() == ["Expediente_InfoEconomica_GET"]


def test_an_experience_that_was_never_opened_has_no_file(economics: GiavEconomics) -> None:
    assert economics.file_of("exp_31") is None


def test_a_broken_line_is_tried_once_more_and_no_oftener(desk: Desk, economics: GiavEconomics) -> None:
    desk.registered()
    desk.fault("Expediente_InfoEconomica_GET", Kind.DROP_AFTER)
    assert economics.figures(opened(economics)).to_collect == eur(100500)
    desk.fault("Expediente_InfoEconomica_GET", Kind.DROP_AFTER, times=2)
    desk.calls()
    with pytest.raises(Transient):
        economics.figures(opened(economics))
    assert desk.calls() == ["Expediente_InfoEconomica_GET"] * 2


def test_a_file_that_somebody_deleted_is_refused_in_giavs_own_words(economics: GiavEconomics) -> None:
    with pytest.raises(Refused, match="No existe"):
        economics.figures(987654)


@pytest.mark.covers("giav 4: nightly check")
def test_what_was_told_and_not_written_is_named(desk: Desk, economics: GiavEconomics) -> None:
    desk.activities.open_experience(desk.experience())
    step = desk.booking()
    assert list(economics.unwritten("bkg_500")) == [("reserva", "bkg_500")]
    desk.activities.register_booking(step)
    assert list(economics.unwritten("bkg_500")) == []
    paid = desk.payment()
    desk.refund(amount=5000)
    desk.chargeback("funds_withdrawn")
    assert list(economics.unwritten("bkg_500")) == [
        ("cobro", "pay_1001"),
        ("factura", "pay_1001"),
        ("reembolso", "ref_9"),
        ("reembolso", "cbk_2:funds_withdrawn"),
    ]
    assert economics.money_written_at("bkg_500") is None
    desk.activities.record_payment(paid)
    assert ("cobro", "pay_1001") not in list(economics.unwritten("bkg_500"))
    assert economics.money_written_at("bkg_500") is not None


def test_a_write_without_a_clear_answer_is_not_over_there_yet(desk: Desk, economics: GiavEconomics) -> None:
    desk.registered()
    desk.fault("Reserva_Normal_PUT", Kind.DROP_BEFORE)
    changed = desk.booking(2, kind="booking.modified", discounts=[stories.discount_of(5000)])
    with pytest.raises(Exception, match="Reserva_Normal_PUT"):
        desk.activities.amend_booking(changed)
    assert list(economics.unwritten("bkg_500")) == [("reserva", "bkg_500")]
