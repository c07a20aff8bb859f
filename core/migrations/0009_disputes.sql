-- What settles a dispute: the platform's own record, what was agreed about outages and exclusions, and when each was known.

-- The instant of a record that is made under a lock of its own (the registry's): later than any closed past. Whoever records
-- without such a lock joins the ingest instead (telemetry/horizon.py).
CREATE FUNCTION after_horizon() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT greatest(clock_timestamp(), at + interval '1 microsecond') FROM horizon
$$;
ALTER TABLE installation ALTER COLUMN recorded_at SET DEFAULT after_horizon();
CREATE OR REPLACE FUNCTION record_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.removal_recorded_at := after_horizon();
    RETURN NEW;
END $$;

-- When the platform itself was at work, as its processes said it: a row for some minutes, written once. An evaluation as of
-- an instant reads what was recorded by then. (The table heartbeat stays the pulse that health checks look at: one row a
-- stretch, drawn out in place, and no evidence.)
CREATE TABLE platform_record (
    record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    process text NOT NULL,                  -- 'collector-1', 'work', 'loader:<pilot>'
    run text NOT NULL,                      -- one life of the process; '' where its life is not known
    version text NOT NULL DEFAULT '',       -- of the code
    from_at timestamptz NOT NULL,           -- the time that this row speaks of
    until_at timestamptz NOT NULL,
    heard tstzmultirange NOT NULL,          -- when in it the process did its work: of a collector, heard every topic
    goes_on boolean NOT NULL,               -- whether it still did when this was written
    recorded_at timestamptz NOT NULL,       -- later than until_at where the database was away; simulated history and what was
                                            -- kept before this table existed: from_at, as if recorded while it happened
    note text NOT NULL DEFAULT '',
    CHECK (from_at <= until_at),
    CHECK (heard <@ tstzmultirange(tstzrange(from_at, until_at)))
);
CREATE INDEX platform_record_span ON platform_record USING gist (tstzrange(from_at, until_at));
CREATE INDEX platform_record_until ON platform_record (until_at);
CREATE INDEX platform_record_process ON platform_record (process, until_at);
CREATE INDEX platform_record_since ON platform_record (lower(heard));
INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at, note)
SELECT process, '', started_at, at, tstzmultirange(tstzrange(started_at, at)), true, started_at, note
FROM heartbeat WHERE started_at < at ORDER BY started_at;
CREATE TRIGGER platform_record_append_only BEFORE UPDATE OR DELETE ON platform_record
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER platform_record_no_truncate BEFORE TRUNCATE ON platform_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A record of people is withdrawn once, and otherwise never changed.
CREATE FUNCTION refuse_all_but_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    withdrawal text[] := ARRAY['superseded_at', 'superseded_by', 'superseded_why'];
BEGIN
    IF OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
       OR to_jsonb(OLD) - withdrawal IS DISTINCT FROM to_jsonb(NEW) - withdrawal THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

-- An outage that was agreed: of the site's network or power, or of the platform beyond its own record.
CREATE TABLE outage (
    outage_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    slot_ids integer[],                     -- NULL: all slots of the pilot
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    cause text NOT NULL,                    -- a code of kpi/records/outages.py
    charged_to text NOT NULL CHECK (charged_to IN ('site', 'platform')),
    agreed_by text NOT NULL CHECK (agreed_by <> ''),
    note text NOT NULL CHECK (note <> ''),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    superseded_at timestamptz,
    superseded_by text,
    superseded_why text,
    CHECK (start_at < end_at),
    CHECK (num_nulls(superseded_at, superseded_by, superseded_why) IN (0, 3))
);
CREATE INDEX outage_pilot ON outage (pilot_id, start_at);

-- An interval left out of judgement (평가 제외 구간): of a whole slot, for all KPIs.
CREATE TABLE exclusion (
    exclusion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    slot_id integer NOT NULL REFERENCES slot,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    reason text NOT NULL,                   -- of the closed list in force
    asked_on date NOT NULL,
    asked_by text NOT NULL CHECK (asked_by <> ''),
    agreed_site text NOT NULL CHECK (agreed_site <> ''),
    agreed_team text NOT NULL CHECK (agreed_team <> ''),
    note text NOT NULL CHECK (note <> ''),
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    superseded_at timestamptz,
    superseded_by text,
    superseded_why text,
    CHECK (start_at < end_at),
    CHECK (num_nulls(superseded_at, superseded_by, superseded_why) IN (0, 3))
);
CREATE INDEX exclusion_pilot ON exclusion (pilot_id, start_at);

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['outage', 'exclusion']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_all_but_withdrawal()',
                       kept || '_unchanged', kept);
        EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       kept || '_kept', kept);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       kept || '_no_truncate', kept);
    END LOOP;
END $$;

-- Whether a result was provisional, without its document being read.
ALTER TABLE result ADD COLUMN provisional boolean GENERATED ALWAYS AS ((document ->> 'provisional')::boolean) STORED;

-- Steps down of a counter inside the hour: where there are none, its increase is the last value less the first. NULL: of another
-- kind of channel, or summarised before this column was there.
ALTER TABLE summary ADD COLUMN falls integer;
