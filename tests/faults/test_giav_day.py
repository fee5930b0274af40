"""A day at GIAV ends the same whatever breaks at whichever call (contracts: giav 3.3, 4; money-rules 3 O3, 4; notes: faults).

The day is played once without faults and then once for every operation that it calls and every kind of fault that the
stand-in knows, with that one fault at the operation's first call; and every act of it, which is one way through the
lifecycles, once for every kind with a fault at each of its operations. What GIAV and our store then hold is compared record
by record with the day without faults. `OPERATIONS` names the operations; a new one fails until it is listed here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.giav.lookups import Lookups
from sandbox.faults import WIRE, Kind
from tests import stories
from tests.faults.giav_auditing import audited
from tests.faults.giav_comparing import twins
from tests.faults.giav_script import ACTS
from tests.faults.giav_theatre import WHOLE_DAY, Faults, Theatre, Verdict, Verdicts, opened, playing

OPERATIONS = (
    "Expediente_POST",
    "Expediente_SEARCH",
    "Expediente_GET",
    "Expediente_PUT",
    "Cliente_SEARCH",
    "Cliente_POST",
    "Pasajero_POST",
    "PasajeroExpediente_POST",
    "Reserva_Normal_POST",
    "Reservas_SEARCH",
    "Reserva_Anidamiento_PUT",
    "Reserva_Normal_PUT",
    "Pasajero_PUT",
    "PasajeroReserva_SEARCH",
    "PasajeroReserva_DELETE",
    "PasajeroReserva_POST",
    "Reserva_DELETE",
    "Cobro_POST",
    "Cobro_SEARCH",
    "Factura_Servicios_POST",
    "Factura_GET",
    "DueDate_SEARCH",
    "RelationDueDatePayment_POST",
    "Factura_REIMBURSEMENT",
    "Activity_POST",
    "Activity_SEARCH",
    "Cliente_GET",
    "Cliente_PUT",
    "Cobro_DELETE",
    "PasajeroExpediente_SEARCH",
    "PasajeroExpediente_DELETE",
    "Pasajero_SEARCH",
    "Pasajero_DELETE",
    "Expediente_InfoEconomica_GET",
    "Expediente_CLOSE",
    "Expediente_OPEN",
)
"""What the day calls, in the order in which it first does."""
CONFIRMING = frozenset({"Expediente_SEARCH", "Cobro_SEARCH", "Factura_GET", "Activity_SEARCH"})
"""First called to see whose record it is that was just made; a refusal there is a doubt of ours, and nobody's question."""
LOOK_UPS = {
    "Expediente_POST": "Expediente_SEARCH",
    "Pasajero_POST": "Pasajero_SEARCH",
    "PasajeroExpediente_POST": "PasajeroExpediente_SEARCH",
    "Reserva_Normal_POST": "Reservas_SEARCH",
    "PasajeroReserva_POST": "PasajeroReserva_SEARCH",
    "Cobro_POST": "Cobro_SEARCH",
    "Factura_Servicios_POST": "Factura_SEARCH",
    "RelationDueDatePayment_POST": "RelationDueDatePayment_SEARCH",
    "Activity_POST": "Activity_SEARCH",
}
"""How a write is looked for whose answer was lost."""

KINDS = [kind for kind in Kind if kind not in WIRE]
"""The rest strikes in `make faults`, where Temporal and every other system take part."""
CASES = [(operation, kind) for operation in OPERATIONS for kind in KINDS]
EVERYWHERE = [(act, kind) for act in ACTS for kind in KINDS]
LOST = [(write, Kind.DROP_AFTER) for write in LOOK_UPS]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with opened(tmp_path_factory.mktemp("theatre")) as theatre:
        yield theatre


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verdicts]:
    """The days that were asked for, played by two processes side by side."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    wanted = [spec.params["faults"] for spec in specs if spec is not None and "faults" in spec.params]
    with playing(wanted, tmp_path_factory.mktemp("days")) as played:
        yield played


def named(faults: Faults) -> str:
    return f"{faults[-1][0].replace(' ', '_')}-{faults[-1][1].value}"


def ends_as_undisturbed(verdict: Verdict) -> None:
    """Every fault struck, and both sides hold what they hold after the day without faults."""
    assert verdict.fired == [1] * len(verdict.fired), "a fault that did not strike"
    assert verdict.differences == []
    assert verdict.twins == []
    assert verdict.same_numbers, "a hole in a series, or a document too many"
    assert verdict.same_documents, "our store remembers other documents"
    assert verdict.left == []


@pytest.mark.covers(
    "giav 4: experience created",
    "giav 4: experience modified",
    "giav 4: experience cancelled",
    "giav 4: booking created",
    "giav 4: booking created, taken back",
    "giav 4: nested costs changed",
    "giav 4: payment",
    "giav 4: instalment",
    "giav 4: service change",
    "giav 4: discount before invoicing",
    "giav 4: discount after invoicing",
    "giav 4: cancellation without money",
    "giav 4: cancellation with money",
    "giav 4: refund",
    "giav 4: chargeback",
    "M1",
    "M2",
    "M3",
    "M4",
    "M5",
    "M6",
    "M7",
    "M9",
    "C1",
    "C2",
    "C4",
    "N1",
    "N2",
    "N3",
    "N4",
    "G1",
    "G2",
    "G3",
)
def test_a_day_without_faults_leaves_books_that_an_auditor_accepts(theatre: Theatre) -> None:
    stage = theatre.stage(WHOLE_DAY)
    undisturbed = stage.undisturbed
    assert tuple(undisturbed.first_call) == OPERATIONS, "a new call site, or one that is gone: tell OPERATIONS"
    assert (undisturbed.retried, undisturbed.parked, undisturbed.unsettled, undisturbed.listed) == (0, [], [], [])
    assert twins(undisturbed.giav) == []
    books, found = audited(stage, stories.AGENCY)
    assert found == []
    assert {booking.booking_id: (booking.invoiced, booking.penalties) for booking in books.bookings} == {
        "bkg_500": (0, 0),
        "bkg_501": (0, 0),
        "bkg_502": (0, 0),
        "bkg_503": (0, 3000),
        "bkg_504": (0, 0),
        "bkg_505": (70000, 0),
        "bkg_506": (82500, 0),
        "bkg_507": (0, 0),
        "bkg_508": (30000, 0),
        "bkg_509": (0, 3000),
        "bkg_510": (0, 0),
        "bkg_511": (0, 0),
        "bkg_512": (0, 0),
    }


@pytest.mark.covers("O3", "F-C1", "F-C2", "F-C9", "F-M1", "F-X5", "F-X7", "F-R4", "1.1.8")
@pytest.mark.parametrize("faults", [(case,) for case in CASES if case[1] is not Kind.REFUSE], ids=named)
def test_a_day_with_one_fault_ends_as_the_day_without(verdicts: Verdicts, faults: Faults) -> None:
    verdict = verdicts[faults].result()
    ends_as_undisturbed(verdict)
    assert verdict.parked == [], "nobody has to be asked"


@pytest.mark.covers("F-C3", "F-C8b", "F-M1", "F-X5", "F-X7")
@pytest.mark.parametrize("faults", [(case,) for case in CASES if case[1] is Kind.REFUSE], ids=named)
def test_a_day_with_one_refusal_parks_and_ends_the_same_once_a_person_says_retry(
    verdicts: Verdicts, faults: Faults
) -> None:
    verdict = verdicts[faults].result()
    # An office may have conditions of its own for closing a file: that is noted and stops nobody.
    asked = ["left open"] if faults[0][0] == "Expediente_CLOSE" else ["Refused"]
    assert verdict.parked == ([] if faults[0][0] in CONFIRMING else asked)
    ends_as_undisturbed(verdict)


@pytest.mark.covers("O3", "F-C1", "F-C2", "F-C3", "F-C9", "F-M1", "F-X5", "F-X7", "F-R4")
@pytest.mark.parametrize("faults", [(case,) for case in EVERYWHERE], ids=named)
def test_an_act_whose_every_operation_breaks_once_ends_as_the_act_without(verdicts: Verdicts, faults: Faults) -> None:
    verdict = verdicts[faults].result()
    ends_as_undisturbed(verdict)
    assert set(verdict.parked) <= ({"Refused", "left open"} if faults[0][1] is Kind.REFUSE else set())


@pytest.mark.covers("F-C2", "F-C9")
@pytest.mark.parametrize(
    "faults",
    [(*LOST, *((look_up, kind) for look_up in LOOK_UPS.values())) for kind in KINDS if kind is not Kind.REFUSE],
    ids=named,
)
def test_lost_answers_are_found_although_looking_for_them_fails_too(verdicts: Verdicts, faults: Faults) -> None:
    verdict = verdicts[faults].result()
    ends_as_undisturbed(verdict)
    assert verdict.parked == []


@pytest.mark.parametrize(
    ("operation", "look_up"),
    [
        ("Expediente_POST", "expediente"),
        ("Reserva_Normal_POST", "reserva"),
        ("Cobro_POST", "cobro"),
        ("Factura_Servicios_POST", "factura"),
        ("Activity_POST", "task"),
    ],
)
def test_the_comparison_sees_what_is_made_twice_when_nobody_looks(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, operation: str, look_up: str
) -> None:
    monkeypatch.setattr(Lookups, look_up, lambda *_: [])
    with pytest.raises(AssertionError):
        ends_as_undisturbed(theatre.verdict(((operation, Kind.DROP_AFTER),)))
