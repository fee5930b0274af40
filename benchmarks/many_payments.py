"""A table of payments as large as a big agency's, made by the database itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text

from domain.money import Money
from domain.payment_sync import PaymentSync, State
from store import Store

_FILL = """
INSERT INTO payment_syncs (agency, payment_id, booking_id, experience_id, connector, workflow_id, state, version, reason,
                           amount, currency, claimed_by, captured_at, since, settled, cause, sync)
SELECT CASE WHEN n % 10 = 9 THEN 'luna' ELSE 'sol' END, 'pay_' || n, 'bkg_' || n / 2, 'exp_' || n / 40, 'giav',
       'payment/sol/pay_' || n, state, 6, reason, 100 + (n * 7919) % 300000, 'EUR',
       CASE WHEN state = 'in_review' THEN 'ana' END, moment, moment,
       CASE WHEN state IN ('synced_auto', 'synced_manual', 'refunded', 'refund_failed') THEN 1 ELSE 0 END, reason,
       replace(replace(:sync, '"pay_0"', '"pay_' || n || '"'), '"unsynced"', '"' || state || '"')
FROM (SELECT n, CAST(:now AS timestamptz) - n * interval '97 seconds' AS moment,
             CASE WHEN n % 50 = 0 THEN 'unsynced' WHEN n % 501 = 1 THEN 'retry_wait' WHEN n % 1003 = 2 THEN 'in_review'
                  WHEN n % 5000 = 3 THEN 'refund_failed' WHEN n % 40 = 7 THEN 'synced_manual' ELSE 'synced_auto' END AS state,
             CASE WHEN n % 50 = 0 AND n % 100 = 0 THEN 'business' WHEN n % 50 = 0 THEN 'transient'
                  WHEN n % 501 = 1 THEN 'transient' WHEN n % 1003 = 2 THEN 'paid_otherwise' ELSE '' END AS reason
      FROM generate_series(0, :number - 1) AS n) AS made
"""


def fill(store: Store, number: int, *, now: datetime) -> None:
    """`number` payments, one every 97 seconds, one in fifty of them waiting for a person; PostgreSQL only."""
    sync = PaymentSync(payment_id="pay_0", amount=Money(amount=100, currency="EUR"), state=State.UNSYNCED, since=now)
    with store.database.begin() as connection:
        connection.execute(text(_FILL), {"number": number, "now": now, "sync": sync.model_dump_json()})
    with store.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE payment_syncs"))
