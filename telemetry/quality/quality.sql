-- name: waiting
-- The channels with hours that wait to be judged.
SELECT p.name AS pilot, s.slot_id, s.name AS slot, c.name AS channel
FROM (SELECT DISTINCT channel_id FROM quality_hour) AS q
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE %(pilot)s::text IS NULL OR p.name = %(pilot)s
GROUP BY p.name, s.slot_id, s.name, c.name
ORDER BY p.name, s.slot_id, c.name

-- name: pending
-- How many channel-hours wait.
SELECT count(*) AS n FROM (SELECT DISTINCT channel_id, hour FROM quality_hour) AS waiting

-- name: due
-- How many channel-hours of a pilot before an instant got readings and were not judged since: they wait to be, or for their summary.
SELECT count(*) AS n
FROM (
    SELECT channel_id, hour FROM quality_hour WHERE hour < %(until)s
    UNION
    SELECT channel_id, hour FROM dirty_hour WHERE hour < %(until)s
) AS waiting
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s

-- name: take_slot
-- Whoever judges a slot goes alone.
SELECT slot_id FROM slot WHERE slot_id = %(slot)s FOR NO KEY UPDATE

-- name: claim
-- Take the marks of a channel's oldest hours. A mark set after this statement stays, and so does its hour's turn.
WITH chosen AS (
    SELECT DISTINCT hour FROM quality_hour WHERE channel_id = ANY (%(channels)s) ORDER BY hour LIMIT %(most)s
), taken AS (
    DELETE FROM quality_hour q USING chosen c WHERE q.channel_id = ANY (%(channels)s) AND q.hour = c.hour
)
SELECT hour FROM chosen ORDER BY hour

-- name: mark_pilot
-- Every hour of a pilot that has a summary.
INSERT INTO quality_hour (channel_id, hour)
SELECT s.channel_id, s.hour
FROM summary s
JOIN channel c USING (channel_id)
JOIN slot USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s

-- name: nearest
-- When a channel had its last reading before a window and its first one from its end on, whichever revision decoded them. Revision
-- by revision, since only then the key's order serves and nothing is sorted.
SELECT max(before.observed_at) AS before_at, min(after.observed_at) AS after_at,
       (array_agg(before.value ORDER BY before.observed_at DESC NULLS LAST, before.value DESC))[1] AS before_value,
       (array_agg(after.value ORDER BY after.observed_at NULLS LAST, after.value DESC))[1] AS after_value
FROM unnest(%(channels)s::int[]) AS c (channel_id)
LEFT JOIN LATERAL (
    SELECT observed_at, value FROM reading
    WHERE channel_id = c.channel_id AND observed_at < %(start)s ORDER BY observed_at DESC LIMIT 1
) AS before ON true
LEFT JOIN LATERAL (
    SELECT observed_at, value FROM reading
    WHERE channel_id = c.channel_id AND observed_at >= %(end)s ORDER BY observed_at LIMIT 1
) AS after ON true

-- name: forget_runs
-- What is judged anew.
DELETE FROM quality_run WHERE channel_id = %(channel)s AND hour >= %(start)s AND hour < %(end)s

-- name: add_runs
-- The stretches of hours.
INSERT INTO quality_run (channel_id, kind, hour, start_at, end_at, suspect, fail, low, high, amount, excess, dense)
SELECT %(channel)s, r.kind, '1970-01-01T00:00Z'::timestamptz + r.hour_us * interval '1 microsecond',
       '1970-01-01T00:00Z'::timestamptz + r.start_us * interval '1 microsecond',
       '1970-01-01T00:00Z'::timestamptz + r.end_us * interval '1 microsecond',
       r.suspect, r.fail, r.low, r.high, r.amount, r.excess, r.dense
FROM unnest(%(kind)s::text[], %(hour_us)s::bigint[], %(start_us)s::bigint[], %(end_us)s::bigint[], %(suspect)s::int[],
            %(fail)s::int[], %(low)s::float8[], %(high)s::float8[], %(amount)s::float8[], %(excess)s::float8[],
            %(dense)s::boolean[])
     AS r (kind, hour_us, start_us, end_us, suspect, fail, low, high, amount, excess, dense)

-- name: touching
-- From when to when findings and stretches of one kind reach that touch a span.
SELECT least(min(start_at), %(start)s::timestamptz) AS start_at, greatest(max(end_at), %(end)s::timestamptz) AS end_at,
       count(*) AS n
FROM (
    SELECT start_at, end_at FROM finding
    WHERE slot_id = %(slot)s AND channel_id = %(channel)s AND kind = %(kind)s AND superseded_at IS NULL
      AND start_at <= %(end)s AND end_at >= %(start)s
    UNION ALL
    SELECT start_at, end_at FROM quality_run
    WHERE channel_id = %(channel)s AND kind = %(kind)s AND start_at <= %(end)s AND end_at >= %(start)s
) AS touching

-- name: runs
-- The stretches of one kind that touch a span.
SELECT hour, start_at, end_at, suspect, fail, low, high, amount, excess, dense
FROM quality_run
WHERE channel_id = %(channel)s AND kind = %(kind)s AND start_at <= %(end)s AND end_at >= %(start)s

-- name: failing
-- The findings about single readings that touch a span and say that they cannot be.
SELECT start_at, end_at
FROM finding
WHERE slot_id = %(slot)s AND channel_id = %(channel)s AND kind = ANY (%(kinds)s) AND flag = 4 AND superseded_at IS NULL
  AND start_at <= %(end)s AND end_at >= %(start)s

-- name: count_good
-- Count the readings of hours that lie in none of those. An hour that is just being summarised is left to the next judgement,
-- which its new summary calls for: so whoever summarises never waits for whoever judges, while that one waits.
WITH touched AS (
    SELECT channel_id, hour, n, n_good
    FROM summary
    WHERE channel_id = ANY (%(channels)s) AND hour >= %(start)s AND hour < %(end)s
    FOR NO KEY UPDATE SKIP LOCKED
), bad AS (
    SELECT unnest(range_agg(tstzrange(start_at, end_at))) AS span
    FROM finding
    WHERE slot_id = %(slot)s AND channel_id = %(channel)s AND kind = ANY (%(kinds)s) AND flag = 4 AND superseded_at IS NULL
      AND start_at < %(end)s AND end_at > %(start)s
), counted AS (
    SELECT r.channel_id, date_bin('1 hour', r.observed_at, 'epoch') AS hour, count(*)::int AS n
    FROM bad
    JOIN reading r ON r.observed_at >= lower(bad.span) AND r.observed_at < upper(bad.span)
    WHERE r.channel_id = ANY (%(channels)s) AND r.observed_at >= %(start)s AND r.observed_at < %(end)s
    GROUP BY 1, 2
)
UPDATE summary s SET n_good = greatest(t.n - coalesce(c.n, 0), 0)
FROM touched t
LEFT JOIN counted c ON c.channel_id = t.channel_id AND c.hour = t.hour
WHERE s.channel_id = t.channel_id AND s.hour = t.hour AND t.n_good <> greatest(t.n - coalesce(c.n, 0), 0)

-- name: expected
-- From when to when each channel of a pilot is expected to report: within the period, since it was declared and a device stood in
-- its slot, until it, its slot or its connection was withdrawn.
SELECT s.slot_id, c.name AS channel,
       greatest(p.start_at, min(c.valid_from),
                (SELECT min(installed_at) FROM installation i WHERE i.slot_id = s.slot_id)) AS start_at,
       least(p.end_at, s.withdrawn_at, n.withdrawn_at,
             CASE WHEN bool_and(c.valid_to IS NOT NULL) THEN max(c.valid_to) END) AS end_at
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN connection n USING (connection_id)
JOIN channel c USING (slot_id)
WHERE p.name = %(pilot)s
GROUP BY p.start_at, p.end_at, s.slot_id, s.withdrawn_at, n.withdrawn_at, c.name

-- name: changes
-- What changed at a slot: one device, model or firmware after another, from when the one went to when the other came.
SELECT start_at, end_at, old_serial, old_model, old_firmware, serial, model, firmware,
       CASE WHEN old_serial <> serial THEN 'device' WHEN old_model IS DISTINCT FROM model THEN 'model'
            WHEN old_firmware IS DISTINCT FROM firmware THEN 'firmware' ELSE 'installed_again' END AS cause
FROM (
    SELECT least(lag(removed_at) OVER in_time, installed_at) AS start_at, installed_at AS end_at, serial, model, firmware,
           lag(serial) OVER in_time AS old_serial, lag(model) OVER in_time AS old_model,
           lag(firmware) OVER in_time AS old_firmware
    FROM installation
    WHERE slot_id = %(slot)s AND (removed_at IS NULL OR removed_at > installed_at)
    WINDOW in_time AS (ORDER BY installed_at, installation_id)
) AS step
WHERE old_serial IS NOT NULL
ORDER BY end_at

-- name: left_out
-- The stretches of a channel, and of its slot as a whole, that findings of some kinds cover in a window; as they were held true
-- at an instant, if one is given.
SELECT f.kind, f.start_at, f.end_at
FROM finding f
WHERE f.slot_id = %(slot)s AND (f.channel_id = ANY (%(channels)s) OR f.channel_id IS NULL) AND f.kind = ANY (%(kinds)s)
  AND f.start_at < %(end)s AND f.end_at > %(start)s AND f.flag >= %(least)s
  AND CASE WHEN %(as_of)s::timestamptz IS NULL THEN f.superseded_at IS NULL
           ELSE f.recorded_at <= %(as_of)s AND (f.superseded_at IS NULL OR f.superseded_at > %(as_of)s) END
ORDER BY f.start_at, f.end_at, f.kind

-- name: agreed
-- What was agreed of a pilot's slots, and touches a window: outages and intervals left out of judgement; as of an instant, if given.
SELECT s.slot_id, 'outage' AS what, o.start_at, o.end_at
FROM outage o
JOIN slot s ON s.pilot_id = o.pilot_id AND (o.slot_ids IS NULL OR s.slot_id = ANY (o.slot_ids))
JOIN pilot p ON p.pilot_id = o.pilot_id
WHERE p.name = %(pilot)s AND o.start_at < %(end)s AND o.end_at > %(start)s
  AND CASE WHEN %(as_of)s::timestamptz IS NULL THEN o.superseded_at IS NULL
           ELSE o.recorded_at <= %(as_of)s AND (o.superseded_at IS NULL OR o.superseded_at > %(as_of)s) END
UNION ALL
SELECT e.slot_id, 'exclusion', e.start_at, e.end_at
FROM exclusion e
JOIN pilot p ON p.pilot_id = e.pilot_id
WHERE p.name = %(pilot)s AND e.start_at < %(end)s AND e.end_at > %(start)s
  AND CASE WHEN %(as_of)s::timestamptz IS NULL THEN e.superseded_at IS NULL
           ELSE e.recorded_at <= %(as_of)s AND (e.superseded_at IS NULL OR e.superseded_at > %(as_of)s) END
ORDER BY 1, 3, 4, 2

-- name: pilot
-- A pilot's zone and period.
SELECT zone, start_at, end_at FROM pilot WHERE name = %(pilot)s
