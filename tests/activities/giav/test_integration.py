"""Activating GIAV on a real wire: what is guessed, what is asked, fields installed once, a refused key (giav 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.giav.catalogues import FIELD_CLASSES, FIELD_NAME
from activities.giav.integration import KEY_NAME, GiavIntegration, account_settings
from domain.errors import Refused
from domain.steps import BackfillProgress, Done, IntegrationActivation, IntegrationStep
from sandbox.faults import Kind
from sandbox.giav import seeds
from sandbox.giav.stand_in import PATH, GiavStandIn
from sandbox.running import running
from store import Store
from tests.databases import MASTER_KEY, migrated_url

AGENCY = "demo"
STEP = IntegrationStep(agency=AGENCY, system="giav", by="ana")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@dataclass
class World:
    stand_in: GiavStandIn
    store: Store

    @property
    def cells(self) -> GiavIntegration:
        return GiavIntegration(self.store, {AGENCY: "Viajes Ejemplo, S.L."}, lambda: NOW)

    @property
    def records(self) -> Any:
        return self.stand_in.books.records

    def set(self, **settings: Any) -> None:
        now = self.store.integrations.known(AGENCY, "giav")
        self.store.integrations.set(AGENCY, "giav", {**now.settings, **settings}, by="ana", detail="")

    def forget_fields(self) -> None:
        for field in list(self.records.all("CustomData")):
            self.records.remove("CustomData", field["Id"])
        self.records.commit()

    def installed(self) -> list[tuple[str, str]]:
        fields = self.records.all("CustomData")
        return sorted((field["targetClass"], field["Name"]) for field in fields if field["Name"] == FIELD_NAME)

    def insist(self, verb: Callable[[IntegrationStep], Done], attempts: int = 12) -> Done:
        """What Temporal does with retryable failures, without its waits."""
        for _ in range(attempts):
            try:
                return verb(STEP)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
        raise AssertionError(f"not done after {attempts} attempts")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = Store.open(migrated_url("sqlite", tmp_path), master_key=MASTER_KEY)
    stand_in = GiavStandIn()
    with running(stand_in) as url:
        store.integrations.request(AGENCY, "giav", by="ana")
        store.vault.seal(AGENCY, KEY_NAME, seeds.API_KEY)
        found = World(stand_in, store)
        found.set(url=f"{url}{PATH}")
        yield found
    store.close()


def refusal(call: Callable[[Any], Any], step: Any = STEP) -> ApplicationError:
    with pytest.raises(ApplicationError) as refused:
        call(step)
    return refused.value


def test_an_ordinary_set_up_needs_no_answer(world: World) -> None:
    world.cells.check(STEP)
    found = world.store.integrations.known(AGENCY, "giav")
    assert found.state == "checked"
    assert found.catalogue["proposed"] == {
        "office_id": seeds.OFFICE,
        "agency_supplier_id": seeds.SUPPLIER_SELF,
        "default_supplier_id": seeds.SUPPLIER_GENERIC,
        "b2c_holder_client_id": seeds.HOLDER,
        "payment_methods": {
            "card": seeds.CARD,
            "stripe": seeds.STRIPE,
            "transfer": seeds.TRANSFER,
            "airplus": seeds.UATP,
            "paypal": seeds.PAYPAL,
            "default": seeds.CARD,
        },
        "refund_methods": {
            "card": seeds.CARD,
            "stripe": seeds.STRIPE,
            "transfer": seeds.REFUND,
            "airplus": seeds.UATP,
            "paypal": seeds.PAYPAL,
            "default": seeds.CARD,
        },
        "stage_open_id": seeds.FILE_OPEN,
        "stage_cancelled_id": seeds.FILE_CANCELLED,
        "reserva_stage_open_id": seeds.RESERVATION_CONFIRMED,
        "reserva_stage_cancelled_id": seeds.RESERVATION_CANCELLED,
        "custom_fields": {name.lower(): number for name, number in seeds.REFERENCE_FIELDS.items()},
    }


def test_a_refused_key_says_what_to_do_and_is_not_tried_again(world: World) -> None:
    world.store.vault.seal(AGENCY, KEY_NAME, "another-key")
    error = refusal(world.cells.check)
    assert (error.type, error.non_retryable) == ("Unauthorised", True)
    assert "bookings integration key demo" in error.message
    assert "another-key" not in error.message
    assert world.store.integrations.known(AGENCY, "giav").state == "requested"


def test_without_a_key_nothing_is_called(world: World) -> None:
    world.store.vault.forget(AGENCY, KEY_NAME)
    assert "there is no key yet" in refusal(world.cells.check).message
    assert not world.stand_in.calls


def test_what_has_two_candidates_is_asked_and_an_answer_counts(world: World) -> None:
    world.records.add("Oficina", {"Id": 4, "Codigo": "004", "Denominacion": "Oficina playa"})
    second = {"Id": 20, "Nombre": "TPV online", "Tipo": "Cobro", "IdCategoria": "Tarjeta_TPV"}
    world.records.add("FormaPago", {**second, "AdmiteCobros": True, "AdmiteReembolsos": False})
    world.records.commit()
    error = refusal(world.cells.check)
    assert error.type == "NeedsPerson"
    assert "office_id is missing; payment_methods.card is missing" in error.message
    asked = world.store.integrations.known(AGENCY, "giav").catalogue["questions"]
    assert asked == {"office_id": [seeds.OFFICE, 4], "payment_methods.card": [seeds.CARD, 20]}
    world.set(office_id=4, payment_methods={"card": 20})
    world.cells.check(STEP)
    world.cells.activate(IntegrationActivation(**STEP.model_dump()))
    used = world.store.integrations.known(AGENCY, "giav").settings
    assert (used["office_id"], used["payment_methods"]["card"]) == (4, 20)
    assert used["payment_methods"]["stripe"] == seeds.STRIPE


def test_fields_that_are_there_are_taken_and_missing_ones_made(world: World) -> None:
    assert world.cells.install_fields(STEP).ids["cobro"] == str(seeds.REFERENCE_FIELDS["Cobro"])
    assert world.installed() == []
    world.forget_fields()
    world.set(custom_fields={})
    made = world.cells.install_fields(STEP).ids
    assert world.installed() == sorted((target, FIELD_NAME) for target in FIELD_CLASSES)
    assert world.cells.install_fields(STEP).ids == made
    kept = world.store.integrations.known(AGENCY, "giav").settings["custom_fields"]
    assert {name: str(number) for name, number in kept.items()} == made


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.DROP_BEFORE, Kind.PAGE_503])
def test_a_field_is_made_once_whatever_became_of_the_answer(world: World, kind: Kind) -> None:
    world.forget_fields()
    world.stand_in.faults.set({"operation": "CustomData_POST", "kind": kind.value, "times": 2})
    world.insist(world.cells.install_fields)
    assert world.installed() == sorted((target, FIELD_NAME) for target in FIELD_CLASSES)
    assert world.store.parked.list() == []


def test_one_field_for_several_classes_is_not_believed(world: World) -> None:
    world.forget_fields()
    world.records.add("CustomData", {"Id": 2900, "Name": FIELD_NAME, "Type": "TextBox", "targetClass": None})
    world.records.commit()
    assert "one field for several classes" in refusal(world.cells.install_fields).message


def test_an_active_integration_is_what_steps_work_with(world: World) -> None:
    world.cells.check(STEP)
    world.cells.install_fields(STEP)
    begin = world.cells.activate(IntegrationActivation(**STEP.model_dump()))
    assert begin == BackfillProgress(ended_since=date(2026, 11, 22))
    found = world.store.integrations.known(AGENCY, "giav")
    assert found.state == "active"
    assert seeds.API_KEY not in str(found)
    settings = account_settings(world.store, found)
    assert settings.api_key.get_secret_value() == seeds.API_KEY
    assert settings.payment_method("stripe", "card") == seeds.STRIPE
    assert settings.refund_method("none", "transfer") == seeds.REFUND
    assert settings.custom_fields.reserva == seeds.REFERENCE_FIELDS["Reserva"]


def test_activating_again_goes_on_with_the_backfill_unless_another_day_is_asked_for(world: World) -> None:
    world.cells.check(STEP)
    halfway = BackfillProgress(ended_since=date(2026, 11, 1), phase="bookings", cursor="7", seen=300)
    world.store.integrations.backfilled(AGENCY, "giav", halfway.model_dump(mode="json"))
    assert world.cells.activate(IntegrationActivation(**STEP.model_dump())) == halfway
    again = IntegrationActivation(**STEP.model_dump(), ended_since=date(2025, 1, 1))
    assert world.cells.activate(again) == BackfillProgress(ended_since=date(2025, 1, 1))


def test_what_was_never_requested_is_refused(world: World) -> None:
    other = IntegrationStep(agency="other", system="giav", by="ana")
    with pytest.raises(Refused, match="never requested"):
        world.store.integrations.known("other", "giav")
    cells = GiavIntegration(world.store, {"other": "Otra"}, lambda: NOW)
    assert refusal(cells.check, other).type == "Refused"
