-- name: columns_of_ranges
-- Readings of several half-open ranges that do not overlap: two columns of eight bytes a reading, range by range, in each one
-- revision after the other in the order of time. So each is one index scan, and nothing is sorted; OFFSET 0 keeps it so: as a
-- plain join, TimescaleDB compares every reading of the span with every range. Here and
-- below, of revisions whose messages were decoded again, those readings are left out in whose place others stand: the stretches
-- of a revision do not overlap, so the last one that begins before a receipt decides.
SELECT string_agg(timestamptz_send(r.observed_at), '') AS observed, string_agg(float8send(r.value), '') AS value
FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (start_at, end_at)
CROSS JOIN unnest(%(channels)s::int[]) AS one (channel_id)
JOIN LATERAL (
    SELECT observed_at, value
    FROM reading
    WHERE channel_id = one.channel_id AND observed_at >= span.start_at AND observed_at < span.end_at
      AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
      AND (cardinality(%(redecoded)s::int[]) = 0 OR coalesce((
          SELECT d.received_until FROM redecoding d
          WHERE d.channel_id = reading.channel_id AND d.received_from <= reading.received_at
            AND (%(known_at)s::timestamptz IS NULL OR d.recorded_at <= %(known_at)s)
          ORDER BY d.received_from DESC LIMIT 1) <= reading.received_at, true))
    ORDER BY observed_at
    OFFSET 0
) AS r ON true

-- name: reading_before
-- For each instant the last reading before it that may still stand. One index scan a revision: asked of all of them at once, every reading of that side would be sorted.
SELECT r.observed_at, r.value
FROM unnest(%(ats)s::timestamptz[]) WITH ORDINALITY AS edge (at, place)
LEFT JOIN LATERAL (
    SELECT one.observed_at, one.value
    FROM unnest(%(channels)s::int[]) AS revision (channel_id)
    CROSS JOIN LATERAL (
        SELECT observed_at, value
        FROM reading
        WHERE channel_id = revision.channel_id AND observed_at < edge.at
          AND observed_at >= CASE WHEN %(hold_s)s::float8 IS NULL THEN '-infinity'
                                  ELSE edge.at - make_interval(secs => %(hold_s)s::float8) END
          AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
          AND (cardinality(%(redecoded)s::int[]) = 0 OR coalesce((
              SELECT d.received_until FROM redecoding d
              WHERE d.channel_id = reading.channel_id AND d.received_from <= reading.received_at
                AND (%(known_at)s::timestamptz IS NULL OR d.recorded_at <= %(known_at)s)
              ORDER BY d.received_from DESC LIMIT 1) <= reading.received_at, true))
        ORDER BY observed_at DESC
        LIMIT 1
    ) AS one
    ORDER BY one.observed_at DESC, revision.channel_id DESC
    LIMIT 1
) AS r ON true
ORDER BY edge.place

-- name: reading_after
-- For each instant the first reading from it on that an earlier one may reach. One index scan a revision: asked of all of them at once, every reading of that side would be sorted.
SELECT r.observed_at, r.value
FROM unnest(%(ats)s::timestamptz[]) WITH ORDINALITY AS edge (at, place)
LEFT JOIN LATERAL (
    SELECT one.observed_at, one.value
    FROM unnest(%(channels)s::int[]) AS revision (channel_id)
    CROSS JOIN LATERAL (
        SELECT observed_at, value
        FROM reading
        WHERE channel_id = revision.channel_id AND observed_at >= edge.at
          AND observed_at <= CASE WHEN %(hold_s)s::float8 IS NULL THEN 'infinity'
                                  ELSE edge.at + make_interval(secs => %(hold_s)s::float8) END
          AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s::timestamptz)
          AND (cardinality(%(redecoded)s::int[]) = 0 OR coalesce((
              SELECT d.received_until FROM redecoding d
              WHERE d.channel_id = reading.channel_id AND d.received_from <= reading.received_at
                AND (%(known_at)s::timestamptz IS NULL OR d.recorded_at <= %(known_at)s)
              ORDER BY d.received_from DESC LIMIT 1) <= reading.received_at, true))
        ORDER BY observed_at
        LIMIT 1
    ) AS one
    ORDER BY one.observed_at, revision.channel_id DESC
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
