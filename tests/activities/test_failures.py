"""Cells carry the table's names and types, and every error becomes the failure that decides what happens next."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import DEFECT, implements
from activities.signatures import GIAV_REGISTER_BOOKING, OFFICE_PARK
from domain.errors import FAULT_CLASSES, BackOfficeError
from domain.steps import BookingStep, Done, Parked, Parking

STEP = BookingStep(agency="demo", booking_id="bkg_1", experience_id="exp_1", event_id="evt_1", revision=1)


class Person(BaseModel):
    age: int


class Column:
    def __init__(self, error: Exception) -> None:
        self._error = error

    @implements(GIAV_REGISTER_BOOKING)
    def register(self, anything: BookingStep) -> Done:
        """The parameter's name is the method's own business."""
        raise self._error

    @implements(OFFICE_PARK)
    def park(self, parking: Parking) -> Parked:
        raise self._error


def failure_of(error: Exception) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        Column(error).register(STEP)
    return caught.value


def test_a_cell_takes_and_gives_what_the_table_says() -> None:
    definition = activity._Definition.must_from_callable(Column(KeyError()).register)
    assert definition.name == "giav.register_booking"
    assert definition.arg_types == [BookingStep]
    assert definition.ret_type is Done


@pytest.mark.parametrize("kind", FAULT_CLASSES.values())
def test_the_class_of_an_error_decides_about_retries(kind: type[BackOfficeError]) -> None:
    failure = failure_of(kind("words", system="giav", retry_after=5.0, effect="k"))
    assert failure.type == kind.__name__
    assert failure.non_retryable is not kind.automatic_retry
    assert failure.details[0]["effect"] == "k"


def test_an_unforeseen_error_is_parked_and_tells_no_values() -> None:
    try:
        Person.model_validate({"age": "Ana Prueba"})
    except ValueError as error:
        failure = failure_of(error)
    assert (failure.type, failure.non_retryable) == (DEFECT, True)
    assert "Ana" not in failure.message
    assert "age" in failure.message


def test_a_store_that_is_away_is_waited_for() -> None:
    failure = failure_of(OperationalError("select", {}, Exception("database is locked")))
    assert (failure.type, failure.non_retryable) == ("Transient", False)


def test_the_desk_never_gives_up() -> None:
    with pytest.raises(ApplicationError) as caught:
        Column(KeyError("x")).park(STEP)  # type: ignore[arg-type]
    assert not caught.value.non_retryable
