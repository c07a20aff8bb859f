-- What was known when: an evaluation as of an instant knows of a swap only once it was recorded. And what was received is
-- changed by nobody: the database itself refuses it. (Retention deletes, so deleting is not refused here.)

ALTER TABLE installation
    ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN removal_recorded_at timestamptz;
UPDATE installation SET removal_recorded_at = clock_timestamp() WHERE removed_at IS NOT NULL;

CREATE FUNCTION record_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.removal_recorded_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER installation_removal BEFORE UPDATE OF removed_at ON installation
    FOR EACH ROW WHEN (OLD.removed_at IS DISTINCT FROM NEW.removed_at) EXECUTE FUNCTION record_removal();

DO $$
DECLARE
    received text;
BEGIN
    FOREACH received IN ARRAY ARRAY['reading', 'event', 'conflict', 'event_conflict', 'rejection', 'link_state', 'message']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       received || '_unchanged', received);
    END LOOP;
END $$;
CREATE TRIGGER plan_version_no_truncate BEFORE TRUNCATE ON plan_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER result_no_truncate BEFORE TRUNCATE ON result
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
