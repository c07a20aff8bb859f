-- What was decoded anew after a corrected mapping, what retention has taken away, and how TimescaleDB keeps old readings.

-- Raw messages that were decoded again together, by their receipt.
CREATE TABLE redecoded_batch (
    batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    message_from timestamptz NOT NULL,
    message_until timestamptz NOT NULL,                 -- not included
    recorded_at timestamptz NOT NULL,                   -- also the receipt time of what was decoded
    recorded_by text NOT NULL,
    CHECK (message_from < message_until)
);
CREATE INDEX redecoded_batch_pilot ON redecoded_batch (pilot_id, message_from);

-- Readings of one revision that do not stand any more, because the messages which they came from were decoded again by a later
-- revision. They are untouched: whoever asks as of an instant before recorded_at still goes by them.
CREATE TABLE redecoding (
    batch_id bigint NOT NULL REFERENCES redecoded_batch,
    channel_id integer NOT NULL REFERENCES channel,     -- whose readings
    received_from timestamptz NOT NULL,                 -- those received from here
    received_until timestamptz NOT NULL,                -- up to, not including, here
    by_channel_id integer NOT NULL REFERENCES channel,  -- whose readings stand in their place
    recorded_at timestamptz NOT NULL,
    CHECK (received_from < received_until),
    CHECK (channel_id <> by_channel_id)
);
CREATE INDEX redecoding_channel ON redecoding (channel_id, received_from);

-- … and how many of them each hour had: a summary all of whose readings are among them does not serve any more.
CREATE TABLE redecoded_hour (
    channel_id integer NOT NULL REFERENCES channel,
    hour timestamptz NOT NULL,
    n integer NOT NULL CHECK (n > 0),
    recorded_at timestamptz NOT NULL
);
CREATE INDEX redecoded_hour_key ON redecoded_hour (channel_id, hour);

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['redecoded_batch', 'redecoding', 'redecoded_hour']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       kept || '_append_only', kept);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       kept || '_no_truncate', kept);
    END LOOP;
END $$;

-- Pilots whose period and retention are over, so that their readings were deleted: their accounts can no longer be compared with
-- the store, and are not.
CREATE TABLE retired (
    pilot_id integer PRIMARY KEY REFERENCES pilot,
    kept_until timestamptz NOT NULL,        -- the end of its period, plus its retention
    begun_at timestamptz NOT NULL,          -- from here on readings were deleted
    finished_at timestamptz                 -- nothing of it was left then
);

-- Up to where the raw messages of a pilot were dropped, since its plan's time for them was over.
CREATE TABLE messages_dropped (
    pilot_id integer PRIMARY KEY REFERENCES pilot,
    before timestamptz NOT NULL,
    n bigint NOT NULL DEFAULT 0
);

-- A quarantined message stays; its payload goes when the plan's time for raw messages is over.
ALTER TABLE quarantine ADD COLUMN payload_dropped_at timestamptz;
CREATE INDEX quarantine_payload_kept ON quarantine (received_at) WHERE payload_dropped_at IS NULL;

-- When a pilot's day was compared last: its summaries with its readings.
CREATE TABLE reconciled (
    pilot_id integer NOT NULL REFERENCES pilot,
    day date NOT NULL,
    at timestamptz NOT NULL,
    hours integer NOT NULL,                 -- channel-hours compared
    differed integer NOT NULL,              -- … and repaired
    PRIMARY KEY (pilot_id, day)
);

-- A summary that differed from its readings is a finding too.
ALTER TABLE finding DROP CONSTRAINT finding_kind_check;
ALTER TABLE finding ADD CONSTRAINT finding_kind_check
    CHECK (kind IN ('gap', 'stuck', 'range', 'spike', 'rate', 'clock', 'jump', 'summary'));

CREATE INDEX audit_what ON audit (what, audit_id);
CREATE INDEX audit_who ON audit (who, audit_id);

-- The pieces (chunks) in which TimescaleDB keeps readings; none on a plain server. These functions execute text, since a plain
-- server knows none of the names in it: so the same statements stand on both.
CREATE FUNCTION reading_chunks()
RETURNS TABLE (chunk text, from_at timestamptz, until_at timestamptz, by_column boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('timescaledb_information.chunks') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $timescale$
        SELECT format('%I.%I', chunk_schema, chunk_name), range_start, range_end, is_compressed
        FROM timescaledb_information.chunks
        WHERE hypertable_schema = current_schema() AND hypertable_name = 'reading'
        ORDER BY range_start
    $timescale$;
END $$;

-- Bytes of the chunks that lie by column, before and after they went there, indexes included.
CREATE FUNCTION reading_bytes()
RETURNS TABLE (before_bytes bigint, after_bytes bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('timescaledb_information.chunks') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $timescale$
        SELECT sum(before_compression_total_bytes)::bigint, sum(after_compression_total_bytes)::bigint
        FROM chunk_compression_stats('reading') WHERE compression_status = 'Compressed'
    $timescale$;
END $$;

-- After which time TimescaleDB moves a chunk to columns by itself; no row where it does not.
CREATE FUNCTION reading_policy()
RETURNS TABLE (after interval, scheduled boolean, last_run_at timestamptz, last_status text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF to_regclass('timescaledb_information.jobs') IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE $timescale$
        SELECT (j.config ->> 'compress_after')::interval, j.scheduled, s.last_run_started_at, s.last_run_status::text
        FROM timescaledb_information.jobs j
        LEFT JOIN timescaledb_information.job_stats s USING (job_id)
        WHERE j.proc_name = 'policy_compression' AND j.hypertable_schema = current_schema() AND j.hypertable_name = 'reading'
    $timescale$;
END $$;

-- Have it do so after another time. False on a plain server, or where it is so already.
CREATE FUNCTION set_reading_policy(wanted interval) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('timescaledb_information.jobs') IS NULL
       OR EXISTS (SELECT FROM reading_policy() AS p WHERE p.after = wanted) THEN
        RETURN false;
    END IF;
    EXECUTE $timescale$ CALL remove_columnstore_policy('reading', if_exists => true) $timescale$;
    EXECUTE format($timescale$ CALL add_columnstore_policy('reading', after => %L::interval) $timescale$, wanted);
    RETURN true;
END $$;

-- Move one chunk to columns, or what came late into one that lies there.
CREATE FUNCTION move_reading_chunk(chunk text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($timescale$ CALL convert_to_columnstore(%L::regclass) $timescale$, chunk);
END $$;

-- Drop a chunk in which no reading of a channel but these lies. Whoever would insert into it waits, and finds it gone.
CREATE FUNCTION drop_reading_chunk(chunk text, from_at timestamptz, until_at timestamptz, channels integer[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    others boolean;
BEGIN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', chunk::regclass);
    SELECT EXISTS (SELECT FROM reading r WHERE r.observed_at >= from_at AND r.observed_at < until_at
                                           AND r.channel_id <> ALL (channels)) INTO others;
    IF others THEN
        RETURN false;
    END IF;
    EXECUTE format($timescale$ SELECT drop_chunks('reading', older_than => %L::timestamptz, newer_than => %L::timestamptz)
                   $timescale$, until_at, from_at);
    RETURN true;
END $$;

-- By column, batches of a channel in the order of time; the least and greatest received_at of each batch, so that questions by
-- receipt skip the others. Older releases know no such index: they read more. Chunks that lie by column already stay as they
-- are. Which chunks go there and when is a setting, see telemetry/storage.py.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        BEGIN
            EXECUTE $timescale$
                ALTER TABLE reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'channel_id',
                                         timescaledb.orderby = 'observed_at',
                                         timescaledb.sparse_index = 'minmax(received_at)')
            $timescale$;
        EXCEPTION WHEN invalid_parameter_value OR undefined_object OR feature_not_supported OR syntax_error THEN
            RAISE NOTICE 'this TimescaleDB keeps no least and greatest received_at: %', SQLERRM;
        END;
    END IF;
END $$;

-- An index on observed_at alone comes with every hypertable. Nobody asks for all channels of an instant; and where it lay the
-- planner took it for the hour of one channel, and read that of all.
DROP INDEX IF EXISTS reading_observed_at_idx;
