-- name: connection_days
-- What each connection delivered a day.
SELECT c.name AS connection, i.day, i.delivered, i.committed, i.quarantined, i.payload_bytes, i.last_received
FROM intake_connection i
JOIN connection c USING (connection_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND i.day BETWEEN %(first)s AND %(last)s
ORDER BY i.day, c.connection_id

-- name: slot_days
-- What became of what each slot said a day.
SELECT s.name AS slot, i.day, i.decoded, i.stored, i.duplicate, i.conflict, i.rejected, i.last_received
FROM intake_slot i
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND i.day BETWEEN %(first)s AND %(last)s
ORDER BY i.day, s.slot_id

-- name: quarantined
-- Messages that could not be taken, nobody's on the pilot's native topics among them.
SELECT q.quarantine_id, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload, q.payload_bytes,
       q.payload_sha256, q.resolved_at, q.resolution
FROM pilot p
CROSS JOIN LATERAL (
    SELECT own.*
    FROM connection of_pilot
    CROSS JOIN LATERAL (
        SELECT * FROM quarantine
        WHERE connection_id = of_pilot.connection_id AND (resolved_at IS NULL OR NOT %(open_only)s)
        ORDER BY received_at DESC, quarantine_id DESC
        LIMIT %(most)s
    ) AS own
    WHERE of_pilot.pilot_id = p.pilot_id
    UNION ALL
    SELECT nobodys.*
    FROM (
        SELECT * FROM quarantine
        WHERE connection_id IS NULL AND starts_with(topic, 'pilots/' || p.name || '/')
          AND (resolved_at IS NULL OR NOT %(open_only)s)
        ORDER BY received_at DESC, quarantine_id DESC
        LIMIT %(most)s
    ) AS nobodys
) AS q
LEFT JOIN connection c ON c.connection_id = q.connection_id
WHERE p.name = %(pilot)s
ORDER BY q.quarantine_id DESC
LIMIT %(most)s

-- name: rejected
-- Readings and events that were refused on their own.
SELECT r.rejection_id, s.name AS slot, r.received_at, r.topic, r.item, r.observed, r.value, r.reason, r.detail
FROM rejection r
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
ORDER BY r.rejection_id DESC
LIMIT %(most)s

-- name: conflicts
-- Readings that repeat an instant with another value.
SELECT k.conflict_id, s.name AS slot, c.name AS channel, c.unit, k.observed_at, k.received_at, k.value, k.stored_value
FROM conflict k
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
ORDER BY k.conflict_id DESC
LIMIT %(most)s

-- name: rejection_counts
-- Refusals of a window by place and reason.
SELECT s.name AS place, 'rejection' AS kind, r.reason, count(*) AS n
FROM rejection r
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.received_at >= %(start)s AND r.received_at < %(end)s
GROUP BY s.name, r.reason
UNION ALL
SELECT c.name, 'quarantine', q.reason, count(*)
FROM quarantine q
JOIN connection c USING (connection_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND q.received_at >= %(start)s AND q.received_at < %(end)s
GROUP BY c.name, q.reason
UNION ALL
SELECT '', 'quarantine', q.reason, count(*)
FROM quarantine q
WHERE q.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || %(pilot)s || '/')
  AND q.received_at >= %(start)s AND q.received_at < %(end)s
GROUP BY q.reason
ORDER BY n DESC, place, reason

-- name: latest_readings
-- The newest reading of each channel, and whether the plan says that its device has a clock.
SELECT s.name AS slot, c.name AS channel, c.unit, c.kind, c.options, r.observed_at, r.received_at, r.value, r.flags,
    coalesce((k.options ->> 'clock')::boolean, true) AS has_clock
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN connection k ON k.connection_id = s.connection_id
JOIN channel c ON c.slot_id = s.slot_id AND c.valid_to IS NULL
LEFT JOIN LATERAL (
    SELECT observed_at, received_at, value, flags
    FROM reading
    WHERE channel_id = c.channel_id
    ORDER BY observed_at DESC
    LIMIT 1
) AS r ON true
WHERE p.name = %(pilot)s
ORDER BY s.slot_id, c.channel_id
