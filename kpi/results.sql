-- name: lock_pilot
-- One writer of results of a pilot at a time.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s FOR NO KEY UPDATE

-- name: newest
-- The newest version of one result.
SELECT r.result_id, r.version, r.plan_version, r.as_of, r.evaluated_at, r.code_version, r.sha256, r.document, r.difference
FROM result r JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.kind = %(kind)s AND r.label = %(label)s
ORDER BY r.version DESC
LIMIT 1

-- name: versions
-- All versions of a pilot's results, of one kind and label or of all, the oldest first.
SELECT r.result_id, r.kind, r.label, r.version, r.plan_version, r.as_of, r.evaluated_at, r.code_version, r.sha256,
    r.document, r.difference
FROM result r JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
  AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
  AND (%(label)s::text IS NULL OR r.label = %(label)s)
ORDER BY r.kind, r.label, r.version

-- name: add
-- One more version.
INSERT INTO result (pilot_id, kind, label, version, plan_version, as_of, code_version, sha256, document, difference)
VALUES (%(pilot_id)s, %(kind)s, %(label)s, %(version)s, %(plan_version)s, %(as_of)s, %(code_version)s, %(sha256)s,
    %(document)s, %(difference)s)
RETURNING result_id

-- name: received_since
-- Readings of a window that were received after one instant and up to another. Only the hours that got any are read.
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
SELECT count(*) AS n
FROM touched t
JOIN reading r ON r.channel_id = t.channel_id AND r.observed_at >= t.hour AND r.observed_at < t.hour + interval '1 hour'
WHERE r.observed_at >= %(start)s AND r.observed_at < %(end)s
  AND r.received_at > %(after)s AND r.received_at <= %(until)s

-- name: events_since
-- Events and link states of a window that were received after one instant and up to another.
SELECT
    (SELECT count(*) FROM event e JOIN slot USING (slot_id)
     WHERE slot.pilot_id = %(pilot_id)s AND e.at >= %(start)s AND e.at < %(end)s
       AND e.received_at > %(after)s AND e.received_at <= %(until)s) AS events,
    (SELECT count(*) FROM link_state l JOIN slot USING (slot_id)
     WHERE slot.pilot_id = %(pilot_id)s AND l.at >= %(start)s AND l.at < %(end)s
       AND l.received_at > %(after)s AND l.received_at <= %(until)s) AS link_states
