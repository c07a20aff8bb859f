-- What everything stands on: the audit log, the horizon, and the refusal of changes to what must not change.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- Who changed what, when, from what, to what.
CREATE TABLE audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,              -- a user's name, 'cli:<system user>', or 'system:<process>'
    what text NOT NULL,             -- verb.object, for example 'plan.apply'
    pilot text,                     -- the pilot's name where it concerns one
    object text NOT NULL,           -- which one: 'kpi pm25-limit', 'user kim'
    before jsonb,
    after jsonb
);
CREATE INDEX audit_pilot ON audit (pilot, audit_id);
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The closed past: no reading will ever be received at or before this instant again.
CREATE TABLE horizon (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    at timestamptz NOT NULL
);
INSERT INTO horizon (at) VALUES ('1970-01-01T00:00:00Z');
