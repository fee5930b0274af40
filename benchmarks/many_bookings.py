"""An agency as large as lists must bear: bookings with plans, payments, documents, entries and partners, made by the database itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text

from store import Store
from store.debts import keep_debts
from tests import stories

AGENCY = "demo"
FIRST = 100_000
"""The number of the first booking: smaller ones are those of the examples."""
AT_A_TIME = 1_000
INSTALMENTS = 6
PRICE = 100_500 // INSTALMENTS
"""Of one instalment, in cents."""

_N = "generate_series(:first, :last) AS n"
_PAID = "CASE n % 4 WHEN 0 THEN 6 WHEN 1 THEN 4 ELSE 5 END"
"""How many instalments of booking `n` are paid: five on average."""
_DAY = "CAST(:now AS date)"
_STATEMENTS = (
    f"""INSERT INTO experiences (agency, id, event_id, body, updated_at, revision, status, starts_on, ends_on)
    SELECT :agency, 'exp_' || n, 'evt', replace(:experience, 'exp_31', 'exp_' || n), :now, 1, 'on_sale',
           {_DAY} + (n - :first) * 2 - 300, {_DAY} + (n - :first) * 2 - 297
    FROM generate_series(:first, :first + :trips - 1) AS n""",
    f"""INSERT INTO bookings (agency, id, event_id, body, updated_at, revision, experience_id, locator, status, amount, currency,
                          cost_estimated, cost_confirmed, cost_invoiced)
    SELECT :agency, 'bkg_' || n, 'evt', replace(replace(:booking, 'bkg_500', 'bkg_' || n), 'exp_31', 'exp_' || :first + n % :trips),
           CAST(:now AS timestamptz) - (n - :first) * interval '97 seconds', 1, 'exp_' || :first + n % :trips, 'L' || n,
           CASE WHEN n % 20 = 0 THEN 'cancelled' WHEN n % 3 = 0 THEN 'pending' ELSE 'confirmed' END, 100500, 'EUR', 60000, 19000, 0
    FROM {_N}""",
    "UPDATE bookings SET cancelled_at = updated_at WHERE agency = :agency AND status = 'cancelled' AND cancelled_at IS NULL",
    f"""INSERT INTO payment_plans (agency, id, event_id, body, updated_at, revision, booking_id)
    SELECT :agency, 'plan_' || n, 'evt', replace(replace(:plan, 'plan_50', 'plan_' || n), 'bkg_500', 'bkg_' || n), :now, 2, 'bkg_' || n
    FROM {_N}""",
    f"""INSERT INTO plan_instalments (agency, booking_id, id, plan_id, seq, due_on, status, amount, currency, settled)
    SELECT :agency, 'bkg_' || n, 'ins_' || n || 'x' || k, 'plan_' || n, k, {_DAY} + (n % 60) + (k - {_PAID}) * 30 - 45,
           CASE WHEN k <= {_PAID} THEN 'paid' WHEN n % 7 = 0 THEN 'failed' ELSE 'scheduled' END, :price, 'EUR',
           k <= {_PAID}
    FROM {_N}, generate_series(1, 6) AS k""",
    f"""INSERT INTO payments (agency, id, event_id, body, updated_at, booking_id, processor, payment_ref, method, amount, currency,
                          captured_at, instalment_id)
    SELECT :agency, 'pay_' || n || 'x' || k, 'evt', replace(replace(:payment, 'pay_1001', 'pay_' || n || 'x' || k), 'bkg_500', 'bkg_' || n),
           :now, 'bkg_' || n, 'stripe', 'pi_' || n || 'x' || k, 'card', :price, 'EUR',
           CAST(:now AS timestamptz) - (n * 6 + k) * interval '31 seconds', 'ins_' || n || 'x' || k
    FROM {_N}, generate_series(1, 6) AS k WHERE k <= {_PAID}""",
    """INSERT INTO refunds (agency, id, event_id, body, updated_at, payment_id, booking_id, status, amount, currency)
    SELECT agency, 'ref' || substr(id, 4), 'evt', replace(:refund, 'bkg_500', booking_id), :now, id, booking_id, 'succeeded', 1000, 'EUR'
    FROM payments WHERE agency = :agency AND id LIKE '%7x1'""",
    """INSERT INTO booking_money (agency, booking_id, currency, collected, refunded, disputed)
    SELECT agency, booking_id, currency, sum(collected), sum(refunded), 0 FROM (
        SELECT agency, booking_id, currency, amount AS collected, 0 AS refunded FROM payments WHERE event_id = 'evt'
        UNION ALL SELECT agency, booking_id, currency, 0, amount FROM refunds WHERE event_id = 'evt'
    ) AS moves WHERE agency = :agency GROUP BY agency, booking_id, currency""",
    """INSERT INTO documents (agency, system, key, kind, number, outside_id, booking_id, payment_id, amount, currency, issued_on,
                           operation_date, series, recorded_at)
    SELECT agency, 'giav', 'inv:' || id, 'invoice', 'F-' || id, id, booking_id, id, amount, 'EUR', CAST(captured_at AS date),
           CAST(captured_at AS date), '', captured_at FROM payments WHERE agency = :agency AND event_id = 'evt'""",
    """INSERT INTO effects (key, agency, system, entity, business_id, operation, sequence, reference, state, outside_id, request,
                         acts, looks, adopted, reason, booking_id, created_at, updated_at, position, breakdowns)
    SELECT agency || '/giav/' || kind || '/' || id, agency, 'giav', kind, id, 'create', 0, 'ORQ-' || upper(substr(md5(kind || id), 1, 26)),
           'done', id, NULL, 1, 0, false, '', booking_id, captured_at, captured_at, 1, 0
    FROM payments, (VALUES ('factura'), ('cobro')) AS kinds(kind) WHERE agency = :agency AND event_id = 'evt'""",
    """INSERT INTO journal_entries (agency, key, fact, on_date, booking_id, text, currency, zero, lines, created_at)
    SELECT agency, 'led:' || fact || id, fact, CAST(captured_at AS date), booking_id, fact || ' ' || id, 'EUR', 0, 2, captured_at
    FROM payments, (VALUES ('invoice'), ('collection')) AS facts(fact) WHERE agency = :agency AND event_id = 'evt'
    ORDER BY payments.captured_at""",
    """INSERT INTO journal_balances (entry_id, balance, lines)
    SELECT id, 0, 2 FROM journal_entries WHERE agency = :agency AND key LIKE 'led:%x%'""",
    """INSERT INTO journal_postings (entry_id, line, account, sub, side, amount, currency)
    SELECT id, side, CASE WHEN side = 2 AND fact = 'invoice' THEN '438' WHEN side = 1 AND fact = 'collection' THEN '432' ELSE '430' END,
           booking_id, CASE side WHEN 1 THEN 'debit' ELSE 'credit' END, :price, 'EUR'
    FROM journal_entries, generate_series(1, 2) AS side WHERE agency = :agency AND key LIKE 'led:%x%'""",
    """INSERT INTO journal_days (agency, account, currency, on_date, debit, credit)
    SELECT e.agency, p.account, p.currency, e.on_date, sum(CASE p.side WHEN 'debit' THEN p.amount ELSE 0 END),
           sum(CASE p.side WHEN 'debit' THEN 0 ELSE p.amount END)
    FROM journal_postings p JOIN journal_entries e ON e.id = p.entry_id WHERE e.agency = :agency AND e.key LIKE 'led:%x%'
    GROUP BY e.agency, p.account, p.currency, e.on_date
    ON CONFLICT (agency, account, currency, on_date) DO UPDATE
    SET debit = journal_days.debit + excluded.debit, credit = journal_days.credit + excluded.credit""",
    f"""INSERT INTO transfers (agency, system, booking_id, line_id, state, reason, outside_id, updated_at)
    SELECT :agency, 'midoco', 'bkg_' || n, 'lin_01', CASE WHEN n % 9 = 0 THEN 'not_transferred' ELSE 'transferred' END,
           CASE WHEN n % 9 = 0 THEN 'no supplier of that name there' ELSE '' END, 'M' || n,
           CAST(:now AS timestamptz) - n * interval '53 seconds' FROM {_N}""",
    f"""INSERT INTO tamara_lines (agency, booking_id, payment_id, purpose, version, txn_ref, mode, kind, state, service, type, dc, currency,
                              net, vat, gross, invoice_number, value_date, content, notes, created_at, updated_at)
    SELECT :agency, 'bkg_' || n, 'pay_' || n || 'x1', 'sale', 0, 'T' || n, 'T', 'MA',
           CASE WHEN n % 50 = 0 THEN 'REFUSED' ELSE 'MATCHED' END,
           'HO', 'SA', 'D', 'EUR', :price, 0, :price, 'F-' || n, {_DAY}, '{{}}', '[]', :now, :now FROM {_N}""",
    f"""INSERT INTO supplier_orders (agency, supplier, order_id, partner_order_id, status, content_hash, revision, handled_revision, state,
                                 reason, booking_id, body, modified_at, first_seen_at, updated_at)
    SELECT :agency, 'ratehawk', n, 'our-' || n, 'completed', 'x', 1, 1, 'booking', '', 'bkg_' || n,
           replace(:order, '4711', CAST(n AS text)), CAST(:now AS timestamptz) - n * interval '41 seconds', :now, :now FROM {_N}""",
    f"""INSERT INTO lifecycles (agency, workflow_id, kind, lifecycle, booking_id, experience_id, payment_id, outcome, notes, closed_at)
    SELECT :agency, 'booking/demo/bkg_' || n, 'CreateBooking', 'create', 'bkg_' || n, NULL, NULL, 'done', '[]', :now FROM {_N}""",
    f"""INSERT INTO parked_items (item_id, agency, workflow_id, booking_id, verb, reason, detail, fault, effect, decisions, state, since,
                              owner, deadline)
    SELECT 'prk_' || n, :agency, '', 'bkg_' || n, 'giav.record_payment', 'refused', 'the client is blocked', 'refused', '', '["retry"]',
           CASE WHEN n % 60 = 0 THEN 'open' ELSE 'closed' END, :now, 'operations', :now FROM {_N} WHERE n % 3 = 0""",
)


def fill_bookings(store: Store, number: int, *, now: datetime, trips: int = 400) -> None:
    """`number` bookings of `trips` experiences with five payments each, three of four of them owing money; PostgreSQL only."""
    given: dict[str, Any] = {
        "agency": AGENCY,
        "first": FIRST,
        "last": FIRST + number - 1,
        "trips": trips,
        "price": PRICE,
        "now": now,
        "experience": json.dumps(stories.experience()),
        "booking": json.dumps(stories.booking()),
        "plan": json.dumps(stories.plan()),
        "payment": json.dumps(stories.payment()),
        "refund": json.dumps(stories.refund()),
        "order": json.dumps(_order()),
    }
    with store.database.begin() as connection:
        # Rows in good order, made in one piece: what guards single postings against mistakes would only take its time.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in _STATEMENTS:
            wanted = {name: value for name, value in given.items() if f":{name}" in statement}
            connection.execute(text(statement), wanted)
    names = [f"bkg_{each}" for each in range(FIRST, FIRST + number)]
    for start in range(0, number, AT_A_TIME):
        with store.database.begin() as connection:
            keep_debts(connection, AGENCY, names[start : start + AT_A_TIME])
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _order() -> dict[str, Any]:
    return {
        "order_id": 4711,
        "partner_order_id": "our-4711",
        "status": "completed",
        "created_at": "2026-11-20T10:00:00Z",
        "modified_at": "2026-11-20T10:00:00Z",
        "checkin": "2027-06-20",
        "checkout": "2027-06-23",
        "hotel_id": "hotel",
        "payable": stories.eur(10_000),
    }
