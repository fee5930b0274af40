"""The first schema: inbox, read model, effects, journal, documents, parked items, TAMARA and the vault."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations import journal_guards
from store.tables import Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bookings",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("experience_id", sa.String(length=200), nullable=False),
        sa.Column("locator", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_bookings")),
    )
    op.create_index(op.f("ix_bookings_agency_experience_id"), "bookings", ["agency", "experience_id"], unique=False)
    op.create_table(
        "chargeback_stages",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("chargeback_id", sa.String(length=200), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_chargeback_stages")),
    )
    op.create_index(
        op.f("ix_chargeback_stages_agency_booking_id"), "chargeback_stages", ["agency", "booking_id"], unique=False
    )
    op.create_table(
        "documents",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=200), nullable=False),
        sa.Column("outside_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=True),
        sa.Column("refers_to", sa.String(length=200), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("operation_date", sa.Date(), nullable=False),
        sa.Column("series", sa.String(length=100), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "system", "key", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_agency_booking_id"), "documents", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_documents_agency_payment_id"), "documents", ["agency", "payment_id"], unique=False)
    op.create_table(
        "effects",
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("business_id", sa.String(length=300), nullable=False),
        sa.Column("operation", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("outside_id", sa.String(length=200), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("acts", sa.SmallInteger(), nullable=False),
        sa.Column("looks", sa.SmallInteger(), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_effects")),
        sa.UniqueConstraint("reference", name=op.f("uq_effects_reference")),
    )
    op.create_index(op.f("ix_effects_agency_booking_id"), "effects", ["agency", "booking_id"], unique=False)
    op.create_index(
        "ix_effects_open",
        "effects",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state != 'done'"),
        postgresql_where=sa.text("state != 'done'"),
    )
    op.create_table(
        "event_conflicts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_conflicts")),
        sa.UniqueConstraint("source", "event_id", "digest", name=op.f("uq_event_conflicts_source_event_id_digest")),
    )
    op.create_table(
        "events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("aggregate_id", sa.String(length=200), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("fact_id", sa.String(length=200), nullable=True),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("experience_id", sa.String(length=200), nullable=True),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_events")),
        sa.UniqueConstraint("agency", "event_id", name=op.f("uq_events_agency_event_id")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_events_source_event_id")),
    )
    op.create_index(op.f("ix_events_agency_booking_id"), "events", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_events_agency_sequence"), "events", ["agency", "sequence"], unique=False)
    op.create_table(
        "experiences",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_experiences")),
    )
    op.create_table(
        "journal_balances",
        sa.Column(
            "entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_journal_balances")),
        sa.UniqueConstraint("entry_id", "balance", "lines", name=op.f("uq_journal_balances_entry_id_balance_lines")),
    )
    op.create_table(
        "lifecycles",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("workflow_id", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("lifecycle", sa.String(length=300), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("experience_id", sa.String(length=200), nullable=True),
        sa.Column("payment_id", sa.String(length=200), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "workflow_id", "kind", name=op.f("pk_lifecycles")),
    )
    op.create_index(op.f("ix_lifecycles_agency_booking_id"), "lifecycles", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_lifecycles_agency_experience_id"), "lifecycles", ["agency", "experience_id"], unique=False)
    op.create_table(
        "logged_facts",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("aggregate_id", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_logged_facts")),
    )
    op.create_index(
        op.f("ix_logged_facts_agency_aggregate_id"), "logged_facts", ["agency", "aggregate_id"], unique=False
    )
    op.create_table(
        "parked_items",
        sa.Column("item_id", sa.String(length=200), nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("workflow_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=True),
        sa.Column("experience_id", sa.String(length=200), nullable=True),
        sa.Column("payment_id", sa.String(length=200), nullable=True),
        sa.Column("event_id", sa.String(length=200), nullable=True),
        sa.Column("verb", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=False),
        sa.Column("effect", sa.String(length=500), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("decisions", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("deadline", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_parked_items")),
    )
    op.create_index(op.f("ix_parked_items_agency_booking_id"), "parked_items", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_parked_items_state_deadline"), "parked_items", ["state", "deadline"], unique=False)
    op.create_table(
        "payment_failures",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_payment_failures")),
    )
    op.create_index(
        op.f("ix_payment_failures_agency_booking_id"), "payment_failures", ["agency", "booking_id"], unique=False
    )
    op.create_table(
        "payment_plans",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_payment_plans")),
    )
    op.create_index(op.f("ix_payment_plans_agency_booking_id"), "payment_plans", ["agency", "booking_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("processor", sa.String(length=200), nullable=False),
        sa.Column("payment_ref", sa.String(length=200), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("captured_at", Instant(), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_payments")),
        sa.UniqueConstraint(
            "agency", "processor", "payment_ref", name=op.f("uq_payments_agency_processor_payment_ref")
        ),
    )
    op.create_index(op.f("ix_payments_agency_booking_id"), "payments", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_payments_agency_captured_at"), "payments", ["agency", "captured_at"], unique=False)
    op.create_table(
        "refund_failures",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_refund_failures")),
    )
    op.create_table(
        "refunds",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "id", name=op.f("pk_refunds")),
    )
    op.create_index(op.f("ix_refunds_agency_booking_id"), "refunds", ["agency", "booking_id"], unique=False)
    op.create_index(op.f("ix_refunds_agency_payment_id"), "refunds", ["agency", "payment_id"], unique=False)
    op.create_table(
        "sealed_secrets",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "name", name=op.f("pk_sealed_secrets")),
    )
    op.create_table(
        "tamara_counters",
        sa.Column("partner_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "kind", "mode", name=op.f("pk_tamara_counters")),
    )
    op.create_table(
        "tamara_files",
        sa.Column("partner_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("layout_id", sa.String(length=60), nullable=False),
        sa.Column("sealed_at", sa.String(length=40), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("head", sa.JSON(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("rename_sent", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "kind", "mode", "seq", name=op.f("pk_tamara_files")),
        sa.UniqueConstraint("agency", "kind", "mode", "day", name="uq_tamara_files_day"),
        sa.UniqueConstraint("name", name=op.f("uq_tamara_files_name")),
    )
    op.create_table(
        "transfers",
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("system", sa.String(length=200), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("line_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outside_id", sa.String(length=200), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "system", "booking_id", "line_id", name=op.f("pk_transfers")),
    )
    op.create_table(
        "decisions_taken",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("outside_id", sa.String(length=200), nullable=True),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["parked_items.item_id"], name=op.f("fk_decisions_taken_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions_taken")),
    )
    op.create_index(op.f("ix_decisions_taken_item_id"), "decisions_taken", ["item_id"], unique=False)
    op.create_table(
        "journal_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("fact", sa.String(length=200), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("zero", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("zero = 0", name=op.f("ck_journal_entries_zero")),
        sa.ForeignKeyConstraint(
            ["id", "zero", "lines"],
            ["journal_balances.entry_id", "journal_balances.balance", "journal_balances.lines"],
            name="fk_journal_entries_balanced",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entries")),
        sa.UniqueConstraint("agency", "key", name=op.f("uq_journal_entries_agency_key")),
        sa.UniqueConstraint("id", "currency", name=op.f("uq_journal_entries_id_currency")),
    )
    op.create_index(
        op.f("ix_journal_entries_agency_booking_id"), "journal_entries", ["agency", "booking_id"], unique=False
    )
    op.create_index(op.f("ix_journal_entries_agency_on_date"), "journal_entries", ["agency", "on_date"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("dispatched_at", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency", "event_id"], ["events.agency", "events.event_id"], name=op.f("fk_outbox_agency_event_id")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("agency", "event_id", name=op.f("uq_outbox_agency_event_id")),
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["position"],
        unique=False,
        sqlite_where=sa.text("dispatched_at IS NULL"),
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )
    op.create_table(
        "tamara_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("agency", sa.String(length=100), nullable=False),
        sa.Column("booking_id", sa.String(length=200), nullable=False),
        sa.Column("payment_id", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("txn_ref", sa.String(length=26), nullable=False),
        sa.Column("mode", sa.String(length=1), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("service", sa.String(length=2), nullable=False),
        sa.Column("type", sa.String(length=2), nullable=False),
        sa.Column("dc", sa.String(length=1), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("vat", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("invoice_number", sa.String(length=100), nullable=True),
        sa.Column("invoice_date", sa.Date(), nullable=True),
        sa.Column("credit_note_number", sa.String(length=100), nullable=True),
        sa.Column("credit_note_date", sa.Date(), nullable=True),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("original_ref", sa.String(length=26), nullable=True),
        sa.Column("card_ref", sa.String(length=200), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("refused_rule", sa.String(length=10), nullable=True),
        sa.Column("refused_field", sa.String(length=60), nullable=True),
        sa.Column("refused_text", sa.String(length=500), nullable=True),
        sa.Column("partner_id", sa.String(length=12), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "kind", "mode", "seq"],
            ["tamara_files.partner_id", "tamara_files.kind", "tamara_files.mode", "tamara_files.seq"],
            name="fk_tamara_lines_file",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tamara_lines")),
        sa.UniqueConstraint("agency", "booking_id", "payment_id", "purpose", "version", name="uq_tamara_lines_purpose"),
        sa.UniqueConstraint("txn_ref", "version", name="uq_tamara_lines_txn_ref"),
    )
    op.create_index("ix_tamara_lines_file", "tamara_lines", ["partner_id", "kind", "mode", "seq"], unique=False)
    op.create_index("ix_tamara_lines_waiting", "tamara_lines", ["agency", "kind", "mode", "state"], unique=False)
    op.create_table(
        "journal_postings",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("side IN ('debit', 'credit')", name=op.f("ck_journal_postings_side")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_journal_postings_amount")),
        sa.ForeignKeyConstraint(
            ["entry_id", "currency"],
            ["journal_entries.id", "journal_entries.currency"],
            name=op.f("fk_journal_postings_entry_id_currency"),
        ),
        sa.PrimaryKeyConstraint("entry_id", "line", name=op.f("pk_journal_postings")),
    )
    op.create_index(op.f("ix_journal_postings_account_sub"), "journal_postings", ["account", "sub"], unique=False)
    for statement in journal_guards.STATEMENTS[op.get_bind().dialect.name]:
        op.execute(statement)
