-- Truth labels that people record: what happened at a slot, or that nothing did. Withdrawn at most once, never changed.

CREATE TABLE label (
    label_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    slot_id integer NOT NULL REFERENCES slot,
    kind text NOT NULL,                     -- a kind of event that the plan declares as truth
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,            -- as start_at: of an instant
    outcome text NOT NULL CHECK (outcome IN ('positive', 'negative', 'empty')),
    attributes jsonb NOT NULL DEFAULT '{}',
    place text NOT NULL DEFAULT '',
    labeller text NOT NULL CHECK (labeller <> ''),
    side text NOT NULL CHECK (side IN ('site', 'company', 'team', 'outside')),
    blind boolean NOT NULL,                 -- made without seeing the alerts
    reader smallint NOT NULL CHECK (reader IN (1, 2)),  -- 2: the second label of the same thing
    window_at timestamptz,                  -- the start of the sample window that it was made for, where it was said
    note text NOT NULL DEFAULT '',
    file_name text,                         -- of the file that it came in …
    file_sha256 text CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    file_line integer,                      -- … and the line in it
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    superseded_at timestamptz,
    superseded_by text,
    superseded_why text,
    CHECK (start_at <= end_at),
    CHECK (num_nulls(file_name, file_sha256, file_line) IN (0, 3)),
    CHECK (num_nulls(superseded_at, superseded_by, superseded_why) IN (0, 3))
);
CREATE INDEX label_time ON label (pilot_id, kind, start_at);

CREATE TRIGGER label_unchanged BEFORE UPDATE ON label FOR EACH ROW EXECUTE FUNCTION refuse_all_but_withdrawal();
CREATE TRIGGER label_kept BEFORE DELETE ON label FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER label_no_truncate BEFORE TRUNCATE ON label FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
