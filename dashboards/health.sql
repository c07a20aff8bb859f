-- name: migrations
-- Which migrations of ours this database has.
SELECT name FROM migration WHERE name NOT LIKE 'procrastinate/%%'

-- name: hearts
-- How long ago each process of the platform last said that it is alive.
SELECT DISTINCT ON (process) process, extract(epoch FROM clock_timestamp() - at)::float8 AS age_s
FROM heartbeat WHERE at > clock_timestamp() - interval '7 days'
ORDER BY process, at DESC

-- name: intake_today
-- What came in on the latest days of receipt, all pilots together.
SELECT coalesce(sum(stored), 0)::bigint AS stored, coalesce(sum(duplicate), 0)::bigint AS duplicate,
    coalesce(sum(conflict), 0)::bigint AS conflict, coalesce(sum(rejected), 0)::bigint AS rejected
FROM intake_slot JOIN slot USING (slot_id) JOIN pilot USING (pilot_id)
WHERE day = (clock_timestamp() AT TIME ZONE pilot.zone)::date

-- name: messages_today
-- The messages of the day, all connections together.
SELECT coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(quarantined), 0)::bigint AS quarantined,
    coalesce(sum(payload_bytes), 0)::bigint AS payload_bytes
FROM intake_connection JOIN connection USING (connection_id) JOIN pilot USING (pilot_id)
WHERE day = (clock_timestamp() AT TIME ZONE pilot.zone)::date

-- name: open_quarantine
-- Messages set aside that nobody has dealt with.
SELECT count(*) AS n FROM quarantine WHERE resolved_at IS NULL

-- name: dirty_hours
-- Channel-hours that no summary knows yet.
SELECT count(*) AS n FROM (SELECT DISTINCT channel_id, hour FROM dirty_hour) AS waiting
