"""The client against the stand-in: one document per key, loose answers, doubtful ones, refusals in their own words."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from activities.easycount.client import EasyCountClient
from activities.easycount.wire import DocumentRequest, Item, Kind, PaidBy, StoredCard
from domain.errors import BackOfficeError, NeedsPerson, Refused, Transient, Unauthorised, UnknownOutcome
from sandbox.easycount.stand_in import EasyCountStandIn
from tests.activities.easycount.conftest import DAY, eur, proforma, receipt_invoice, settings

Account = Callable[..., None]
CARD = StoredCard(
    cc_token="tok_1",
    cc_type_id="2",
    cc_type_name="Visa",
    cc_4_digits="4580",
    cc_payer_name="Ana",
    cc_payer_id="1",
    cc_expire_month="12",
    cc_expire_year="2030",
)


def fault(stand_in: EasyCountStandIn, operation: str, kind: str, **more: object) -> None:
    stand_in.faults.set({"operation": operation, "kind": kind, **more})


def test_a_document_is_issued_with_number_and_links(client: EasyCountClient, stand_in: EasyCountStandIn) -> None:
    issued = client.create_document(proforma())
    (held,) = stand_in.state()["documents"]
    assert (issued.uuid, issued.number, issued.total) == (held["doc_uuid"], held["doc_number"], "300.00")
    assert issued.sent_to == ("ana@example.test",)
    assert not issued.again


def test_the_same_key_gives_the_same_document(client: EasyCountClient, stand_in: EasyCountStandIn) -> None:
    first, second = client.create_document(proforma()), client.create_document(proforma())
    assert (first.uuid, first.number) == (second.uuid, second.number)
    assert second.again
    assert len(stand_in.state()["documents"]) == 1


@pytest.mark.parametrize("kind", ["error-after", "drop-after", "malformed", "drop-before", "error-before"])
def test_after_a_doubtful_end_the_same_request_ends_with_one_document(
    client: EasyCountClient, stand_in: EasyCountStandIn, kind: str
) -> None:
    fault(stand_in, "createDoc", kind)
    with pytest.raises(UnknownOutcome):
        client.create_document(proforma())
    client.create_document(proforma())
    assert len(stand_in.state()["documents"]) == 1


def test_an_answer_that_comes_after_we_hung_up_is_doubtful(stand_in: EasyCountStandIn, url: str) -> None:
    impatient = EasyCountClient(settings(url, read_seconds=30.1))
    impatient._http.timeout = httpx.Timeout(0.2)
    fault(stand_in, "createDoc", "slow", seconds=0.5)
    with pytest.raises(UnknownOutcome):
        impatient.create_document(proforma())
    impatient.create_document(proforma())
    impatient.close()
    while len(stand_in.calls) < 2:  # the slow call is still to come to its end
        time.sleep(0.01)
    assert len(stand_in.state()["documents"]) == 1


def test_an_account_that_refuses_a_second_time_needs_a_person(client: EasyCountClient, account: Account) -> None:
    client.create_document(proforma())
    account(duplicates="error")
    with pytest.raises(NeedsPerson, match="pf:1"):
        client.create_document(proforma())


def test_success_may_be_a_string(client: EasyCountClient, account: Account) -> None:
    account(success_as_text=True)
    assert client.create_document(proforma()).number


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (receipt_invoice(paid=(PaidBy(amount=eur(29000), on=DAY),)), "220.7"),
        (proforma(parents=("nobody",)), "nobody"),
        (proforma(kind=Kind.RECEIPT, items=(Item(details="x", price=eur(-1)),), paid=(PaidBy(amount=eur(-1), on=DAY),)),
         "parent"),
        (proforma(currency="PLN", items=(Item(details="x", price=eur(1).model_copy(update={"currency": "PLN"})),)), "PLN"),
        (receipt_invoice(pages=("1",)), "clearing page"),
    ],
)  # fmt: skip
def test_a_refusal_keeps_number_and_words(
    client: EasyCountClient, stand_in: EasyCountStandIn, wanted: DocumentRequest, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        client.create_document(wanted)
    assert words in f"{refused.value.code} {refused.value.message}"
    assert stand_in.state()["documents"] == []


def test_an_account_without_signature_is_for_whoever_runs_it(client: EasyCountClient, account: Account) -> None:
    account(signature=False)
    with pytest.raises(Unauthorised):
        client.create_document(proforma())


def test_an_account_without_payment_pages_is_for_whoever_runs_it(client: EasyCountClient, account: Account) -> None:
    account(clearing=False)
    with pytest.raises(Unauthorised):
        client.create_link(eur(100))


def test_a_wrong_key_is_not_repeated_and_not_told(stand_in: EasyCountStandIn, url: str) -> None:
    stranger = EasyCountClient(settings(url, api_key="f" * 64))
    with pytest.raises(Unauthorised) as refused:
        stranger.create_document(proforma())
    assert "f" * 64 not in str(refused.value)
    stranger.close()


def test_a_page_is_paid_by_a_customer_who_never_comes_back(client: EasyCountClient, url: str) -> None:
    link = client.create_link(eur(30000))
    assert client.validate(link.secret) is None
    httpx.post(f"{url}/control/pay", json={"url": link.url}).raise_for_status()
    paid = client.validate(link.secret)
    assert paid is not None
    assert (paid.amount, paid.last4) == (eur(30000).decimal, "4580")
    invoice = client.create_document(receipt_invoice(pages=(paid.page_id,)))
    assert invoice.number


def test_the_customer_s_way_through_the_page(client: EasyCountClient, url: str) -> None:
    link = client.create_link(eur(30000))
    with httpx.Client() as browser:
        assert "300.00 EUR" in browser.get(link.url).text
        browser.post(f"{link.url}?choice=decline")
        assert client.validate(link.secret) is None
        back = browser.post(f"{link.url}?choice=pay")
    assert (back.status_code, back.headers["location"]) == (303, "https://agency.example/thanks")
    assert client.validate(link.secret) is not None


def test_credit_and_negative_receipt_take_an_invoice_back_once(client: EasyCountClient) -> None:
    invoice = client.create_document(receipt_invoice())
    credit = proforma("cr:1", kind=Kind.CREDIT, parents=(invoice.uuid,))
    back = proforma(
        "rr:1",
        kind=Kind.RECEIPT,
        parents=(invoice.uuid,),
        items=(Item(details="refund", price=eur(-30000)),),
        paid=(PaidBy(amount=eur(-30000), on=DAY),),
    )
    assert client.create_document(credit).number
    assert client.create_document(back).number
    with pytest.raises(Refused, match=r"0\.00 left"):
        client.create_document(credit.model_copy(update={"transaction_id": "cr:2"}))


def test_a_charge_whose_answer_is_lost_is_never_repeated_by_us(
    client: EasyCountClient, stand_in: EasyCountStandIn
) -> None:
    fault(stand_in, "chargeToken", "drop-after")
    with pytest.raises(UnknownOutcome):
        client.charge(eur(100), CARD)
    assert [call["operation"] for call in stand_in.calls] == ["chargeToken"]
    assert client.charge(eur(100), CARD).reference


def test_a_declined_card_is_a_refusal(client: EasyCountClient) -> None:
    with pytest.raises(Refused, match="declined"):
        client.charge(eur(100), CARD.model_copy(update={"cc_token": "declined_1"}))


def test_the_pdf_comes_a_moment_later(client: EasyCountClient, account: Account) -> None:
    account(pdf_after=3600)
    issued = client.create_document(proforma())
    with pytest.raises(Transient):
        client.pdf(issued.pdf)
    account(pdf_after=0)
    assert client.pdf(issued.pdf).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("operation", "kind", "expected"),
    [
        ("validate", "drop-before", Transient),
        ("validate", "page-503", Transient),
        ("validate", "malformed", Transient),
        ("createDoc", "throttle", Transient),
        ("prepareSafeUrl", "drop-after", UnknownOutcome),
        ("createDoc", "refuse", Refused),
    ],
)
def test_failures_are_sorted_by_what_may_be_done_next(
    client: EasyCountClient, stand_in: EasyCountStandIn, operation: str, kind: str, expected: type[BackOfficeError]
) -> None:
    link = client.create_link(eur(100))
    fault(stand_in, operation, kind)
    calls: dict[str, Callable[[], object]] = {
        "validate": lambda: client.validate(link.secret),
        "createDoc": lambda: client.create_document(proforma()),
        "prepareSafeUrl": lambda: client.create_link(eur(100)),
    }
    with pytest.raises(expected):
        calls[operation]()


def test_nobody_listening_is_no_doubt() -> None:
    nobody = EasyCountClient(settings("http://127.0.0.1:1"))
    with pytest.raises(Transient):
        nobody.create_document(proforma())
    nobody.close()


def test_secrets_are_in_no_representation(client: EasyCountClient, url: str) -> None:
    link = client.create_link(eur(100))
    assert link.secret not in repr(link)
    assert "tok_1" not in repr(CARD)
    assert "5" * 64 not in repr(settings(url))
