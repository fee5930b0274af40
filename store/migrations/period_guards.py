"""Triggers of closed periods per dialect: no entry in one, no change of what was closed (contracts: money-rules F-C11).

They fire after the insert: an entry that is posted already under its key is not inserted and not refused.
"""

from __future__ import annotations

STATEMENTS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """
        CREATE TRIGGER journal_entries_in_open_period AFTER INSERT ON journal_entries
        WHEN NEW.on_date <= (
            SELECT closed_until FROM journal_periods WHERE agency = NEW.agency ORDER BY id DESC LIMIT 1
        ) BEGIN
            SELECT RAISE(ABORT, 'the period is closed');
        END
        """,
        *(
            f"""
            CREATE TRIGGER journal_periods_no_{verb.lower()} BEFORE {verb} ON journal_periods BEGIN
                SELECT RAISE(ABORT, 'the history of periods is append-only');
            END
            """
            for verb in ("UPDATE", "DELETE")
        ),
    ),
    "postgresql": (
        """
        CREATE FUNCTION journal_entry_in_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.on_date <= (
                SELECT closed_until FROM journal_periods WHERE agency = NEW.agency ORDER BY id DESC LIMIT 1
            ) THEN
                RAISE EXCEPTION 'the period is closed' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
        """,
        """
        CREATE TRIGGER journal_entries_in_open_period AFTER INSERT ON journal_entries
        FOR EACH ROW EXECUTE FUNCTION journal_entry_in_open_period()
        """,
        """
        CREATE TRIGGER journal_periods_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_periods
        FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()
        """,
    ),
}
"""What the third revision runs after the tables exist."""
