-- An exclusion is asked for by the company and agreed by the site and the programme team: three acts of three people, each with
-- its instant. It counts from the second consent on. Exclusions of signed papers stay as they were recorded.

CREATE TABLE exclusion_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    slot_id integer NOT NULL REFERENCES slot,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    reason text NOT NULL,                   -- of the closed list in force
    asked_on date NOT NULL,                 -- the day of recorded_at in the pilot's zone
    note text NOT NULL CHECK (note <> ''),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    superseded_at timestamptz,              -- taken back by the company before both had agreed
    superseded_by text,
    superseded_why text,
    CHECK (start_at < end_at),
    CHECK (num_nulls(superseded_at, superseded_by, superseded_why) IN (0, 3))
);
CREATE INDEX exclusion_request_pilot ON exclusion_request (pilot_id, start_at);

-- What one side said to a request; once each.
CREATE TABLE exclusion_consent (
    consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id bigint NOT NULL REFERENCES exclusion_request,
    side text NOT NULL CHECK (side IN ('site', 'team')),
    agreed boolean NOT NULL,
    why text NOT NULL,                      -- of a refusal; of a consent it may be empty
    exclusion_id bigint,                    -- what came of it, at the second consent
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    UNIQUE (request_id, side),
    CHECK (agreed OR why <> ''),
    CHECK (agreed OR exclusion_id IS NULL)
);

-- The signed paper of an exclusion that was agreed on paper.
ALTER TABLE exclusion ADD COLUMN document_id bigint REFERENCES document;

CREATE TRIGGER exclusion_request_unchanged BEFORE UPDATE ON exclusion_request
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_withdrawal();
CREATE TRIGGER exclusion_request_kept BEFORE DELETE ON exclusion_request
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exclusion_request_no_truncate BEFORE TRUNCATE ON exclusion_request
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exclusion_consent_append_only BEFORE UPDATE OR DELETE ON exclusion_consent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER exclusion_consent_no_truncate BEFORE TRUNCATE ON exclusion_consent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
