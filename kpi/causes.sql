-- name: received_since
-- Readings of a window that were received after one instant and up to another; those of messages set aside and replayed, and of
-- messages decoded again, apart.
-- Only the hours that got any are read.
WITH touched AS (
    SELECT s.channel_id, s.hour
    FROM summary s
    JOIN channel c USING (channel_id)
    JOIN slot USING (slot_id)
    WHERE slot.pilot_id = %(pilot_id)s AND s.hour >= %(start)s::timestamptz - interval '1 hour' AND s.hour < %(end)s
      AND s.last_received > %(after)s
    UNION
    SELECT d.channel_id, d.hour
    FROM dirty_hour d
    JOIN channel c USING (channel_id)
    JOIN slot USING (slot_id)
    WHERE slot.pilot_id = %(pilot_id)s AND d.hour >= %(start)s::timestamptz - interval '1 hour' AND d.hour < %(end)s
)
SELECT count(*) FILTER (WHERE r.flags & %(replayed)s = 0) AS live,
    count(*) FILTER (WHERE r.flags & %(replayed)s <> 0 AND r.flags & %(redecoded)s = 0) AS replayed,
    count(*) FILTER (WHERE r.flags & %(redecoded)s <> 0) AS redecoded
FROM touched t
JOIN reading r ON r.channel_id = t.channel_id AND r.observed_at >= t.hour AND r.observed_at < t.hour + interval '1 hour'
WHERE r.observed_at >= %(start)s AND r.observed_at < %(end)s
  AND r.received_at > %(after)s AND r.received_at <= %(until)s

-- name: events_since
-- Events and link states of a window that were received after one instant and up to another.
SELECT count(*) FILTER (WHERE e.flags & %(replayed)s = 0) AS live,
    count(*) FILTER (WHERE e.flags & %(replayed)s <> 0 AND e.flags & %(redecoded)s = 0) AS replayed,
    count(*) FILTER (WHERE e.flags & %(redecoded)s <> 0) AS redecoded,
    (SELECT count(*) FROM link_state l JOIN slot USING (slot_id)
     WHERE slot.pilot_id = %(pilot_id)s AND l.at >= %(start)s AND l.at < %(end)s
       AND l.received_at > %(after)s AND l.received_at <= %(until)s) AS link_states
FROM event e
JOIN slot USING (slot_id)
WHERE slot.pilot_id = %(pilot_id)s AND e.at >= %(start)s AND e.at < %(end)s
  AND e.received_at > %(after)s AND e.received_at <= %(until)s

-- name: superseded_since
-- How many readings of a window's hours stand no more since messages were decoded again after one instant and up to another.
SELECT coalesce(sum(g.n), 0)::bigint AS n
FROM redecoded_hour g
JOIN channel c USING (channel_id)
JOIN slot USING (slot_id)
WHERE slot.pilot_id = %(pilot_id)s AND g.hour > %(start)s::timestamptz - interval '1 hour' AND g.hour < %(end)s
  AND g.recorded_at > %(after)s AND g.recorded_at <= %(until)s

-- name: agreed_since
-- Outages, exclusions and what people entered of a window that were recorded or withdrawn after one instant and up to another.
SELECT what, id, recorded_at > %(after)s AS added
FROM (
    SELECT 'outage' AS what, outage_id AS id, start_at, end_at, recorded_at, superseded_at FROM outage
    WHERE pilot_id = %(pilot_id)s
    UNION ALL
    SELECT 'exclusion', exclusion_id, start_at, end_at, recorded_at, superseded_at FROM exclusion
    WHERE pilot_id = %(pilot_id)s
    UNION ALL
    SELECT 'manual', manual_id, start_at, end_at + interval '1 microsecond', recorded_at, superseded_at FROM manual_value
    WHERE pilot_id = %(pilot_id)s
) AS record
WHERE start_at < %(end)s AND end_at > %(start)s
  AND (   (recorded_at > %(after)s AND recorded_at <= %(until)s
           AND (superseded_at IS NULL OR superseded_at > %(until)s))
       OR (recorded_at <= %(after)s AND superseded_at > %(after)s AND superseded_at <= %(until)s))
ORDER BY what DESC, id

-- name: labels_since
-- Truth labels of a window that were recorded or withdrawn after one instant and up to another.
SELECT count(*) FILTER (WHERE recorded_at > %(after)s AND (superseded_at IS NULL OR superseded_at > %(until)s)) AS added,
       count(*) FILTER (WHERE recorded_at <= %(after)s AND superseded_at > %(after)s AND superseded_at <= %(until)s)
           AS withdrawn
FROM label
WHERE pilot_id = %(pilot_id)s AND start_at < %(end)s AND end_at >= %(start)s AND recorded_at <= %(until)s

-- name: swaps_since
-- Slots whose devices changed in a window, where that was recorded after one instant and up to another.
SELECT DISTINCT s.name AS slot
FROM installation i
JOIN slot s USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s
  AND (   (i.recorded_at > %(after)s AND i.recorded_at <= %(until)s AND i.installed_at < %(end)s
           AND coalesce(i.removed_at, 'infinity') > %(start)s)
       OR (i.removal_recorded_at > %(after)s AND i.removal_recorded_at <= %(until)s AND i.removed_at > %(start)s
           AND i.removed_at < %(end)s))
ORDER BY s.name

-- name: amendments_since
-- Versions of the plan that came with an amendment of their own, after one version and up to another.
SELECT v.version, v.amendment
FROM plan_version v
JOIN plan_version b ON b.pilot_id = v.pilot_id AND b.version = v.version - 1
WHERE v.pilot_id = %(pilot_id)s AND v.version > %(before)s AND v.version <= %(after)s
  AND v.amendment IS NOT NULL AND v.amendment IS DISTINCT FROM b.amendment
ORDER BY v.version
