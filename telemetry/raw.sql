-- name: columns_of_ranges
-- Readings of several half-open ranges that do not overlap, in the order of time: two columns of eight bytes a reading.
SELECT string_agg(timestamptz_send(r.observed_at), ''::bytea ORDER BY r.observed_at) AS observed,
       string_agg(float8send(r.value), ''::bytea ORDER BY r.observed_at) AS value
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (start_at, end_at)
JOIN LATERAL (
    SELECT observed_at, value
    FROM reading
    WHERE channel_id = ANY (%(channels)s) AND observed_at >= span.start_at AND observed_at < span.end_at
      AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
) AS r ON true

-- name: reading_before
-- For each instant the last reading before it that may still stand.
SELECT r.observed_at, r.value
FROM unnest(%(ats)s::timestamptz[]) WITH ORDINALITY AS edge (at, place)
LEFT JOIN LATERAL (
    SELECT observed_at, value
    FROM reading
    WHERE channel_id = ANY (%(channels)s) AND observed_at < edge.at
      AND observed_at >= CASE WHEN %(hold_s)s::float8 IS NULL THEN '-infinity'
                              ELSE edge.at - make_interval(secs => %(hold_s)s::float8) END
      AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
    ORDER BY observed_at DESC
    LIMIT 1
) AS r ON true
ORDER BY edge.place

-- name: reading_after
-- For each instant the first reading from it on that an earlier one may reach.
SELECT r.observed_at, r.value
FROM unnest(%(ats)s::timestamptz[]) WITH ORDINALITY AS edge (at, place)
LEFT JOIN LATERAL (
    SELECT observed_at, value
    FROM reading
    WHERE channel_id = ANY (%(channels)s) AND observed_at >= edge.at
      AND observed_at <= CASE WHEN %(hold_s)s::float8 IS NULL THEN 'infinity'
                              ELSE edge.at + make_interval(secs => %(hold_s)s::float8) END
      AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
    ORDER BY observed_at
    LIMIT 1
) AS r ON true
ORDER BY edge.place

-- name: links_lost
-- When a slot's link was lost.
SELECT DISTINCT at
FROM link_state
WHERE slot_id = %(slot)s AND state = 'offline' AND at >= %(start)s AND at < %(end)s
  AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
ORDER BY at
