-- name: any_readings
-- Whether the database holds readings.
SELECT EXISTS (SELECT FROM reading) AS found

-- name: marked
-- The hours that wait for their summary, in the order in which the summariser takes them.
SELECT array_agg(channel_id ORDER BY hour, channel_id) AS channels, array_agg(hour ORDER BY hour, channel_id) AS hours,
       min(hour) AS from, max(hour) + interval '1 hour' AS until
FROM (SELECT DISTINCT channel_id, hour FROM dirty_hour) AS waiting

-- name: analyze
-- Statistics for the planner.
ANALYZE reading, dirty_hour
