"""Triggers of the integrations' history per dialect: what was done stays written down."""

from __future__ import annotations

STATEMENTS: dict[str, tuple[str, ...]] = {
    "sqlite": tuple(
        f"""
        CREATE TRIGGER integration_steps_no_{verb.lower()} BEFORE {verb} ON integration_steps BEGIN
            SELECT RAISE(ABORT, 'the history of integrations is append-only');
        END
        """
        for verb in ("UPDATE", "DELETE")
    ),
    "postgresql": (
        """
        CREATE FUNCTION integration_steps_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the history of integrations is append-only'
            USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER integration_steps_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON integration_steps
        FOR EACH STATEMENT EXECUTE FUNCTION integration_steps_are_append_only()
        """,
    ),
}
"""What the second revision runs after the tables exist."""
