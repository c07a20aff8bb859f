-- name: one_at_a_time
-- No summary is made by anybody else until this transaction ends.
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: pilot
-- A pilot's zone and period.
SELECT pilot_id, zone, start_at, end_at FROM pilot WHERE name = %(pilot)s

-- name: hours
-- The channel-hours of a pilot in a window that have a summary or readings, without those which wait to be summarised anyway.
SELECT c.channel_id, c.slot_id, s.name AS slot, c.name AS channel, c.revision, h.hour
FROM slot s
JOIN channel c USING (slot_id)
CROSS JOIN generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 hour', interval '1 hour') AS h (hour)
WHERE s.pilot_id = %(pilot_id)s
  AND (EXISTS (SELECT FROM summary m WHERE m.channel_id = c.channel_id AND m.hour = h.hour)
       OR EXISTS (SELECT FROM summary_share m JOIN predicate p USING (predicate_id)
                  WHERE m.channel_id = c.channel_id AND m.hour = h.hour AND p.slot_id = c.slot_id AND p.channel = c.name)
       OR EXISTS (SELECT FROM reading r
                  WHERE r.channel_id = c.channel_id AND r.observed_at >= h.hour AND r.observed_at < h.hour + interval '1 hour'))
  AND NOT EXISTS (SELECT FROM dirty_hour d WHERE d.channel_id = c.channel_id AND d.hour = h.hour)
ORDER BY c.channel_id, h.hour

-- name: summaries
-- All that is summarised of channel-hours, and nothing of what others add to a summary.
SELECT m.channel_id, m.hour,
       to_jsonb(m) - ARRAY['channel_id', 'hour', 'n_good'] AS summary
FROM unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS g (channel_id, hour)
JOIN summary m USING (channel_id, hour)

-- name: shares
-- The seconds of their conditions.
SELECT m.channel_id, m.hour, m.predicate_id, m.true_s, m.covered_s
FROM unnest(%(channels)s::int[], %(hours)s::timestamptz[]) AS g (channel_id, hour)
JOIN channel c USING (channel_id)
JOIN predicate p ON p.slot_id = c.slot_id AND p.channel = c.name
JOIN summary_share m ON m.channel_id = g.channel_id AND m.hour = g.hour AND m.predicate_id = p.predicate_id

-- name: say
-- When a day was compared, and with what outcome.
INSERT INTO reconciled (pilot_id, day, at, hours, differed)
VALUES (%(pilot_id)s, %(day)s, clock_timestamp(), %(hours)s, %(differed)s)
ON CONFLICT (pilot_id, day) DO UPDATE SET at = excluded.at, hours = excluded.hours, differed = excluded.differed

-- name: days_due
-- Which closed days of a pilot were compared the longest time ago, or never; the newest of those first.
SELECT d.day::date AS day
FROM pilot p
CROSS JOIN generate_series((p.start_at AT TIME ZONE p.zone)::date,
                           least((%(now)s::timestamptz AT TIME ZONE p.zone)::date - 1,
                                 (p.end_at AT TIME ZONE p.zone)::date - 1), interval '1 day') AS d (day)
LEFT JOIN reconciled r ON r.pilot_id = p.pilot_id AND r.day = d.day::date
WHERE p.name = %(pilot)s AND NOT EXISTS (SELECT FROM retired WHERE retired.pilot_id = p.pilot_id)
ORDER BY r.at NULLS FIRST, d.day DESC
LIMIT %(most)s
