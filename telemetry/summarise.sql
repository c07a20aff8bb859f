-- name: one_at_a_time
-- A second summariser waits: it would make the same hours.
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: in_order
-- Float sums depend on their order: no parallel plan in this transaction.
SET LOCAL max_parallel_workers_per_gather = 0

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
-- … and its shares.
DELETE FROM summary_share s USING unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
WHERE s.channel_id = h.channel_id AND s.hour = h.hour

-- name: make_summaries
-- One row a channel-hour from its readings in the order of time. Straight lines between gauges, steps between states.
-- Each hour is one index scan whose order the window and the aggregates keep: only the delays are sorted, for their median.
-- Delays are those of live readings: of flags (telemetry/batch.py) none of ARRIVAL_TIME, RETAINED, LOADED, REPLAYED, which
-- are 1 + 2 + 8 + 16. date_part and not extract, which computes in numeric, at a fifth of the statement's cost; the values at
-- the hour's ends looked up, and not kept in order with all the others: that pays for the delays. Steps down are counted for
-- counters alone, in a scan of their own that no other channel pays for.
INSERT INTO summary (channel_id, hour, n, n_good, mean, m2, min, max, first_at, first_value, last_at, last_value,
                     integral, covered_s, longest_gap_s, missing, last_received, delay_min_s, delay_median_s, delay_max_s,
                     falls)
SELECT h.channel_id, h.hour, s.n, s.n, s.mean, s.m2, s.low, s.high,
       s.first_at, (SELECT value FROM reading WHERE channel_id = h.channel_id AND observed_at = s.first_at),
       s.last_at, (SELECT value FROM reading WHERE channel_id = h.channel_id AND observed_at = s.last_at),
       s.integral, s.covered_s, s.longest_gap_s, s.missing, s.last_received,
       s.delay_min_s, s.delay_median_s, s.delay_max_s,
       CASE WHEN c.kind = 'counter' THEN (
           SELECT count(*)
           FROM (
               SELECT value, lag(value) OVER (ORDER BY observed_at) AS before
               FROM reading
               WHERE channel_id = h.channel_id AND observed_at >= h.hour AND observed_at < h.hour + interval '1 hour'
           ) AS step
           WHERE value < before
       ) END
FROM unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
JOIN channel c USING (channel_id)
JOIN LATERAL (
    SELECT count(*) AS n, avg(value) AS mean, coalesce(regr_sxx(value, value), 0) AS m2,
           min(value) AS low, max(value) AS high, min(observed_at) AS first_at, max(observed_at) AS last_at,
           coalesce(sum(height * gap_s) FILTER (WHERE joined), 0) AS integral,
           coalesce(sum(gap_s) FILTER (WHERE joined), 0) AS covered_s,
           coalesce(max(gap_s), 0) AS longest_gap_s,
           coalesce(sum(greatest(round(gap_s / CASE WHEN c.reporting = 'periodic' THEN c.period_s END) - 1, 0)), 0) AS missing,
           max(received_at) AS last_received,
           min(delay_s) AS delay_min_s, percentile_cont(0.5) WITHIN GROUP (ORDER BY delay_s) AS delay_median_s,
           max(delay_s) AS delay_max_s
    FROM (
        SELECT observed_at, received_at, value, gap_s, delay_s,
               c.max_hold_s IS NULL OR gap_s <= c.max_hold_s AS joined,
               CASE WHEN c.kind = 'state' THEN value ELSE (value + next_value) / 2 END AS height
        FROM (
            SELECT observed_at, received_at, value, lead(value) OVER in_time AS next_value,
                   date_part('epoch', lead(observed_at) OVER in_time - observed_at) AS gap_s,
                   CASE WHEN flags & 27 = 0 THEN date_part('epoch', received_at - observed_at) END AS delay_s
            FROM reading
            WHERE channel_id = h.channel_id AND observed_at >= h.hour AND observed_at < h.hour + interval '1 hour'
            WINDOW in_time AS (ORDER BY observed_at)
        ) AS step
    ) AS r
) AS s ON s.n > 0

-- name: make_shares
-- Seconds of each hour in which each predicate held. A reading stands until the next one, its hold or the end of its hour.
INSERT INTO summary_share (channel_id, hour, predicate_id, true_s, covered_s)
SELECT c.channel_id, h.hour, p.predicate_id,
       coalesce(sum(r.stands_s) FILTER (WHERE
           (p.codes IS NULL OR r.value = ANY (p.codes))
           AND (p.low IS NULL OR r.value > p.low OR (p.low_closed AND r.value = p.low))
           AND (p.high IS NULL OR r.value < p.high OR (p.high_closed AND r.value = p.high))), 0),
       sum(r.stands_s)
FROM unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS h (channel_id, hour)
JOIN channel c USING (channel_id)
JOIN predicate p ON p.slot_id = c.slot_id AND p.channel = c.name
JOIN LATERAL (
    SELECT value,
           extract(epoch FROM least(
               lead(observed_at) OVER (ORDER BY observed_at), h.hour + interval '1 hour',
               observed_at + make_interval(secs => c.max_hold_s)) - observed_at) AS stands_s
    FROM reading
    WHERE channel_id = h.channel_id AND observed_at >= h.hour AND observed_at < h.hour + interval '1 hour'
) AS r ON true
WHERE c.max_hold_s IS NOT NULL
GROUP BY c.channel_id, h.hour, p.predicate_id

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
