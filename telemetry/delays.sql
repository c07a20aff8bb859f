-- name: delay_counts
-- How many readings of given stretches took how long from the device to their receipt, in whole milliseconds rounded up; and how
-- many tell nothing of that: received over an outage of ours (1), with the arrival as their time (2), kept by the broker (3),
-- taken from what had been set aside (4). Counted in the database: a year of a reading a second comes back as some thousand
-- rows. A message that was decoded again counts by its first decoding, so what has been replaced counts here, and what replaces
-- it does not.
SELECT c.cell, c.kind, c.delay_ms, sum(c.n)::bigint AS n
FROM (
    SELECT span.cell,
           CASE WHEN r.flags & %(arrival)s <> 0 THEN 2 WHEN r.flags & %(retained)s <> 0 THEN 3
                WHEN r.flags & %(replayed)s <> 0 THEN 4
                WHEN %(outages)s::tstzmultirange
                     && tstzrange(least(r.observed_at, r.received_at), greatest(r.observed_at, r.received_at), '[]') THEN 1
                ELSE 0 END AS kind,
           ceil(round(date_part('epoch', r.received_at - r.observed_at) * 1e6) / 1000)::bigint AS delay_ms,
           count(*) AS n
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[], %(cells)s::int[]) AS span (start_at, end_at, cell)
    CROSS JOIN unnest(%(channels)s::int[]) AS one (channel_id)
    JOIN LATERAL (
        SELECT observed_at, received_at, flags
        FROM reading
        WHERE channel_id = one.channel_id AND observed_at >= span.start_at AND observed_at < span.end_at
          AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
          AND flags & %(redecoded)s = 0
        OFFSET 0
    ) AS r ON true
    GROUP BY 1, 2, 3
) AS c
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
