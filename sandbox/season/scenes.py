"""After the season: payments that an outage leaves unsynchronised, and people who pay twice. What the agency's own people do in
between is not played here: whoever plays the scenes one by one does it (contracts: payment-sync 9).

    unsynchronised   three bookings; GIAV goes away; each is paid by card, two of them once more in cash at the office
    repaired         GIAV is back
    given-back       the processor ends the refund of the second payment of the booking without a plan, which it was asked for
    closing          compare the bookings with what all this must lead to
"""

from __future__ import annotations

from datetime import timedelta

from sandbox.season import people
from sandbox.season.catalogue import GRANADA, eur
from sandbox.season.driver import Driver, SeasonError
from sandbox.season.outcome import Outcome
from sandbox.season.people import Doc, companion
from sandbox.season.script import OUTAGE_SECONDS, Step, pay

CHEAP = ("svc_72B", "svc_72A", "svc_72G")
"""A seat of somebody who sleeps elsewhere: 161.00 €."""
TWICE = "pay_7302"
"""What is paid twice and given back."""
CASH = 10
"""GIAV's payment method of the cash desk."""
REGISTERED_SECONDS = 300.0

SCENE_OUTCOME: dict[str, Outcome] = {
    "bkg_7301": Outcome("confirmed", 322_00, 322_00),
    "bkg_7302": Outcome("confirmed", 161_00, 322_00, refunded=161_00),
    "bkg_7303": Outcome("confirmed", 161_00, 161_00),
}


def _sell(driver: Driver, number: int, payer: people.Person, *others: Doc) -> None:
    wish = {
        "id": f"bkg_{number}",
        "locator": f"GRX{number}",
        "experience_id": GRANADA,
        "payer": payer.party,
        "travellers": [payer.traveller, *others],
        "lines": [{"service_id": service} for service in CHEAP],
    }
    driver.do("create-booking", wish)


def sell(driver: Driver) -> None:
    _sell(driver, 7301, people.TERESA, companion("Gonzalo", "Prieto Rey"))
    departs = driver.start + timedelta(days=45)
    template = [
        {"seq": 1, "due": {"on": driver.start.isoformat()}, "kind": "fixed", "amount": eur(100_00)},
        {"seq": 2, "due": {"on": (departs - timedelta(days=25)).isoformat()}, "kind": "fixed", "amount": eur(80_00)},
        {"seq": 3, "due": {"on": (departs - timedelta(days=10)).isoformat()}, "kind": "balance"},
    ]
    driver.do("create-plan", {"booking_id": "bkg_7301", "id": "plan_7301", "template": template})
    pay(driver, 7301, instalment_id="ins_73011", last4="3012")
    _sell(driver, 7302, people.ANDRES)
    _sell(driver, 7303, people.GLORIA)


def registered(driver: Driver) -> None:
    """The office can only type money for what GIAV has."""
    wanted = set(SCENE_OUTCOME)

    def there() -> bool:
        held = driver.held("giav")
        collected = any(cobro["Importe"] == 100.0 for cobro in held.get("Cobro", ()))
        return wanted <= {each["CodSolicitud"] for each in held.get("Reserva", ())} and collected

    if not driver.wait(there, REGISTERED_SECONDS):
        raise SeasonError("the bookings of the scene did not reach GIAV; are the workers running?")


def outage_begins(driver: Driver) -> None:
    driver.fault("giav", "*", "page-503", times=None)


def pay_by_card(driver: Driver) -> None:
    pay(driver, 7301, instalment_id="ins_73012", last4="3012")
    pay(driver, 7302, id=TWICE, last4="7743")
    pay(driver, 7303, last4="0996")
    # The processor will take an order for a refund and say later what became of it.
    driver.do("script-refund-orders", {"payment_id": TWICE, "outcomes": ["pending"]})
    driver.wait_until_struck("giav", "page-503", OUTAGE_SECONDS)


def pay_in_cash(driver: Driver) -> None:
    for number, cents in ((7301, 80_00), (7302, 161_00)):
        wish = {"booking_id": f"bkg_{number}", "method": "cash", "amount": eur(cents), "declared": True}
        paper = driver.do("capture-payment", wish)["payment"]["processor"]["payment_ref"]
        driver.people(
            "giav",
            {
                "act": "collect",
                "reserva": f"bkg_{number}",
                "importe": cents / 100,
                "formaPago": CASH,
                "documento": paper,
            },
        )


def outage_ends(driver: Driver) -> None:
    driver.clear_faults("giav")


def give_back(driver: Driver) -> None:
    if not driver.wait(lambda: any(each["payment_id"] == TWICE for each in driver.refund_orders()), REGISTERED_SECONDS):
        raise SeasonError(f"nobody asked the processor to give {TWICE} back; does the agency's platform say refunds?")
    driver.do("settle-refund-order", {"payment_id": TWICE})


SCENES: dict[str, tuple[Step, ...]] = {
    "sold": (
        Step("scene-sell", "Teresa books with three instalments, Andrés and Gloria without", sell),
        Step("scene-registered", "All three stand in GIAV", registered),
    ),
    "unsynchronised": (
        Step("scene-outage-begins", "GIAV goes down", outage_begins),
        Step("scene-pay", "All three pay by card: paid, not synchronised", pay_by_card),
        Step("scene-cash", "Teresa and Andrés see no receipt and pay again in cash; the office types it", pay_in_cash),
    ),
    "repaired": (Step("scene-outage-ends", "GIAV is back", outage_ends),),
    "given-back": (
        Step("scene-refund", "The processor gives Andrés' card payment back, as it was asked to", give_back),
    ),
    "closing": (),
}
