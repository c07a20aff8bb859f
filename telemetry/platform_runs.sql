-- name: runs
-- The lives of the platform's processes that touch a window, the newest first: what each said of itself, first and last.
SELECT r.process, r.run, (array_agg(r.version ORDER BY r.record_id DESC))[1] AS version, min(r.from_at) AS started_at,
       max(r.until_at) AS until_at, (array_agg(r.goes_on ORDER BY r.until_at DESC, r.record_id DESC))[1] AS goes_on,
       count(*) AS words, max(r.recorded_at) AS recorded_at, max(r.note) AS note,
       (SELECT coalesce(sum(extract(epoch FROM upper(h) - lower(h))), 0)::float8 FROM unnest(range_agg(r.heard)) AS h) AS at_work_s
FROM platform_record r
WHERE tstzrange(r.from_at, r.until_at, '[]') && tstzrange(%(start)s::timestamptz, %(end)s::timestamptz)
  AND (%(process)s::text IS NULL OR r.process = %(process)s)
GROUP BY r.process, r.run, CASE WHEN r.run = '' THEN r.record_id END
ORDER BY started_at DESC, r.process
LIMIT %(most)s

-- name: begins
-- Where the platform's record begins.
SELECT min(from_at) AS at FROM platform_record WHERE process LIKE 'collector%%'
