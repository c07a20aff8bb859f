-- name: summaries
-- The summaries of a channel's hours: each column as one string of the binary forms of its values, in the order of time. Row by
-- row a year of hours takes ten times as long in the client. Hours of a revision all of whose readings stand no more are left
-- out; where some do, the hour is to be read raw. Beside them the hours that hold readings which no summary knows yet.
SELECT string_agg(timestamptz_send(hour), '') AS hour,
       string_agg(int4send(channel_id), '') AS channel_id,
       string_agg(int4send(n), '') AS n,
       string_agg(boolsend(alike), '') AS alike,
       string_agg(int4send(missing), '') AS missing,
       string_agg(int4send(coalesce(falls, -1)), '') AS falls,
       string_agg(timestamptz_send(first_at), '') AS first_at,
       string_agg(timestamptz_send(last_at), '') AS last_at,
       string_agg(timestamptz_send(last_received), '') AS last_received,
       string_agg(float8send(mean), '') AS mean,
       string_agg(float8send(m2), '') AS m2,
       string_agg(float8send(min), '') AS min,
       string_agg(float8send(max), '') AS max,
       string_agg(float8send(first_value), '') AS first_value,
       string_agg(float8send(last_value), '') AS last_value,
       string_agg(float8send(integral), '') AS integral,
       string_agg(float8send(covered_s), '') AS covered_s,
       string_agg(float8send(longest_gap_s), '') AS longest_gap_s,
       (SELECT string_agg(timestamptz_send(hour), '')
        FROM (SELECT DISTINCT hour
              FROM dirty_hour
              WHERE channel_id = ANY (%(channels)s) AND hour >= %(start)s AND hour < %(end)s
              ORDER BY hour) AS waiting) AS dirty
FROM (
    SELECT s.*, s.channel_id = ANY (%(alike)s) AND gone.n IS NULL AS alike
    FROM summary s
    LEFT JOIN (
        SELECT channel_id, hour, sum(n) AS n
        FROM redecoded_hour
        WHERE channel_id = ANY (%(redecoded)s::int[]) AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
        GROUP BY channel_id, hour
    ) AS gone ON gone.channel_id = s.channel_id AND gone.hour = s.hour
    WHERE coalesce(gone.n, 0) < s.n
      AND s.channel_id = ANY (%(channels)s) AND s.hour >= %(start)s AND s.hour < %(end)s
    ORDER BY s.hour, s.first_at
) AS in_time

-- name: shares
-- The seconds in which one condition held, and those known, of the same hours.
SELECT string_agg(timestamptz_send(hour), '') AS hour,
       string_agg(int4send(channel_id), '') AS channel_id,
       string_agg(float8send(true_s), '') AS true_s,
       string_agg(float8send(covered_s), '') AS covered_s
FROM (
    SELECT ss.*
    FROM summary_share ss
    JOIN predicate p USING (predicate_id)
    WHERE ss.channel_id = ANY (%(channels)s) AND ss.hour >= %(start)s AND ss.hour < %(end)s
      AND p.slot_id = %(slot)s AND p.channel = %(name)s
      AND (p.low, p.low_closed, p.high, p.high_closed, p.codes) IS NOT DISTINCT FROM
          (%(low)s::float8, %(low_closed)s::boolean, %(high)s::float8, %(high_closed)s::boolean, %(codes)s::int[])
    ORDER BY ss.hour, ss.channel_id
) AS in_time
