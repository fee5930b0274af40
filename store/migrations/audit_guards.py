"""Triggers of the audit trail per dialect: what was written down stays (DESIGN 7)."""

from __future__ import annotations

_WORDS = "the audit trail is append-only"

_SQLITE = tuple(
    f"""
    CREATE TRIGGER audit_trail_no_{verb.lower()} BEFORE {verb} ON audit_trail BEGIN
        SELECT RAISE(ABORT, '{_WORDS}');
    END
    """
    for verb in ("UPDATE", "DELETE")
)

_POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{_WORDS}' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
    FOR EACH STATEMENT EXECUTE FUNCTION audit_trail_is_append_only()
    """,
)

STATEMENTS: dict[str, tuple[str, ...]] = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
