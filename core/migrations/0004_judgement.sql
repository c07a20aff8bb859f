-- What was judged, and the people who look at it.

-- A result is immutable; one that differs is a new version with the cause.
CREATE TABLE result (
    result_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    kind text NOT NULL CHECK (kind IN ('month', 'date', 'final')),
    label text NOT NULL,                    -- '2026-05', '2026-09-01'
    version integer NOT NULL CHECK (version >= 1),
    plan_version integer NOT NULL,
    as_of timestamptz NOT NULL,
    evaluated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    code_version text NOT NULL,
    sha256 text NOT NULL,                   -- of the canonical JSON of the document without as_of
    document jsonb NOT NULL,
    difference jsonb,                       -- against the version before
    UNIQUE (pilot_id, kind, label, version),
    FOREIGN KEY (pilot_id, plan_version) REFERENCES plan_version (pilot_id, version)
);
CREATE TRIGGER result_append_only BEFORE UPDATE OR DELETE ON result
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The officer's words and the numbers under them: one row a month and issue.
CREATE TABLE opinion (
    opinion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    month text NOT NULL,
    result_id bigint REFERENCES result,
    judgement text CHECK (judgement IN ('adequate', 'needs_work', 'inadequate')),
    body text NOT NULL DEFAULT '',
    written_by text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE person (
    person_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('admin', 'officer', 'company', 'committee')),
    password text NOT NULL,                 -- a scrypt string with its own salt and cost
    sites text[] NOT NULL DEFAULT '{}',
    companies text[] NOT NULL DEFAULT '{}',
    pilots text[] NOT NULL DEFAULT '{}',
    language text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz,
    session_epoch integer NOT NULL DEFAULT 1  -- raising it ends every session
);
