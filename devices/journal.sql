-- name: denials
-- What the broker did not take of a pilot's connections, of strangers on its native topics, and of nobody at all.
SELECT d.hour, d.username, c.name AS connection, d.topic, d.reason, d.n, d.first_at, d.last_at
FROM pilot p
JOIN connection c USING (pilot_id)
JOIN denial d USING (connection_id)
WHERE p.name = %(pilot)s AND d.last_at >= %(since)s
UNION ALL
SELECT d.hour, d.username, NULL, d.topic, d.reason, d.n, d.first_at, d.last_at
FROM denial d
WHERE d.connection_id IS NULL AND d.last_at >= %(since)s
  AND (starts_with(d.topic, 'pilots/' || %(pilot)s || '/') OR (d.username = '' AND d.topic = ''))
ORDER BY last_at DESC, username, topic, reason

-- name: contacts
-- When each connection of a pilot was last seen at the broker.
SELECT c.name AS connection, k.connected_at, k.disconnected_at, k.disconnected_why AS why
FROM pilot p
JOIN connection c USING (pilot_id)
JOIN contact k USING (connection_id)
WHERE p.name = %(pilot)s
ORDER BY c.connection_id

-- name: begin_log
-- A log that is read for the first time, or stands under a new name: then its file tells how far it was read.
INSERT INTO broker_log_position (log, file_id, position)
SELECT %(log)s::text, coalesce(o.file_id, ''), coalesce(o.position, 0)
FROM (SELECT) AS once
LEFT JOIN LATERAL (
    SELECT file_id, position FROM broker_log_position WHERE file_id = ANY(%(files)s::text[]) ORDER BY position DESC LIMIT 1
) o ON true
ON CONFLICT (log) DO NOTHING

-- name: place
-- How far a log was read, locked for whoever reads on.
SELECT file_id, position FROM broker_log_position WHERE log = %(log)s FOR UPDATE

-- name: move
-- How far it is read now.
UPDATE broker_log_position SET file_id = %(file_id)s, position = %(position)s WHERE log = %(log)s

-- name: known_users
-- Which of some user names are the registry's.
SELECT username FROM connection WHERE username = ANY(%(usernames)s::text[])

-- name: topics_of_hours
-- Which topics are told apart already, by hour and user.
SELECT DISTINCT d.hour, d.username, d.topic
FROM denial d
JOIN unnest(%(hours)s::timestamptz[], %(usernames)s::text[]) AS w (hour, username) USING (hour, username)

-- name: add_denials
-- More of what the broker did not take.
INSERT INTO denial (hour, username, connection_id, topic, reason, n, first_at, last_at)
SELECT w.hour, w.username, c.connection_id, w.topic, w.reason, w.n, w.first_at, w.last_at
FROM unnest(%(hours)s::timestamptz[], %(usernames)s::text[], %(topics)s::text[], %(reasons)s::text[], %(counts)s::bigint[],
            %(first)s::timestamptz[], %(last)s::timestamptz[])
    AS w (hour, username, topic, reason, n, first_at, last_at)
LEFT JOIN connection c USING (username)
ON CONFLICT (hour, username, topic, reason) DO UPDATE
SET n = denial.n + excluded.n, connection_id = excluded.connection_id,
    first_at = least(denial.first_at, excluded.first_at), last_at = greatest(denial.last_at, excluded.last_at)

-- name: known_contacts
-- The users seen so far: all of them, or those of some names.
SELECT username, connected_at, disconnected_at, disconnected_why AS why
FROM contact
WHERE %(everybody)s::boolean OR username = ANY(%(usernames)s::text[])

-- name: set_contacts
-- When users were last seen.
INSERT INTO contact (username, connection_id, connected_at, disconnected_at, disconnected_why)
SELECT w.username, c.connection_id, w.connected_at, w.disconnected_at, w.why
FROM unnest(%(usernames)s::text[], %(connected)s::timestamptz[], %(disconnected)s::timestamptz[], %(whys)s::text[])
    AS w (username, connected_at, disconnected_at, why)
LEFT JOIN connection c USING (username)
ON CONFLICT (username) DO UPDATE
SET connection_id = excluded.connection_id, connected_at = excluded.connected_at,
    disconnected_at = excluded.disconnected_at, disconnected_why = excluded.disconnected_why

-- name: forget
-- Denials that nobody asks for any more.
DELETE FROM denial WHERE last_at < %(before)s
