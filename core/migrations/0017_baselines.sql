-- Baselines: files from before the pilot that changes are measured against, kept as they came.

CREATE TABLE baseline (
    baseline_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    kpi text NOT NULL,
    file_name text NOT NULL CHECK (file_name <> ''),
    bytes integer NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    content bytea NOT NULL CHECK (octet_length(content) = bytes),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    UNIQUE (pilot_id, kpi, sha256)
);
CREATE TRIGGER baseline_append_only BEFORE UPDATE OR DELETE ON baseline
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER baseline_no_truncate BEFORE TRUNCATE ON baseline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
