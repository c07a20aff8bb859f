-- name: channel_hours
-- The channel-hours of receipt of a span with their hashes.
-- The span is read once for all channels, and by receipt alone: IS TRUE keeps the key out of it, since all of the channels'
-- history stands there. Rows are gathered by leaf as they come and sorted leaf by leaf, where they mostly are in order. Their
-- bytes begin with the instant of observation: the order of bytes is that of time, but for instants before 1970, which begin
-- with a one and stand before all others. Adding the seconds from 1970 to 2000 makes the binary form of an instant, which
-- counts from 2000, the number of microseconds since 1970, exactly.
SELECT h.identity, h.unit, l.hour, l.n, l.first_observed, l.last_observed,
       sha256('\x00'::bytea || int2send(octet_length(h.identity)::smallint) || convert_to(h.identity, 'UTF8')
              || int2send(octet_length(h.unit)::smallint) || convert_to(h.unit, 'UTF8')
              || timestamptz_send(l.hour + interval '946684800 s') || int8send(l.n)
              || timestamptz_send(l.first_observed + interval '946684800 s')
              || timestamptz_send(l.last_observed + interval '946684800 s')
              || (SELECT string_agg(one, '')
                  FROM (SELECT one FROM unnest(l.rows) AS one ORDER BY one < '\x80', one OFFSET 0) AS in_order)) AS hash
FROM (
    SELECT r.channel_id, r.hour, count(*) AS n, min(r.observed_at) AS first_observed, max(r.observed_at) AS last_observed,
           array_agg(timestamptz_send(r.observed_at + interval '946684800 s')
                     || timestamptz_send(r.received_at + interval '946684800 s') || float8send(r.value)
                     || CASE r.flags WHEN 0 THEN '\x0000'::bytea ELSE int2send(r.flags) END) AS rows
    FROM (
        SELECT channel_id, observed_at, received_at, value, flags,
               date_bin('1 hour', received_at, '2000-01-01T00:00Z') AS hour
        FROM reading
        WHERE received_at < %(end)s AND received_at >= coalesce(%(start)s::timestamptz, '-infinity')
          AND (channel_id IN (SELECT c.channel_id FROM slot s JOIN channel c USING (slot_id)
                              WHERE s.pilot_id = %(pilot_id)s)) IS TRUE
        OFFSET 0
    ) AS r
    GROUP BY r.hour, r.channel_id
) AS l
CROSS JOIN LATERAL (
    SELECT c.unit, concat_ws('/', %(pilot)s::text, s.name, c.name, c.revision) AS identity
    FROM channel c JOIN slot s USING (slot_id)
    WHERE c.channel_id = l.channel_id
    OFFSET 0
) AS h

-- name: received
-- How many readings were stored on the days of a span, as far as the intake counted them.
SELECT coalesce(sum(i.stored), 0)::bigint AS n
FROM slot s
JOIN intake_slot i USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND i.day >= coalesce(%(first_day)s::date, '-infinity') AND i.day <= %(last_day)s

-- name: way
-- How rows come together for their leaf, which the planner cannot know: without sorting them all, every leaf as far as it has
-- come in memory, and on disk those that are begun when that is full; or by a sort, on disk where memory does not do, and one
-- leaf after the other.
SELECT set_config('enable_sort', %(sort)s, true), set_config('enable_hashagg', %(gather)s, true)

-- name: work_memory
-- So much is sorted in memory, and twice as much gathered, before what is more goes to disk.
SET LOCAL work_mem = '64MB'

-- name: no_compiling
-- Compiling such a query takes longer than running it.
SET LOCAL jit = off

-- name: know_new_pages
-- Let the indexes by receipt know of the pages that were filled since; pages that they do not know are read every time.
SELECT count(brin_summarize_new_values(i.oid)) AS n
FROM pg_class i
JOIN pg_am a ON a.oid = i.relam AND a.amname = 'brin'
WHERE i.relname LIKE '%%reading_received' AND pg_has_role(i.relowner, 'USAGE')
