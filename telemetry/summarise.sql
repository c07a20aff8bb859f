-- name: one_at_a_time
-- A second summariser waits: it would make the same hours.
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: claim_hours
-- Take the marks of the oldest closed hours. A mark set after this statement stays, and so does its hour's turn.
WITH chosen AS (
    SELECT channel_id, hour
    FROM dirty_hour
    WHERE hour < clock_timestamp() - make_interval(hours => 1, secs => %(grace_s)s)
    GROUP BY channel_id, hour
    ORDER BY hour, channel_id
    LIMIT %(most)s
), taken AS (
    DELETE FROM dirty_hour d USING chosen c WHERE d.channel_id = c.channel_id AND d.hour = c.hour
)
SELECT channel_id, hour FROM chosen

-- name: forget_summaries
-- What is made anew.
DELETE FROM summary s USING unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
WHERE s.channel_id = h.channel_id AND s.hour = h.hour

-- name: forget_shares
-- … and its shares. By way of the conditions, so that each row is found by its key however many there are.
DELETE FROM summary_share s
USING unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
JOIN channel c USING (channel_id)
JOIN predicate p ON p.slot_id = c.slot_id AND p.channel = c.name
WHERE s.channel_id = h.channel_id AND s.predicate_id = p.predicate_id AND s.hour = h.hour

-- name: facts
-- What the claimed channels are summarised by: how their readings are joined, and the conditions whose time is counted.
SELECT c.channel_id, c.kind, CASE WHEN c.reporting = 'periodic' THEN c.period_s END AS period_s, c.max_hold_s,
       p.predicate_id, p.low, p.low_closed, p.high, p.high_closed, p.codes
FROM channel c
LEFT JOIN predicate p ON p.slot_id = c.slot_id AND p.channel = c.name
WHERE c.channel_id = ANY (%(channels)s)
ORDER BY c.channel_id, p.predicate_id

-- name: readings_of_hours
-- The readings of channel-hours in the order of time, each hour a row of strings of the binary forms of its values: read
-- like this they cost a quarter of what a row a reading costs. Each hour is one index scan, whose order the strings keep.
-- The span of all of them says the same once more: TimescaleDB then leaves out other chunks once, and not for every hour.
SELECT h.channel_id, h.hour, r.observed_at, r.received_at, r.value, r.flags
FROM unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
JOIN LATERAL (
    SELECT string_agg(timestamptz_send(observed_at), '') AS observed_at,
           string_agg(timestamptz_send(received_at), '') AS received_at,
           string_agg(float8send(value), '') AS value,
           string_agg(int2send(flags), '') AS flags
    FROM (
        SELECT observed_at, received_at, value, flags
        FROM reading
        WHERE channel_id = h.channel_id AND observed_at >= h.hour AND observed_at < h.hour + interval '1 hour'
          AND observed_at >= %(from)s::timestamptz AND observed_at < %(until)s::timestamptz
        ORDER BY observed_at
    ) AS in_time
) AS r ON r.value IS NOT NULL

-- name: add_summaries
-- The rows of the hours.
COPY summary (channel_id, hour, n, n_good, mean, m2, min, max, first_at, first_value, last_at, last_value, integral, covered_s,
              longest_gap_s, missing, last_received, delay_min_s, delay_median_s, delay_max_s, falls)
FROM STDIN (FORMAT binary)

-- name: add_shares
-- … and their seconds in which each condition held.
COPY summary_share (channel_id, hour, predicate_id, true_s, covered_s) FROM STDIN (FORMAT binary)

-- name: pending
-- Closed channel-hours that wait.
SELECT count(*) AS n
FROM (
    SELECT DISTINCT channel_id, hour
    FROM dirty_hour
    WHERE hour < clock_timestamp() - make_interval(hours => 1, secs => %(grace_s)s)
) AS waiting

-- name: mark_pilot
-- Every hour of a pilot that has a summary.
INSERT INTO dirty_hour (channel_id, hour)
SELECT s.channel_id, s.hour
FROM summary s
JOIN channel c USING (channel_id)
JOIN slot USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
