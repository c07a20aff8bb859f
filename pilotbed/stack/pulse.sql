-- name: pulse
-- How long ago a process last said that it is alive; null if it never did.
SELECT extract(epoch FROM clock_timestamp() - max(at))::float8 AS age_s FROM heartbeat WHERE process = %(process)s
