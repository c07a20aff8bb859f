-- What is noticed about readings: how grave a finding is, which hours wait to be judged, and what findings are joined from.

-- In the scheme of QARTOD and ioos_qc: 3 suspect, 4 fail, 9 missing.
ALTER TABLE finding ADD COLUMN flag smallint NOT NULL DEFAULT 3 CHECK (flag IN (3, 4, 9));
DROP TRIGGER finding_unchanged ON finding;
CREATE TRIGGER finding_unchanged BEFORE UPDATE ON finding FOR EACH ROW
    WHEN (OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
          OR (OLD.finding_id, OLD.slot_id, OLD.channel_id, OLD.kind, OLD.start_at, OLD.end_at, OLD.value, OLD.unit,
              OLD.detail, OLD.recorded_at, OLD.flag)
             IS DISTINCT FROM
             (NEW.finding_id, NEW.slot_id, NEW.channel_id, NEW.kind, NEW.start_at, NEW.end_at, NEW.value, NEW.unit,
              NEW.detail, NEW.recorded_at, NEW.flag))
    EXECUTE FUNCTION refuse_change();

-- Channel-hours that were summarised and wait to be judged. No key: whoever writes a summary only inserts.
CREATE TABLE quality_hour (
    channel_id integer NOT NULL,
    hour timestamptz NOT NULL
);
CREATE INDEX quality_hour_key ON quality_hour (channel_id, hour);

-- Stretches of readings that stand out, within one hour: what findings are joined from. Made anew with the hour, as summaries are.
CREATE TABLE quality_run (
    channel_id integer NOT NULL REFERENCES channel,     -- the channel's first revision, whichever decoded the readings
    kind text NOT NULL,
    hour timestamptz NOT NULL,              -- of its readings; their stretch may reach beyond
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    suspect integer NOT NULL,               -- readings with flag 3
    fail integer NOT NULL,                  -- … and 4
    low double precision NOT NULL,          -- least and greatest of their values
    high double precision NOT NULL,
    amount double precision NOT NULL,       -- of the one that stands out most
    excess double precision NOT NULL,       -- … by how much
    dense boolean NOT NULL DEFAULT false,   -- too many stretches for one hour: taken as one
    CHECK (start_at < end_at)
);
CREATE INDEX quality_run_key ON quality_run (channel_id, kind, start_at);
CREATE INDEX quality_run_hour ON quality_run (channel_id, hour);

-- The store itself says which hours changed, in the transaction of their summaries: nobody who makes or repairs one can forget to.
CREATE FUNCTION mark_summarised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quality_hour (channel_id, hour) SELECT channel_id, hour FROM summarised;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_made AFTER INSERT ON summary REFERENCING NEW TABLE AS summarised
    FOR EACH STATEMENT EXECUTE FUNCTION mark_summarised();
CREATE TRIGGER summary_repaired AFTER UPDATE ON summary REFERENCING NEW TABLE AS summarised
    FOR EACH STATEMENT EXECUTE FUNCTION mark_summarised();

INSERT INTO quality_hour (channel_id, hour) SELECT channel_id, hour FROM summary ORDER BY channel_id, hour;
