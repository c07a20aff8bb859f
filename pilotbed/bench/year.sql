-- name: mark
-- Every hour of the channels in a window waits for its summary.
INSERT INTO dirty_hour (channel_id, hour)
SELECT channel_id, hour
FROM unnest(%(channels)s::int[]) AS c (channel_id),
     generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 hour', interval '1 hour') AS h (hour)

-- name: analyze
-- Statistics for the planner.
ANALYZE reading, summary, summary_share, dirty_hour
