-- name: channel_hours
-- The channel-hours of receipt of a span with their hashes. Adding the seconds from 1970 to 2000 makes the binary form of an
-- instant, which counts from 2000, the number of microseconds since 1970, exactly.
SELECT h.identity, h.unit, l.hour, l.n, l.first_observed, l.last_observed,
       sha256('\x00'::bytea || int2send(octet_length(h.identity)::smallint) || convert_to(h.identity, 'UTF8')
              || int2send(octet_length(h.unit)::smallint) || convert_to(h.unit, 'UTF8')
              || timestamptz_send(l.hour + interval '946684800 s') || int8send(l.n)
              || timestamptz_send(l.first_observed + interval '946684800 s')
              || timestamptz_send(l.last_observed + interval '946684800 s') || l.rows) AS hash
FROM (
    SELECT c.channel_id, c.unit, concat_ws('/', %(pilot)s::text, s.name, c.name, c.revision) AS identity
    FROM slot s
    JOIN channel c USING (slot_id)
    WHERE s.pilot_id = %(pilot_id)s
) AS h
CROSS JOIN LATERAL (
    SELECT r.hour, count(*) AS n, min(r.observed_at) AS first_observed, max(r.observed_at) AS last_observed,
           string_agg(timestamptz_send(r.observed_at + interval '946684800 s')
                      || timestamptz_send(r.received_at + interval '946684800 s')
                      || float8send(r.value) || int2send(r.flags), ''::bytea ORDER BY r.observed_at) AS rows
    FROM (
        SELECT observed_at, received_at, value, flags, date_bin('1 hour', received_at, '2000-01-01T00:00Z') AS hour
        FROM reading
        WHERE channel_id = h.channel_id AND received_at < %(end)s
          AND received_at >= coalesce(%(start)s::timestamptz, '-infinity')
    ) AS r
    GROUP BY r.hour
) AS l

-- name: rows_of_leaf
-- The rows of one channel-hour of receipt, as they stand in its leaf.
SELECT string_agg(timestamptz_send(r.observed_at + interval '946684800 s')
                  || timestamptz_send(r.received_at + interval '946684800 s')
                  || float8send(r.value) || int2send(r.flags), ''::bytea ORDER BY r.observed_at) AS rows
FROM slot s
JOIN channel c ON c.slot_id = s.slot_id AND c.name = %(channel)s AND c.revision = %(revision)s
JOIN reading r ON r.channel_id = c.channel_id
WHERE s.pilot_id = %(pilot_id)s AND s.name = %(slot)s
  AND r.received_at >= greatest(timestamptz '1970-01-01T00:00:00Z' + %(hour_us)s::bigint * interval '1 microsecond',
                                coalesce(%(start)s::timestamptz, '-infinity'))
  AND r.received_at < least(timestamptz '1970-01-01T01:00:00Z' + %(hour_us)s::bigint * interval '1 microsecond',
                            %(end)s::timestamptz)

-- name: work_memory
-- A day of one channel is sorted at a time: let it be in memory.
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
