-- name: take_slots
-- Whoever records findings of a slot goes alone.
SELECT slot_id FROM slot WHERE slot_id = ANY (%(slots)s) ORDER BY slot_id FOR NO KEY UPDATE

-- name: current
-- What is held true now of one kind, in the scopes and the window that are judged anew.
SELECT f.finding_id, f.slot_id, f.channel_id, f.start_at, f.end_at, f.value, f.unit, f.detail, f.flag
FROM unnest(%(slots)s::int[], %(channels)s::int[]) AS scope (slot_id, channel_id)
JOIN finding f ON f.slot_id = scope.slot_id AND f.channel_id IS NOT DISTINCT FROM scope.channel_id
WHERE f.kind = %(kind)s AND f.superseded_at IS NULL AND f.start_at < %(end)s AND f.end_at > %(start)s

-- name: supersede
-- What is no longer held true.
UPDATE finding SET superseded_at = %(at)s WHERE finding_id = ANY (%(findings)s)

-- name: insert
-- A finding that is new, or takes the place of another.
INSERT INTO finding (slot_id, channel_id, kind, start_at, end_at, value, unit, detail, flag, recorded_at)
VALUES (%(slot)s, %(channel)s, %(kind)s, %(start)s, %(end)s, %(value)s, %(unit)s, %(detail)s, %(flag)s, %(at)s)

-- name: findings
-- What is, or at an instant was, held true of a pilot's slots in a window.
SELECT f.finding_id, s.name AS slot, c.name AS channel, f.kind, f.start_at, f.end_at, f.value, f.unit, f.detail,
       f.flag, f.recorded_at, f.superseded_at
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN finding f USING (slot_id)
LEFT JOIN channel c ON c.channel_id = f.channel_id
WHERE p.name = %(pilot)s AND f.start_at < %(end)s AND f.end_at > %(start)s
  AND (%(kind)s::text IS NULL OR f.kind = %(kind)s)
  AND CASE WHEN %(as_of)s::timestamptz IS NULL THEN f.superseded_at IS NULL
           ELSE f.recorded_at <= %(as_of)s AND (f.superseded_at IS NULL OR f.superseded_at > %(as_of)s) END
ORDER BY f.start_at, s.slot_id, f.channel_id NULLS FIRST, f.kind, f.finding_id
