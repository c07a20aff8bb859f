-- name: slots
-- The slots of a pilot in use, and whether their device has a clock.
SELECT s.slot_id, s.name AS slot, coalesce((c.options ->> 'clock')::boolean, true) AS has_clock
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN connection c USING (connection_id)
WHERE p.name = %(pilot)s AND s.withdrawn_at IS NULL
ORDER BY s.slot_id

-- name: hours
-- The delays of each slot's hours: least over its channels, which share a clock; the median of the channel that waits least.
SELECT c.slot_id, s.hour, min(s.delay_min_s) AS least_s, min(s.delay_median_s) AS median_s,
       max(date_part('epoch', s.last_at - s.first_at)) AS span_s,
       coalesce(min(date_part('epoch', s.last_at - s.first_at) / nullif(s.n - 1, 0)), 0) AS spacing_s,
       sum(s.n)::bigint AS taken
FROM channel c
JOIN summary s USING (channel_id)
WHERE c.slot_id = ANY (%(slots)s) AND s.hour >= %(start)s AND s.hour < %(end)s AND s.delay_min_s IS NOT NULL
GROUP BY c.slot_id, s.hour

-- name: refused
-- Each slot's closed hours of receipt in which readings were refused for their time: how many of the first so many, and their
-- median delay, from the detail that the intake wrote: 'time = received + 400 s', 'time = start - 400 s' (taken apart by its
-- spaces: a pattern takes ten times as long). A time long before the pilot is a clock that was reset; one shortly before it may
-- be right. Hours that wait for their summary are left out: what was taken in them is not known yet.
WITH spoilt AS (
    SELECT s.slot_id, p.start_at
    FROM slot s
    JOIN pilot p USING (pilot_id)
    WHERE s.slot_id = ANY (%(slots)s) AND EXISTS (
        SELECT FROM rejection r
        WHERE r.slot_id = s.slot_id AND r.reason IN ('in_future', 'before_pilot') AND r.received_at >= %(start)s
    )
)
SELECT spoilt.slot_id, h.hour, count(*) AS refused, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.delay_s) AS refused_s
FROM spoilt
CROSS JOIN generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 hour', interval '1 hour') AS h (hour)
CROSS JOIN LATERAL (
    SELECT CASE WHEN reason = 'in_future' THEN -said_s ELSE said_s + date_part('epoch', received_at - spoilt.start_at) END
           AS delay_s
    FROM (
        SELECT reason, received_at,
               CASE WHEN split_part(detail, ' ', 5) <> '' AND translate(split_part(detail, ' ', 5), '0123456789', '') = ''
                    THEN split_part(detail, ' ', 5)::double precision END AS said_s
        FROM rejection
        WHERE slot_id = spoilt.slot_id AND reason IN ('in_future', 'before_pilot')
          AND received_at >= h.hour AND received_at < h.hour + interval '1 hour' AND item NOT LIKE 'event %%'
        ORDER BY received_at
        LIMIT %(most)s
    ) AS first_ones
    WHERE reason = 'in_future' OR said_s > %(reset_s)s
) AS r
WHERE NOT EXISTS (
    SELECT FROM dirty_hour d JOIN channel c USING (channel_id) WHERE c.slot_id = spoilt.slot_id AND d.hour = h.hour
)
GROUP BY spoilt.slot_id, h.hour
