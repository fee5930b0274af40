"""What GIAV shows of a payment: the sale it is for, the cobros on it, and the verdict (contracts: payment-sync 5, 6.1).

The receivable is the booking's reserva. Our own cobro is known from the ledger without a call, or by our reference; one
that a person typed, by the processor's id or the authorisation code.
"""

from __future__ import annotations

from collections.abc import Iterator

from activities.giav.documents import FACTURA
from activities.giav.elements import Record
from activities.giav.mapping.values import CURRENCY, carries, day_of, local_day, money_of
from activities.giav.office import CREATE, Office
from activities.giav.one_call import NOTHING
from domain.allocation import settled_otherwise
from domain.effects import REFERENCE_PREFIX, EffectKey, EffectRecord, EffectState
from domain.errors import ContractBroken
from domain.money import Money, total
from domain.payment_steps import ProbeStep
from domain.payment_sync import Evidence, Paid, Receipt, Receivable, Verdict, judge
from domain.platform import Payment


def probe_payment(office: Office, step: ProbeStep) -> Evidence:
    """Read-only. One search of the file's cobros; one more, by our reference, when an earlier attempt may have written.

    Raises `NotYet` while GIAV does not have the booking.
    """
    payment = office.store.facts.payment(step.agency, step.payment_id)
    if payment is None:
        raise ContractBroken(f"no payment {step.payment_id}", system="store")
    key = office.key("cobro", payment.id, CREATE)
    record = office.store.effects.get(key)
    if record is not None and record.state is EffectState.DONE:
        words = f"cobro {record.outside_id} is in our ledger"
        return _known(office, Verdict.SAME_PAYMENT, words, receipt_id=record.outside_id)
    if step.in_ledger:
        return _known(office, Verdict.UNPAID, "our ledger knows of no cobro")
    return _read(office, payment, key, record)


def _known(office: Office, verdict: Verdict, words: str, *, receipt_id: str | None = None) -> Evidence:
    return Evidence(verdict=verdict, at=office.now(), words=words, ours=receipt_id is not None, receipt_id=receipt_id)


def _read(office: Office, payment: Payment, key: EffectKey, record: EffectRecord | None) -> Evidence:
    standing = office.container(payment.booking_id)
    cobros = [each for each in office.lookups.cobros_of(standing.expediente) if each["TipoOperacion"] == "Cobro"]
    own = [each for each in cobros if _is_ours(office, payment, each, key)]
    if not own and record is not None and record.acts:
        # Sent once, and perhaps moved by a person into another file since.
        found = office.lookups.cobro(key.reference, _natural(payment, standing.expediente))
        cobro = office.lookups.cobro_by_id(int(found[0])) if found else None
        own = [cobro] if cobro is not None else []
    strangers = [each for each in cobros if each not in own and each["IdCliente"] == standing.client]
    foreign = list(_foreign(office, payment, strangers))
    receipts = [_receipt(office, payment, each, key.reference if each in own else "") for each in [*own, *foreign]]
    paid = Paid(
        external_key=key.reference,
        amount=payment.amount,
        on=local_day(payment.captured_at or office.now()),
        auth_code=payment.processor.authorization_code or "",
        reference=payment.processor.payment_ref or "",
    )
    sale = Money.of_decimal(standing.posted["ventacomis"], CURRENCY)
    return judge(paid, _receivable(office, payment, standing.id, sale, foreign), receipts, office.now())


def _natural(payment: Payment, expediente: int) -> dict[str, object]:
    """What a cobro of ours has beside its reference."""
    return {
        "idExpediente": expediente,
        "idTipoOperacion": "Cobro",
        "documento": payment.processor.payment_ref,
        "importe": f"{payment.amount.decimal:.2f}",
    }


def _is_ours(office: Office, payment: Payment, record: Record, key: EffectKey) -> bool:
    if carries(record, office.settings.custom_fields.cobro, key.reference):
        return True
    if key.reference in (record.get("NotasInternas") or ""):
        return True
    # In the one-call variant GIAV makes the cobro itself, with nothing of ours but the processor's id.
    invoice = office.store.effects.last_request(office.key(FACTURA, payment.id, CREATE))
    collected = invoice is not None and invoice.get("importeaCobrar", NOTHING) != NOTHING
    return collected and record["Documento"] == payment.processor.payment_ref


def _foreign(office: Office, payment: Payment, cobros: list[Record]) -> Iterator[Record]:
    """Those that no effect of ours made, for this booking or for another one of the same payer in this file."""
    unmarked = [each for each in cobros if not _is_marked(office, each)]
    if not unmarked:
        return
    booked = office.store.facts.bookings(office.agency, payment.experience_id)
    made = {record.outside_id for each in booked for record in office.records(each.id) if record.key.entity == "cobro"}
    yield from (each for each in unmarked if str(each["Id"]) not in made)


def _is_marked(office: Office, record: Record) -> bool:
    """Whether the record carries a reference of any effect of ours."""
    field = office.settings.custom_fields.cobro
    items = record.get("CustomDataValues") or []
    marked = any(item["Key"] == field and (item["Value"] or "").startswith(REFERENCE_PREFIX) for item in items)
    return marked or REFERENCE_PREFIX in (record.get("NotasInternas") or "")


def _receipt(office: Office, payment: Payment, record: Record, external_key: str) -> Receipt:
    method = office.settings.payment_method(payment.processor.name, payment.method)
    code = payment.processor.authorization_code or ""
    typed = " ".join(str(record.get(name) or "") for name in ("Concepto", "NotasInternas", "Documento"))
    auth_code = code if code and code in typed.replace(",", " ").split() else ""
    reference = record["Documento"] or ""
    same_code = auth_code or (reference and reference == payment.processor.payment_ref)
    return Receipt(
        id=str(record["Id"]),
        method=str(record.get("IdFormaPago") or ""),
        # Whoever typed our code meant our payment, under whatever method.
        by_gateway=bool(same_code) or record.get("IdFormaPago") == method,
        auth_code=auth_code,
        reference=reference,
        amount=money_of(record["Importe"]),
        on=day_of(record["FechaCobro"]),
        external_key=external_key,
    )


def _receivable(office: Office, payment: Payment, own: int, sale: Money, foreign: list[Record]) -> Receivable:
    """What is open of the sale for this payment. Money beyond the price is booked all the same (money-rules F-X1): only what
    a person typed can settle it otherwise, and what was typed for another payment counts once."""
    others = (
        each
        for each in office.store.facts.payments_of(office.agency, payment.booking_id)
        if each.id != payment.id and not any(_names(cobro, each) for cobro in foreign)
    )
    came = total((each.amount for each in others), CURRENCY)
    typed = total((money_of(each["Importe"]) for each in foreign), CURRENCY)
    left = max(sale - came, payment.amount) if payment.amount.currency == CURRENCY else sale
    open_amount = max(min(left - typed, _open_of_instalment(office, payment, typed, left)), Money.zero(CURRENCY))
    state = "open" if open_amount.amount else "paid"
    return Receivable.model_validate({"id": str(own), "state": state, "total": sale, "open_amount": open_amount})


def _names(cobro: Record, payment: Payment) -> bool:
    """Whether a person typed it for this payment."""
    return bool(payment.processor.payment_ref) and cobro["Documento"] == payment.processor.payment_ref


def _open_of_instalment(office: Office, payment: Payment, typed: Money, left: Money) -> Money:
    """A payment that names its instalment is for that one: what people typed may have settled it and left others open.

    GIAV knows no instalments: what was typed pays the oldest, as all money does that has no name.
    """
    facts, store = office.store.facts, office.store
    others = [
        each
        for each in facts.payments_of(office.agency, payment.booking_id)
        if office.made(office.key("cobro", each.id, CREATE)) is not None
    ]
    plan = facts.plan(office.agency, payment.booking_id)
    duplicates = store.payment_sync.duplicates_of(office.agency, payment.booking_id)
    settled = settled_otherwise(plan, payment, others, typed, duplicates)
    return payment.amount - settled if settled else left
