"""What happens in the season, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.season import people
from sandbox.season.catalogue import CONVENTION, GRANADA, convention, eur, granada
from sandbox.season.driver import Driver
from sandbox.season.people import Doc, companion

PLAN = "plan_7202"
"""The plan whose second and third instalment the orchestrator collects."""
AIRPLUS_TOKEN = "airplus-meridian"
"""Under which Meridian's AirPlus account has to be lodged in the vault."""
AIRPLUS_LAST4 = "0008"
ANNOUNCEMENTS = {
    "midoco": "announceBookingMessage",
    "tina": "BookingImport",
    "sapeig": "CreateBooking",
    "xmid": "putBooking",
    "ziel": "rename",
}
"""By mid-office, the operation with which a new booking is announced there."""
OUTAGE_SECONDS = 120.0
"""How long the outage waits, at most, to be noticed."""

SEAT = ("svc_72H", "svc_72B", "svc_72A", "svc_72G", "svc_72S")
"""A whole seat to Granada: 494.50 €, costs 370.95 €."""


@dataclass(frozen=True)
class Step:
    """One step: `name` is its identity in the progress that the platform keeps, `title` what a reader sees."""

    name: str
    title: str
    act: Callable[[Driver], None]


def sell(
    driver: Driver,
    number: int,
    payer: Doc,
    travellers: list[Doc],
    locator: str,
    *,
    services: tuple[str, ...] = SEAT,
    delivery: Doc | None = None,
) -> None:
    """Sell seats to Granada as booking `bkg_{number}`; `delivery` as in the platform's verbs."""
    wish = {
        "id": f"bkg_{number}",
        "locator": locator,
        "experience_id": GRANADA,
        "payer": payer,
        "travellers": travellers,
        "lines": [{"service_id": service} for service in services],
        "delivery": delivery or {},
    }
    driver.do("create-booking", wish)


def pay(driver: Driver, number: int, **more: object) -> None:
    driver.do("capture-payment", {"booking_id": f"bkg_{number}", **more})


def cancel(driver: Driver, number: int, cause: str) -> None:
    """Cancel a whole booking and give back what the policy leaves."""
    booking_id = f"bkg_{number}"
    cancellation = driver.do("cancel-booking", {"booking_id": booking_id, "cause": cause})["cancellations"][-1]
    if cancellation["refund"]["amount"]["amount"]:
        wish = {"booking_id": booking_id, "cause": "cancellation", "cancellation_id": cancellation["id"]}
        driver.do("refund", wish)


def open_convention(driver: Driver) -> None:
    driver.do("create-experience", convention(driver.start))


def open_granada(driver: Driver) -> None:
    driver.do("create-experience", granada(driver.start))


def early_fault(driver: Driver) -> None:
    driver.fault("giav", "Cobro_POST", "drop-after")


def sell_convention(driver: Driver) -> None:
    services = ("svc_71H", "svc_71B", "svc_71A", "svc_71G", "svc_71S")
    wish = {
        "id": "bkg_7101",
        "locator": "MRD24S",
        "experience_id": CONVENTION,
        "payer": people.MERIDIAN,
        "booker": people.MERIDIAN_BOOKER,
        "travellers": people.staff(0, 24),
        "lines": [{"service_id": service} for service in services],
    }
    driver.do("create-booking", wish)


def discount_convention(driver: Driver) -> None:
    wish = {"booking_id": "bkg_7101", "kind": "percentage", "value": "5.00", "code": "GRUPO24"}
    driver.do("apply-discount", wish)


def deposit_convention(driver: Driver) -> None:
    wish = {"booking_id": "bkg_7101", "id": "plan_7101", "collection": "on_notice", "method": "transfer"}
    driver.do("create-plan", wish)
    pay(driver, 7101, method="transfer", instalment_id="ins_71011")


def airplus(driver: Driver) -> None:
    wish = {
        "id": "bkg_7102",
        "locator": "MRDDIR",
        "experience_id": CONVENTION,
        "payer": people.MERIDIAN,
        "booker": people.MERIDIAN_BOOKER,
        "travellers": people.staff(40, 2),
        "lines": [{"service_id": "svc_71H"}, {"service_id": "svc_71S"}],
    }
    driver.do("create-booking", wish)
    pay(driver, 7102, method="airplus", last4=AIRPLUS_LAST4, airplus_account_token=AIRPLUS_TOKEN)


def early_bird(driver: Driver) -> None:
    sell(driver, 7201, people.LUCIA.party, [people.LUCIA.traveller, companion("Diego", "Alonso Ferrer")], "GRX4LF")
    wish = {"booking_id": "bkg_7201", "kind": "amount", "value": eur(5000), "code": "ANTICIPADO"}
    driver.do("apply-discount", wish)
    pay(driver, 7201)


def instalments(driver: Driver) -> None:
    sell(driver, 7202, people.JAVIER.party, [people.JAVIER.traveller, companion("Raquel", "Cano Llorens")], "GRX7JM")
    driver.do("create-plan", {"booking_id": "bkg_7202", "id": PLAN})
    pay(driver, 7202, instalment_id="ins_72021", last4="1881")


def payment_first(driver: Driver) -> None:
    party, travellers = people.CARMEN_O.party, [people.CARMEN_O.traveller]
    sell(driver, 7203, party, travellers, "GRX2CO", delivery={"booking.created": {"behind": True}})
    pay(driver, 7203)


def told_twice(driver: Driver) -> None:
    services = tuple(service for service in SEAT if service != "svc_72A")
    sell(driver, 7212, people.SERGIO.party, [people.SERGIO.traveller], "GRX8SI", services=services)
    pay(driver, 7212, delivery={"payment.captured": {"twice": True}})


def disorder(driver: Driver) -> None:
    travellers = [people.CARMEN_D.traveller, companion("Lorenzo", "Bernal Ros")]
    sell(driver, 7211, people.CARMEN_D.party, travellers, "GRX5CD")
    discount = {"booking_id": "bkg_7211", "kind": "amount", "value": eur(4000), "code": "AMIGOS"}
    driver.do("apply-discount", {**discount, "delivery": {"booking.discount_applied": {"behind": True}}})
    driver.do("change-service", {"booking_id": "bkg_7211", "action": "added", "service_id": "svc_72W"})
    pay(driver, 7211)


def sell_before_outage(driver: Driver) -> None:
    trio = [
        people.ANTONIO.traveller,
        companion("Macarena", "Luque Romero"),
        companion("Julia", "Ruiz Luque", "child"),
    ]
    sell(driver, 7204, people.ANTONIO.party, trio, "GRX3AR")
    pay(driver, 7204)
    sell(driver, 7205, people.ELENA.party, [people.ELENA.traveller, companion("Oriol", "Vidal Serra")], "GRX6EN")
    pay(driver, 7205, last4="0341")


def sell_to_be_cancelled(driver: Driver) -> None:
    sell(driver, 7207, people.ISABEL.party, [people.ISABEL.traveller], "GRX1ID")
    travellers = [people.FRANCISCO.traveller, companion("Amparo", "Gómez Téllez")]
    sell(driver, 7208, people.FRANCISCO.party, travellers, "GRX9FP")
    pay(driver, 7208)
    sell(driver, 7209, people.MARTA.party, [people.MARTA.traveller], "GRX4MC")
    pay(driver, 7209, last4="5556")


def late_discount(driver: Driver) -> None:
    wish = {"booking_id": "bkg_7204", "kind": "amount", "value": eur(12000), "code": "FIDELIDAD"}
    driver.do("apply-discount", wish)
    driver.do("refund", {"booking_id": "bkg_7204", "cause": "discount"})


def remove_service(driver: Driver) -> None:
    driver.do("change-service", {"booking_id": "bkg_7205", "action": "removed", "line_id": "lin_03"})
    driver.do("refund", {"booking_id": "bkg_7205", "cause": "service_change"})


def outage_begins(driver: Driver) -> None:
    driver.fault("giav", "*", "page-503", times=None)


def family_in_outage(driver: Driver) -> None:
    family = [
        people.NURIA.traveller,
        companion("Joan", "Riera Mas"),
        companion("Aina", "Riera Campos", "child"),
        companion("Biel", "Riera Campos", "child"),
    ]
    services = tuple(service for service in SEAT if service != "svc_72S")
    sell(driver, 7213, people.NURIA.party, family, "GRX7NC", services=services)
    pay(driver, 7213)


def bizum_in_outage(driver: Driver) -> None:
    sell(driver, 7214, people.MIGUEL.party, [people.MIGUEL.traveller, companion("Lidia", "Marcos Hierro")], "GRX2MS")
    pay(driver, 7214, method="bizum")


def replace_traveller(driver: Driver) -> None:
    person = {"id": "trv_02", "first_name": "Verónica", "last_name": "Soto Blanco"}
    driver.do("modify-booking", {"booking_id": "bkg_7214", "travellers": [person]})


def outage_ends(driver: Driver) -> None:
    driver.wait_until_struck("giav", "page-503", OUTAGE_SECONDS)
    driver.clear_faults("giav")


def late_faults(driver: Driver) -> None:
    driver.fault("giav", "Factura_Servicios_POST", "error-after")
    driver.fault(driver.midoffice, ANNOUNCEMENTS[driver.midoffice], "drop-after")
    driver.fault("airplus", "rename", "drop-after")
    driver.fault("ratehawk", "hotel/order/cancel/", "drop-after")
    driver.reject_next("A006")


def hotel_gets_cheaper(driver: Driver) -> None:
    """Within what an agency takes over unasked: the customer's price stays, the margin grows."""
    driver.staff("bkg_7201-lin_01", {"amount": "485.00"})


def add_service(driver: Driver) -> None:
    sell(driver, 7206, people.PABLO.party, [people.PABLO.traveller, companion("Irene", "Lasheras Pina")], "GRX6PS")
    pay(driver, 7206)
    driver.do("change-service", {"booking_id": "bkg_7206", "action": "added", "service_id": "svc_72W"})
    pay(driver, 7206)


def company_seats(driver: Driver) -> None:
    travellers = [
        companion("Vicente", "Ortuño Bernabeu", room="R1"),
        companion("Rosa", "Ortuño Mira", room="R1"),
        companion("Jaime", "Sempere Alcaraz", room="R2"),
        companion("Nieves", "Botella Rico", room="R2"),
    ]
    sell(driver, 7210, people.ORTUNO, travellers, "GRX4OR")
    pay(driver, 7210, method="transfer")


def cancel_unpaid(driver: Driver) -> None:
    cancel(driver, 7207, "withdrawal_14d")


def cancel_free(driver: Driver) -> None:
    cancel(driver, 7208, "withdrawal_14d")


def cancel_with_penalty(driver: Driver) -> None:
    cancel(driver, 7209, "customer_choice")


def enlarge_convention(driver: Driver) -> None:
    driver.do("change-service", {"booking_id": "bkg_7101", "action": "added", "service_id": "svc_71T"})


SCRIPT: tuple[Step, ...] = (
    Step("open-convention", "A company's convention in Sevilla goes on sale", open_convention),
    Step("open-granada", "A long weekend in Granada goes on sale, seat by seat", open_granada),
    Step("early-fault", "GIAV will book the next collection and cut the line before answering", early_fault),
    Step("sell-convention", "Laboratorios Meridian books 24 places", sell_convention),
    Step("discount-convention", "A group discount of 5 % before any payment", discount_convention),
    Step("deposit-convention", "Meridian agrees a schedule and pays the deposit by transfer", deposit_convention),
    Step("airplus", "Two directors are paid by Meridian's AirPlus account", airplus),
    Step("early-bird", "Lucía takes the early-bird discount and pays in full", early_bird),
    Step("instalments", "Javier pays in three instalments: the first now, two are due", instalments),
    Step("payment-first", "A payment is told before its booking", payment_first),
    Step("told-twice", "A payment is told twice", told_twice),
    Step("disorder", "A service change is told before the discount that came first", disorder),
    Step("sell-before-outage", "Antonio and Elena pay in full", sell_before_outage),
    Step("sell-to-be-cancelled", "Isabel books; Francisco Javier and Marta book and pay", sell_to_be_cancelled),
    Step("outage-begins", "GIAV goes down for maintenance", outage_begins),
    Step("family-in-outage", "A family of four books and pays meanwhile", family_in_outage),
    Step("bizum-in-outage", "Miguel Ángel books and pays by Bizum meanwhile", bizum_in_outage),
    Step("replace-traveller", "His companion is replaced meanwhile", replace_traveller),
    Step("outage-ends", "GIAV is back", outage_ends),
    Step("late-discount", "Antonio gets a discount after paying; 120.00 € go back", late_discount),
    Step("remove-service", "Elena gives up the Alhambra visit; 118.00 € go back", remove_service),
    Step(
        "late-faults",
        "GIAV, the mid-office, AirPlus and RateHawk will each lose one answer, and AirPlus reject a line",
        late_faults,
    ),
    Step("hotel-gets-cheaper", "RateHawk makes Lucía's hotel 4.00 € cheaper", hotel_gets_cheaper),
    Step("add-service", "Pablo adds the Arab baths and pays for them", add_service),
    Step("company-seats", "Ferretería Ortuño pays four seats by transfer", company_seats),
    Step("cancel-unpaid", "Isabel withdraws before paying: nothing to give back", cancel_unpaid),
    Step("cancel-free", "Francisco Javier withdraws within 14 days: everything goes back", cancel_free),
    Step("cancel-with-penalty", "Marta cancels: 35 % stay as indemnity, the rest goes back", cancel_with_penalty),
    Step("enlarge-convention", "Meridian adds transfers: the schedule grows", enlarge_convention),
)
