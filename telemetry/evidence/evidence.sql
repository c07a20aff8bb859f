-- name: channel_ids
-- Every revision of every channel of a pilot.
SELECT s.name AS slot, c.name AS channel, c.revision, c.channel_id
FROM pilot p JOIN slot s USING (pilot_id) JOIN channel c USING (slot_id)
WHERE p.name = %(pilot)s

-- name: replaced
-- Readings of a pilot that do not stand any more, and since when that is known.
SELECT s.name AS slot, c.name AS channel, c.revision, d.received_from, d.received_until, d.recorded_at
FROM pilot p JOIN slot s USING (pilot_id) JOIN channel c USING (slot_id) JOIN redecoding d USING (channel_id)
WHERE p.name = %(pilot)s
ORDER BY s.name, c.name, c.revision, d.received_from

-- name: rows
-- Rows of some channel-hours of receipt that follow each other, in the order of their leaves. The bounds on observed_at are
-- those of the leaves' heads: by them the key finds the rows.
SELECT count(*) AS n,
       string_agg(timestamptz_send(observed_at), '') AS observed,
       string_agg(timestamptz_send(received_at), '') AS received,
       string_agg(float8send(value), '') AS value,
       string_agg(int2send(flags), '') AS flags
FROM (
    SELECT observed_at, received_at, value, flags
    FROM reading
    WHERE channel_id = %(channel)s AND received_at >= %(start)s AND received_at < %(end)s
      AND observed_at >= %(first)s AND observed_at <= %(last)s AND observed_at > %(after)s
    ORDER BY date_bin('1 hour', received_at, '2000-01-01T00:00Z'), observed_at
    LIMIT %(most)s
) AS in_order
