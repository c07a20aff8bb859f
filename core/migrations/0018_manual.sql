-- What people observe and enter, and the documents that prove it: kept as they came, withdrawn at most once, never changed.

-- A file that proves something somebody recorded.
CREATE TABLE document (
    document_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes integer NOT NULL CHECK (bytes > 0),
    media_type text NOT NULL,
    name text NOT NULL CHECK (name <> ''),  -- as its owner called it; a name, never a path
    content bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    CHECK (octet_length(content) = bytes),
    UNIQUE (pilot_id, sha256)
);
ALTER TABLE document ALTER COLUMN content SET STORAGE EXTERNAL;  -- scans and PDF files are compressed already

-- A file between the form and its confirmation; nobody's record yet, and gone within hours.
CREATE TABLE document_upload (
    upload_id text PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    person text NOT NULL,
    name text NOT NULL,
    content bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One entry of a quantity that the plan declares under ``manual``.
CREATE TABLE manual_value (
    manual_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    slot_id integer REFERENCES slot,        -- NULL: of the pilot as a whole
    quantity text NOT NULL,
    unit text NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,            -- as start_at: of an instant
    value double precision NOT NULL,        -- a count, the mean of a sample, or a value
    exposure double precision,
    exposure_unit text,
    n integer,
    sd double precision,
    scores double precision[],              -- the single answers, where they were entered one by one
    measured_by text NOT NULL CHECK (measured_by <> ''),
    note text NOT NULL,
    document_id bigint NOT NULL REFERENCES document,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    superseded_at timestamptz,
    superseded_by text,
    superseded_why text,
    CHECK (start_at <= end_at),
    CHECK ((exposure IS NULL) = (exposure_unit IS NULL)),
    CHECK (num_nulls(superseded_at, superseded_by, superseded_why) IN (0, 3))
);
CREATE INDEX manual_value_pilot ON manual_value (pilot_id, quantity, start_at);

CREATE TRIGGER manual_value_unchanged BEFORE UPDATE ON manual_value
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_withdrawal();
CREATE TRIGGER manual_value_kept BEFORE DELETE ON manual_value FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER manual_value_no_truncate BEFORE TRUNCATE ON manual_value
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER document_append_only BEFORE UPDATE OR DELETE ON document
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER document_no_truncate BEFORE TRUNCATE ON document
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
