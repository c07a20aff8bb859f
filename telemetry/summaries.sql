-- name: summaries
-- The summaries of a channel's hours, with one predicate's seconds where asked for: each column as one string of the binary
-- forms of its values, in the order of time. Row by row a year of hours takes ten times as long in the client.
SELECT string_agg(timestamptz_send(s.hour), ''::bytea ORDER BY s.hour, s.first_at) AS hour,
       string_agg(int4send(n), ''::bytea ORDER BY s.hour, s.first_at) AS n,
       string_agg(boolsend(s.channel_id = ANY (%(alike)s)), ''::bytea ORDER BY s.hour, s.first_at) AS alike,
       string_agg(int4send(missing), ''::bytea ORDER BY s.hour, s.first_at) AS missing,
       string_agg(int4send(coalesce(falls, -1)), ''::bytea ORDER BY s.hour, s.first_at) AS falls,
       string_agg(timestamptz_send(first_at), ''::bytea ORDER BY s.hour, s.first_at) AS first_at,
       string_agg(timestamptz_send(last_at), ''::bytea ORDER BY s.hour, s.first_at) AS last_at,
       string_agg(timestamptz_send(last_received), ''::bytea ORDER BY s.hour, s.first_at) AS last_received,
       string_agg(float8send(mean), ''::bytea ORDER BY s.hour, s.first_at) AS mean,
       string_agg(float8send(m2), ''::bytea ORDER BY s.hour, s.first_at) AS m2,
       string_agg(float8send(min), ''::bytea ORDER BY s.hour, s.first_at) AS min,
       string_agg(float8send(max), ''::bytea ORDER BY s.hour, s.first_at) AS max,
       string_agg(float8send(first_value), ''::bytea ORDER BY s.hour, s.first_at) AS first_value,
       string_agg(float8send(last_value), ''::bytea ORDER BY s.hour, s.first_at) AS last_value,
       string_agg(float8send(integral), ''::bytea ORDER BY s.hour, s.first_at) AS integral,
       string_agg(float8send(covered_s), ''::bytea ORDER BY s.hour, s.first_at) AS covered_s,
       string_agg(float8send(longest_gap_s), ''::bytea ORDER BY s.hour, s.first_at) AS longest_gap_s,
       string_agg(float8send(coalesce(share.true_s, 'NaN')), ''::bytea ORDER BY s.hour, first_at) AS true_s,
       string_agg(float8send(coalesce(share.share_s, 'NaN')), ''::bytea ORDER BY s.hour, first_at) AS share_s
FROM summary s
LEFT JOIN LATERAL (
    SELECT ss.true_s, ss.covered_s AS share_s
    FROM summary_share ss
    JOIN predicate p USING (predicate_id)
    WHERE ss.channel_id = s.channel_id AND ss.hour = s.hour AND p.slot_id = %(slot)s AND p.channel = %(name)s
      AND (p.low, p.low_closed, p.high, p.high_closed, p.codes) IS NOT DISTINCT FROM
          (%(low)s::float8, %(low_closed)s::boolean, %(high)s::float8, %(high_closed)s::boolean, %(codes)s::int[])
) AS share ON %(with_share)s::boolean
WHERE s.channel_id = ANY (%(channels)s) AND s.hour >= %(start)s AND s.hour < %(end)s

-- name: dirty_hours
-- Hours of a channel that hold readings which no summary knows yet.
SELECT DISTINCT hour
FROM dirty_hour
WHERE channel_id = ANY (%(channels)s) AND hour >= %(start)s AND hour < %(end)s
ORDER BY hour
