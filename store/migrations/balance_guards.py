"""Triggers that add an entry up once, when it is complete, instead of after each posting (contracts: money-rules 2, L1).

On SQLite the first line of an entry is written last and adds the entry up; whatever would be added to it later is refused.
PostgreSQL adds up what a statement inserted.
"""

from __future__ import annotations

STATEMENTS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "DROP TRIGGER journal_postings_add_up",
        """
        CREATE TRIGGER journal_postings_not_after_the_first BEFORE INSERT ON journal_postings
        WHEN NEW.line <> 1 AND EXISTS (SELECT 1 FROM journal_balances WHERE entry_id = NEW.entry_id) BEGIN
            SELECT RAISE(ABORT, 'the entry is complete');
        END
        """,
        """
        CREATE TRIGGER journal_postings_add_up AFTER INSERT ON journal_postings WHEN NEW.line = 1 BEGIN
            INSERT INTO journal_balances (entry_id, balance, lines)
            SELECT NEW.entry_id, SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END), COUNT(*)
            FROM journal_postings WHERE entry_id = NEW.entry_id;
        END
        """,
    ),
    "postgresql": (
        "DROP TRIGGER journal_postings_add_up ON journal_postings",
        """
        CREATE OR REPLACE FUNCTION journal_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO journal_balances AS b (entry_id, balance, lines)
            SELECT entry_id, SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END), COUNT(*)
            FROM inserted GROUP BY entry_id
            ON CONFLICT (entry_id) DO UPDATE SET balance = b.balance + excluded.balance, lines = b.lines + excluded.lines;
            RETURN NULL;
        END $$
        """,
        """
        CREATE TRIGGER journal_postings_add_up AFTER INSERT ON journal_postings
        REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION journal_add_up()
        """,
    ),
}
"""What the third revision runs, besides the guards of periods."""
