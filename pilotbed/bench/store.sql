-- name: size
-- Bytes of the table of readings on a plain server.
SELECT pg_relation_size('reading') AS heap, pg_indexes_size('reading') AS indexes,
       pg_table_size('reading') - pg_relation_size('reading') AS toast, pg_total_relation_size('reading') AS total

-- name: by_column
-- Tables in which TimescaleDB keeps readings by column; none on a plain server.
SELECT n.nspname AS schema, k.relname AS name
FROM pg_class k
JOIN pg_namespace n ON n.oid = k.relnamespace
WHERE k.relkind = 'r' AND n.nspname LIKE '%%timescaledb%%'
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.oid AND a.attname = '_ts_meta_count')
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.oid AND a.attname = 'received_at')

-- name: one_process
-- What is compared is work: no other process helps a plain scan.
SET max_parallel_workers_per_gather = 0

-- name: scan
-- All readings, only added up.
SELECT count(*) AS n, sum(value) AS total FROM reading

-- name: server
-- How safely the server writes, and how much it keeps in memory.
SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('shared_buffers') AS shared_buffers

-- name: vacuum
-- What autovacuum does sooner or later: statistics, and which pages every reader may see.
VACUUM (ANALYZE) reading

-- name: analyze
-- Statistics of what was made from readings.
ANALYZE summary, summary_share, dirty_hour, quality_hour

-- name: mark
-- Every hour of the channels in a window waits for its summary.
INSERT INTO dirty_hour (channel_id, hour)
SELECT DISTINCT channel_id, date_trunc('hour', observed_at)
FROM reading
WHERE observed_at >= %(start)s AND observed_at < %(end)s
