-- How many of an hour's readings are good: those in no finding that says they cannot be. Counted when findings are recorded.

COMMENT ON COLUMN summary.n_good IS
    'readings in no finding of the kinds stuck, range, spike and rate with flag 4; = n until the hour is judged';

-- Nothing about the readings changed where only the good ones were counted: nothing is to be judged again.
DROP TRIGGER summary_repaired ON summary;
CREATE FUNCTION mark_repaired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quality_hour (channel_id, hour)
    SELECT s.channel_id, s.hour
    FROM summarised s
    LEFT JOIN summarised_before b ON b.channel_id = s.channel_id AND b.hour = s.hour
    WHERE to_jsonb(s) - 'n_good' IS DISTINCT FROM to_jsonb(b) - 'n_good';
    RETURN NULL;
END $$;
CREATE TRIGGER summary_repaired AFTER UPDATE ON summary REFERENCING OLD TABLE AS summarised_before NEW TABLE AS summarised
    FOR EACH STATEMENT EXECUTE FUNCTION mark_repaired();
