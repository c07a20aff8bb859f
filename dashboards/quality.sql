-- name: findings
-- What was found of a pilot that a person may see, the newest first, from after a cursor on.
SELECT f.finding_id, s.name AS slot, c.name AS channel, f.kind, f.start_at, f.end_at, f.value, f.unit, f.detail,
       f.flag, f.recorded_at, f.superseded_at
FROM visible_pilot AS p
JOIN slot s USING (pilot_id)
JOIN finding f USING (slot_id)
LEFT JOIN channel c ON c.channel_id = f.channel_id
WHERE p.person_id = %(person)s AND p.name = %(pilot)s
  AND f.start_at < %(end)s AND f.end_at > %(start)s
  AND (%(kinds)s::text[] IS NULL OR f.kind = ANY (%(kinds)s))
  AND (%(slot)s::text IS NULL OR s.name = %(slot)s)
  AND (%(channel)s::text IS NULL OR c.name = %(channel)s)
  AND (%(superseded)s OR f.superseded_at IS NULL)
  AND (%(after_at)s::timestamptz IS NULL OR (f.start_at, f.finding_id) < (%(after_at)s, %(after_id)s::bigint))
ORDER BY f.start_at DESC, f.finding_id DESC
LIMIT %(most)s

-- name: counts
-- How many findings of each kind there are in a window, of a pilot that a person may see.
SELECT f.kind, count(*) AS n
FROM visible_pilot AS p
JOIN slot s USING (pilot_id)
JOIN finding f USING (slot_id)
WHERE p.person_id = %(person)s AND p.name = %(pilot)s AND f.superseded_at IS NULL
  AND f.start_at < %(end)s AND f.end_at > %(start)s AND (%(slot)s::text IS NULL OR s.name = %(slot)s)
GROUP BY f.kind

-- name: lasting
-- What was found and lasts still, by pilot and kind: of all pilots that a person may see, or of one.
SELECT p.pilot_id, f.kind, count(DISTINCT (f.slot_id, f.channel_id)) AS n
FROM visible_pilot AS p
JOIN slot s USING (pilot_id)
JOIN finding f USING (slot_id)
WHERE p.person_id = %(person)s AND (%(pilot)s::text IS NULL OR p.name = %(pilot)s)
  AND f.superseded_at IS NULL AND f.end_at >= %(since)s AND f.start_at < %(now)s
GROUP BY p.pilot_id, f.kind

-- name: checked
-- Until when the readings of a pilot were judged: up to the first hour that waits, else to the end of its last summary.
SELECT least(min(waiting.hour), max(newest.hour) + interval '1 hour') AS until
FROM visible_pilot AS p
JOIN slot s USING (pilot_id)
JOIN channel c USING (slot_id)
LEFT JOIN LATERAL (SELECT hour FROM summary WHERE channel_id = c.channel_id ORDER BY hour DESC LIMIT 1) AS newest ON true
LEFT JOIN LATERAL (SELECT hour FROM quality_hour WHERE channel_id = c.channel_id ORDER BY hour LIMIT 1) AS waiting ON true
WHERE p.person_id = %(person)s AND p.name = %(pilot)s

-- name: agreed_last
-- When something was last agreed on, or withdrawn, for a pilot: what a kept calendar depends on beside its readings.
SELECT greatest(
    (SELECT max(greatest(recorded_at, superseded_at)) FROM outage WHERE pilot_id = %(pilot_id)s),
    (SELECT max(greatest(recorded_at, superseded_at)) FROM exclusion WHERE pilot_id = %(pilot_id)s)
) AS at
