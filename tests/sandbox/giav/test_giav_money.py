"""Collections, invoices, credit notes and what links them in the GIAV stand-in."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from sandbox.giav import seeds
from sandbox.giav.stand_in import GiavStandIn
from tests.sandbox.giav.caller import Fault, Giav
from tests.sandbox.giav.conftest import Clock


@dataclass
class Booking:
    """A file with one container of 1000 euro sold to one client."""

    giav: Giav
    file: int
    client: int
    container: int

    def invoice(self, amount: float, **more: object) -> int:
        return self.giav.invoice(self.file, self.client, {self.container: amount}, **more)[0]

    def cobro(self, amount: float, **more: object) -> int:
        return self.giav.cobro(self.client, amount, idExpediente=self.file, **more)

    def invoiced(self) -> float:
        return float(self.giav("Reserva_GET", id=self.container)["FacturadoImporte"])

    def due_date(self, invoice: int) -> dict[str, object]:
        (found,) = self.giav.find("DueDate_SEARCH", IdsFacturasClientes=[invoice])
        return found

    def link(self, invoice: int, cobro: int, amount: float) -> int:
        due = self.due_date(invoice)["Id"]
        return int(self.giav("RelationDueDatePayment_POST", idDueDate=due, idCobro=cobro, compensationAmount=amount))

    def to_collect(self, invoice: int) -> float:
        return float(self.giav("Factura_GET", id=invoice)["DatosExternos"]["PendienteCobro"])

    def free(self, cobro: int) -> float:
        return float(self.giav("Cobro_GET", id=cobro)["DatosExternos"]["Disponible"])


@pytest.fixture
def booking(giav: Giav) -> Booking:
    client, file = giav.client(), giav.file()
    return Booking(giav, file, client, giav.reservation(file, client))


# Collections


def test_a_collection_without_office_has_no_access(booking: Booking) -> None:
    for office in (None, 4):
        with pytest.raises(Fault, match="No se tiene acceso al registro"):
            booking.cobro(10, idOficina=office)


@pytest.mark.parametrize(
    ("method", "operation"),
    [(seeds.TRANSFER, "Reembolso"), (seeds.REFUND, "Cobro"), (seeds.DISABLED_METHOD, "Cobro"), (999, "Cobro")],
)
def test_a_payment_method_takes_only_what_it_admits(booking: Booking, method: int, operation: str) -> None:
    with pytest.raises(Fault, match=r"forma de pago|FormaPago"):
        booking.cobro(10, idFormaPago=method, idTipoOperacion=operation)


@pytest.mark.parametrize("amount", [0, -5])
def test_amounts_are_positive_also_for_refunds(booking: Booking, amount: float) -> None:
    for operation in ("Cobro", "Reembolso"):
        with pytest.raises(Fault, match="importe"):
            booking.cobro(amount, idTipoOperacion=operation)


def test_a_collection_is_found_by_reference_and_by_custom_data(booking: Booking) -> None:
    reference = [{"Key": 2004, "Value": "ORQ-1"}]
    made = booking.cobro(10, documento="pi_1", customDataValues=reference)
    booking.cobro(10, documento="pi_2")
    for filters in ({"referenciaCobro": "pi_1"}, {"customDataValues": reference}):
        assert [each["Id"] for each in booking.giav.find("Cobro_SEARCH", **filters)] == [made]


def test_a_search_by_file_may_say_more_than_it_was_asked(booking: Booking, stand_in: GiavStandIn) -> None:
    here, elsewhere = booking.cobro(10), booking.giav.cobro(booking.client, 20, idExpediente=booking.giav.file())
    found = [each["Id"] for each in booking.giav.find("Cobro_SEARCH", idsExpediente=[booking.file])]
    assert found == [here, elsewhere]
    stand_in.books.manners.change({"leaky_cobros": False})
    assert [each["Id"] for each in booking.giav.find("Cobro_SEARCH", idsExpediente=[booking.file])] == [here]


def test_a_put_changes_a_collection_but_not_below_what_is_linked(booking: Booking) -> None:
    cobro, invoice = booking.cobro(300, documento="pi_1"), booking.invoice(300)
    booking.link(invoice, cobro, 200)
    own = {"idCobro": cobro, "idFormaPago": seeds.STRIPE, "idCliente": booking.client}
    booking.giav("Cobro_PUT", importe=250, documento="pi_2", **own)
    held = booking.giav("Cobro_GET", id=cobro)
    assert (held["Importe"], held["Documento"], held["IdExpediente"]) == (250.0, "pi_2", booking.file)
    with pytest.raises(Fault, match="facturas"):
        booking.giav("Cobro_PUT", importe=199, **own)


def test_an_automatic_compensation_pays_the_oldest_invoice_first(booking: Booking) -> None:
    first, second = booking.invoice(300), booking.invoice(300)
    cobro = booking.cobro(400, autocompensar=True)
    assert (booking.to_collect(first), booking.to_collect(second), booking.free(cobro)) == (0.0, 200.0, 0.0)


@pytest.mark.parametrize("act", ["hand-over", "count-cash", "reconcile"])
def test_a_collection_that_people_worked_on_is_frozen(booking: Booking, act: str) -> None:
    cobro = booking.cobro(10)
    assert httpx.post(f"{booking.giav.url}/control/people", json={"act": act, "cobro": cobro}).status_code == 200
    with pytest.raises(Fault, match="No se puede eliminar el cobro"):
        booking.giav("Cobro_DELETE", id=cobro)


def test_a_linked_collection_is_deleted_only_after_its_link(booking: Booking) -> None:
    cobro, invoice = booking.cobro(100), booking.invoice(100)
    relation = booking.link(invoice, cobro, 100)
    with pytest.raises(Fault, match="compensado con facturas"):
        booking.giav("Cobro_DELETE", id=cobro)
    booking.giav("RelationDueDatePayment_DELETE", id=relation)
    booking.giav("Cobro_DELETE", id=cobro)
    with pytest.raises(Fault, match="No existe el registro"):
        booking.giav("Cobro_DELETE", id=cobro)


# Invoices


def test_partial_invoices_add_up_to_the_sale_and_no_further(booking: Booking) -> None:
    booking.invoice(400)
    booking.invoice(500.5)
    assert booking.invoiced() == 900.5
    with pytest.raises(Fault, match=r"facturado 900\.50"):
        booking.invoice(99.51)
    booking.invoice(99.5)
    assert booking.giav("Reserva_GET", id=booking.container)["Facturado"] is True


def test_a_service_fee_is_invoiced_with_the_sale(giav: Giav) -> None:
    client, file = giav.client(), giav.file()
    container = giav.reservation(file, client, ventacomis=100, ventaNoComis=20, gastosGestion=5)
    giav.invoice(file, client, {container: 125})
    assert giav("Expediente_InfoEconomica_GET", id=file)["PendienteFacturar"] == 0.0


def test_a_refused_invoice_takes_no_number_and_leaves_nothing(booking: Booking) -> None:
    before = booking.invoice(10)
    with pytest.raises(Fault, match="disponible"):
        booking.invoice(20, importeaCompensar=20)
    after = booking.invoice(30)
    codes = [booking.giav("Factura_GET", id=each)["Codigo"] for each in (before, after)]
    assert codes == ["F-2026-000001", "F-2026-000002"]
    assert booking.invoiced() == 40.0
    assert len(booking.giav.find("FacturaLinea_SEARCH", idsReserva=[booking.container])) == 2


def test_each_series_and_each_year_counts_for_itself(booking: Booking) -> None:
    wishes: list[dict[str, object]] = [
        {},
        {"serie": "Especial"},
        {"serie": "Dac"},
        {"serie": "Proforma"},
        {"simplificada": True},
        {"fechaEmision": "2026-12-31"},
        {"fechaEmision": "2027-01-01"},
    ]
    codes = [booking.giav("Factura_GET", id=booking.invoice(10, **wish))["Codigo"] for wish in wishes]
    assert codes == [
        "F-2026-000001",
        "E-2026-000001",
        "D-2026-000001",
        "P-2026-000001",
        "FS-2026-000001",
        "F-2026-000002",
        "F-2027-000001",
    ]


def test_an_invoice_is_never_dated_before_the_last_one_of_its_series(booking: Booking) -> None:
    booking.invoice(10, fechaEmision="2026-03-02")
    with pytest.raises(Fault, match="anterior"):
        booking.invoice(10, fechaEmision="2026-03-01")
    booking.invoice(10, serie="Especial", fechaEmision="2026-03-01")
    booking.invoice(10, fechaEmision="2026-03-02")


def test_a_full_invoice_needs_a_tax_document_and_a_simplified_one_does_not(booking: Booking) -> None:
    giav, nobody = booking.giav, booking.giav.client("")
    with pytest.raises(Fault, match="documento del cliente es obligatorio"):
        giav.invoice(booking.file, nobody, {booking.container: 10})
    assert giav.invoice(booking.file, nobody, {booking.container: 10}, simplificada=True)


def test_an_invoice_keeps_the_recipient_as_given(booking: Booking) -> None:
    made = booking.invoice(
        10,
        nombreCliente="Ana Ruiz",
        direccionCliente="Calle 1",
        cpCliente="28001",
        descripcion="Pago 1. Fecha de operación 2026-02-28",
        customDataValues=[{"Key": 2005, "Value": "ORQ-1"}],
    )
    (found,) = booking.giav.find("Factura_SEARCH", customDataValues=[{"Key": 2005, "Value": "ORQ-1"}])
    assert (found["Id"], found["NomCliente"], found["DirCliente"], found["CpCliente"], found["DocumentoCliente"]) == (
        made,
        "Ana Ruiz",
        "Calle 1",
        "28001",
        "12345678Z",
    )
    assert (found["FechaEmision"], found["DatosExternos"]["TotalFactura"]) == ("2026-03-01T00:00:00", 10.0)
    assert booking.giav.find("Factura_SEARCH", descripcion="2026-02-28")[0]["Id"] == made


@pytest.mark.parametrize(
    ("ids", "amounts"), [([], []), (["own"], [1, 2]), (["own", "own"], [1, 1]), (["own"], [0]), (["foreign"], [1])]
)
def test_invoice_lists_must_fit(booking: Booking, ids: list[str], amounts: list[float]) -> None:
    foreign = booking.giav.reservation(booking.giav.file(), booking.client)
    known = {"own": booking.container, "foreign": foreign}
    with pytest.raises(Fault):
        booking.giav(
            "Factura_Servicios_POST",
            serie="General",
            idExpediente=booking.file,
            idCliente=booking.client,
            idReservas=[known[each] for each in ids],
            importes=amounts,
        )
    assert booking.invoiced() == 0.0


def test_the_automatic_series_may_issue_two_invoices(booking: Booking) -> None:
    giav = booking.giav
    coach = giav.reservation(booking.file, booking.client, tipoReserva="BU", ventacomis=50)
    made = giav.invoice(booking.file, booking.client, {booking.container: 10, coach: 50}, serie="TravelAgentAI")
    codes = [giav("Factura_GET", id=each)["Codigo"] for each in made]
    assert codes == ["E-2026-000001", "F-2026-000001"]


def test_an_invoice_can_collect_at_once(booking: Booking) -> None:
    made = booking.invoice(100, idFormaCobro=seeds.CARD, importeaCobrar=100, documentoCobro="pi_1")
    (cobro,) = booking.giav.find("Cobro_SEARCH", idsFactura=[made])
    assert (cobro["Documento"], cobro["Importe"], booking.to_collect(made)) == ("pi_1", 100.0, 0.0)


def test_money_that_is_there_can_be_applied_to_an_invoice(booking: Booking) -> None:
    cobro = booking.cobro(70)
    made = booking.invoice(100, importeaCompensar=70)
    assert (booking.to_collect(made), booking.free(cobro)) == (30.0, 0.0)


# Links


def test_a_collection_pays_an_invoice_through_its_due_date(booking: Booking) -> None:
    cobro, invoice = booking.cobro(100), booking.invoice(100)
    due = booking.due_date(invoice)
    assert (due["Amount"], due["DateDueDate"]) == (100.0, "2026-03-01T00:00:00")
    relation = booking.link(invoice, cobro, 100)
    (found,) = booking.giav.find("RelationDueDatePayment_SEARCH", idsDueDates=[due["Id"]], idsCobros=[cobro])
    assert (found["Id"], found["Amount"]) == (relation, 100.0)
    assert (booking.to_collect(invoice), booking.free(cobro)) == (0.0, 0.0)
    assert booking.giav.find("Factura_SEARCH", idsExpediente=[booking.file], mostrarSoloConPtePago=True) == []


def test_a_link_cannot_exceed_what_either_side_has_left(booking: Booking) -> None:
    small, large, invoice = booking.cobro(50), booking.cobro(500), booking.invoice(100)
    with pytest.raises(Fault, match="disponible"):
        booking.link(invoice, small, 50.01)
    with pytest.raises(Fault, match="pendiente"):
        booking.link(invoice, large, 100.01)


def test_a_refund_does_not_pay_an_invoice(booking: Booking) -> None:
    refund, invoice = booking.cobro(100, idTipoOperacion="Reembolso"), booking.invoice(100)
    with pytest.raises(Fault, match="no corresponde"):
        booking.link(invoice, refund, 100)


# Corrections


def test_a_credit_note_cancels_its_original_and_frees_money_and_sale(booking: Booking) -> None:
    cobro, invoice = booking.cobro(400), booking.invoice(400)
    booking.link(invoice, cobro, 400)
    reference = [{"Key": 2005, "Value": "ORQ-2"}]
    credit = booking.giav("Factura_REIMBURSEMENT", id=invoice, fechaEmision="2026-03-05", customDataValues=reference)
    (found,) = booking.giav.find("Factura_SEARCH", idsFacturaAsociada=[invoice], idsTipoFactura=["Reembolso"])
    assert (found["Id"], found["Codigo"], found["EsReembolso"], found["DatosExternos"]["TotalFactura"]) == (
        credit,
        "FR-2026-000001",
        True,
        -400.0,
    )
    assert found["CustomDataValues"] == reference
    assert (booking.to_collect(invoice), booking.to_collect(credit), booking.free(cobro)) == (0.0, 0.0, 400.0)
    assert booking.invoiced() == 0.0
    (line,) = booking.giav.find("FacturaLinea_SEARCH", idsFactura=[credit])
    assert (line["Total"], line["IdReserva"]) == (-400.0, booking.container)
    assert booking.giav.find("Cobro_SEARCH", idTipoOperacion="Reembolso") == []


def test_a_credit_note_can_pay_money_back(booking: Booking) -> None:
    cobro, invoice = booking.cobro(400), booking.invoice(400)
    booking.link(invoice, cobro, 400)
    credit = booking.giav(
        "Factura_REIMBURSEMENT", id=invoice, idFormaPagoReembolso=seeds.REFUND, importeCobrosaReembolsar=150
    )
    (refund,) = booking.giav.find("Cobro_SEARCH", idTipoOperacion="Reembolso", idsExpediente=[booking.file])
    assert (refund["Importe"], refund["IdFormaPago"]) == (150.0, seeds.REFUND)
    assert (booking.to_collect(invoice), booking.to_collect(credit), booking.free(cobro)) == (0.0, 0.0, 250.0)


def test_a_credit_note_pays_back_no_more_than_was_paid_and_needs_a_method(booking: Booking) -> None:
    cobro, invoice = booking.cobro(100), booking.invoice(400)
    booking.link(invoice, cobro, 100)
    wish = {"id": invoice, "importeCobrosaReembolsar": 100}
    with pytest.raises(Fault, match="supera lo cobrado"):
        booking.giav("Factura_REIMBURSEMENT", **{**wish, "importeCobrosaReembolsar": 100.01})
    with pytest.raises(Fault, match="obligatorios"):
        booking.giav("Factura_REIMBURSEMENT", **wish)
    with pytest.raises(Fault, match="no admite reembolsos"):
        booking.giav("Factura_REIMBURSEMENT", idFormaPagoReembolso=seeds.TRANSFER, **wish)
    assert booking.giav.find("Factura_SEARCH", idsFacturaAsociada=[invoice]) == []


def test_an_invoice_is_credited_once_and_a_credit_note_never(booking: Booking) -> None:
    invoice = booking.invoice(400)
    credit = booking.giav("Factura_REIMBURSEMENT", id=invoice)
    for id_ in (invoice, credit):
        with pytest.raises(Fault, match="reembolso"):
            booking.giav("Factura_REIMBURSEMENT", id=id_)
    with pytest.raises(Fault, match="rectificativa"):
        booking.giav("Factura_RECTIFICATION", id=invoice, idMotivo="Otros")


def test_a_rectification_carries_its_reason(booking: Booking) -> None:
    invoice = booking.invoice(400)
    made = booking.giav("Factura_RECTIFICATION", id=invoice, idMotivo="Otros", descripcionMotivo="NIF erróneo")
    held = booking.giav("Factura_GET", id=made)
    assert (held["IdTipo"], held["IdFacturaAsociada"], held["DatosExternos"]["TotalFactura"]) == (
        "Rectificativa",
        invoice,
        -400.0,
    )
    assert "NIF erróneo" in held["Descripcion"]
    assert booking.invoiced() == 0.0


def test_an_issued_invoice_is_never_deleted_and_a_proforma_may_be(booking: Booking) -> None:
    fiscal, proforma, cobro = booking.invoice(400), booking.invoice(1000, serie="Proforma"), booking.cobro(1000)
    with pytest.raises(Fault, match="no se elimina"):
        booking.giav("Factura_DELETE", id=fiscal, accionSiCobros="EliminarCompensaciones")
    booking.link(proforma, cobro, 1000)
    booking.giav("Factura_DELETE", id=proforma, accionSiCobros="EliminarCompensaciones")
    assert booking.free(cobro) == 1000.0
    held = booking.giav("Reserva_GET", id=booking.container)
    assert (held["FacturadoImporteProformes"], held["FacturadoImporte"]) == (0.0, 400.0)


def test_deleting_a_proforma_can_take_its_collections_along(booking: Booking) -> None:
    proforma, cobro = booking.invoice(100, serie="Proforma"), booking.cobro(100)
    booking.link(proforma, cobro, 100)
    booking.giav("Factura_DELETE", id=proforma, accionSiCobros="EliminarCobros")
    with pytest.raises(Fault, match="No existe el registro"):
        booking.giav("Cobro_GET", id=cobro)


def test_a_cancellation_with_penalty_ends_even(booking: Booking) -> None:
    giav = booking.giav
    cobro, invoice = booking.cobro(1000), booking.invoice(1000)
    booking.link(invoice, cobro, 1000)
    giav("Factura_REIMBURSEMENT", id=invoice)
    own = {"idCliente": booking.client, "idProveedor": seeds.SUPPLIER_SELF, "margenOperacionPrevisto": 20}
    stage = seeds.RESERVATION_CANCELLED
    giav("Reserva_Normal_PUT", idReserva=booking.container, ventacomis=300, idEntityStage=stage, **own)
    booking.link(booking.invoice(300), cobro, 300)
    booking.cobro(700, idTipoOperacion="Reembolso", idFormaPago=seeds.REFUND)
    worth = giav("Expediente_InfoEconomica_GET", id=booking.file)
    assert (worth["PendienteCobrar"], worth["PendienteFacturar"], worth["Liquidez"]) == (0.0, 0.0, 300.0)
    giav("Expediente_CLOSE", id=booking.file)


def test_a_closed_file_takes_no_correction_and_no_link(booking: Booking) -> None:
    cobro, invoice = booking.cobro(1000), booking.invoice(1000)
    booking.giav("Expediente_CLOSE", id=booking.file)
    for write in (
        lambda: booking.giav("Factura_REIMBURSEMENT", id=invoice),
        lambda: booking.link(invoice, cobro, 1000),
        lambda: booking.giav("Cobro_DELETE", id=cobro),
    ):
        with pytest.raises(Fault, match="cerrado"):
            write()


def test_the_economics_of_a_file_may_lag_behind_its_money(
    booking: Booking, stand_in: GiavStandIn, clock: Clock
) -> None:
    stand_in.books.manners.change({"economics_lag": 30})
    booking.cobro(400)
    assert booking.giav("Expediente_InfoEconomica_GET", id=booking.file)["PendienteCobrar"] == 1000.0
    clock.forward(seconds=31)
    assert booking.giav("Expediente_InfoEconomica_GET", id=booking.file)["PendienteCobrar"] == 600.0
