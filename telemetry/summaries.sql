-- name: summaries
-- The summaries of a channel's hours, with one predicate's seconds where asked for.
SELECT s.hour, s.n, s.mean, s.m2, s.min, s.max, s.first_at, s.first_value, s.last_at, s.last_value, s.integral,
       s.covered_s, s.longest_gap_s, s.missing, s.last_received, share.true_s, share.covered_s AS share_s
FROM summary s
LEFT JOIN LATERAL (
    SELECT ss.true_s, ss.covered_s
    FROM summary_share ss
    JOIN predicate p USING (predicate_id)
    WHERE ss.channel_id = s.channel_id AND ss.hour = s.hour AND p.slot_id = %(slot)s AND p.channel = %(name)s
      AND (p.low, p.low_closed, p.high, p.high_closed, p.codes) IS NOT DISTINCT FROM
          (%(low)s::float8, %(low_closed)s::boolean, %(high)s::float8, %(high_closed)s::boolean, %(codes)s::int[])
) AS share ON %(with_share)s::boolean
WHERE s.channel_id = ANY (%(channels)s) AND s.hour >= %(start)s AND s.hour < %(end)s
ORDER BY s.hour, s.first_at

-- name: dirty_hours
-- Hours of a channel that hold readings which no summary knows yet.
SELECT DISTINCT hour
FROM dirty_hour
WHERE channel_id = ANY (%(channels)s) AND hour >= %(start)s AND hour < %(end)s
ORDER BY hour
