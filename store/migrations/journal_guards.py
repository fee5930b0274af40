"""Triggers of the journal per dialect: keep the balance of each entry, refuse every change (contracts: money-rules 2)."""

from __future__ import annotations

APPEND_ONLY = ("journal_entries", "journal_postings")

_SQLITE = (
    """
    CREATE TRIGGER journal_postings_add_up AFTER INSERT ON journal_postings BEGIN
        INSERT INTO journal_balances (entry_id, balance, lines)
        VALUES (NEW.entry_id, CASE NEW.side WHEN 'debit' THEN NEW.amount ELSE -NEW.amount END, 1)
        ON CONFLICT (entry_id) DO UPDATE SET balance = balance + excluded.balance, lines = lines + 1;
    END
    """,
    *(
        f"""
        CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN
            SELECT RAISE(ABORT, 'the journal is append-only');
        END
        """
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ),
)

_POSTGRESQL = (
    """
    CREATE FUNCTION journal_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO journal_balances AS b (entry_id, balance, lines)
        VALUES (NEW.entry_id, CASE NEW.side WHEN 'debit' THEN NEW.amount ELSE -NEW.amount END, 1)
        ON CONFLICT (entry_id) DO UPDATE SET balance = b.balance + excluded.balance, lines = b.lines + 1;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER journal_postings_add_up AFTER INSERT ON journal_postings
    FOR EACH ROW EXECUTE FUNCTION journal_add_up()
    """,
    """
    CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    *(
        f"""
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
        """
        for table in APPEND_ONLY
    ),
)

STATEMENTS: dict[str, tuple[str, ...]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
"""What the first revision runs after the tables exist."""
