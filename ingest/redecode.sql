-- name: one_at_a_time
-- Whether nobody else decodes this pilot's messages again; held until the session ends.
SELECT pg_try_advisory_lock(%(lock)s, %(pilot_id)s) AS mine

-- name: let_go
-- The next one may.
SELECT pg_advisory_unlock(%(lock)s, %(pilot_id)s)

-- name: pilot
-- A pilot's number.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s

-- name: earlier_batches
-- What of a pilot was decoded again before, by receipt of the messages.
SELECT message_from, message_until, recorded_at FROM redecoded_batch
WHERE pilot_id = %(pilot_id)s AND message_from < %(until)s AND message_until > %(from)s
ORDER BY message_from, recorded_at

-- name: other_revisions
-- The other revisions of channels.
SELECT c.channel_id AS by_channel_id, other.channel_id, other.slot_id
FROM channel c
JOIN channel other ON other.slot_id = c.slot_id AND other.name = c.name AND other.channel_id <> c.channel_id
WHERE c.channel_id = ANY (%(channels)s)
ORDER BY c.channel_id, other.channel_id

-- name: set_aside_then
-- Which of these messages could not be read when they came either.
SELECT DISTINCT payload_sha256 FROM quarantine WHERE payload_sha256 = ANY (%(hashes)s)

-- name: refused_then
-- Which of these items were refused before, for the same reason.
SELECT DISTINCT g.place
FROM unnest(%(slots)s::int[], %(topics)s::text[], %(items)s::text[], %(observed)s::text[], %(values)s::text[],
            %(reasons)s::text[]) WITH ORDINALITY AS g (slot_id, topic, item, observed, value, reason, place)
JOIN rejection r USING (slot_id, topic, item, observed, value, reason)
WHERE r.received_at >= %(from)s

-- name: observed_on_days
-- Between which instants of observation what a slot sent in a span of receipt lies, by its days.
SELECT min(i.first_observed) AS first_at, max(i.last_observed) AS last_at
FROM intake_slot i
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE i.slot_id = ANY (%(slots)s) AND i.day BETWEEN (%(from)s::timestamptz AT TIME ZONE p.zone)::date
                                                 AND (%(until)s::timestamptz AT TIME ZONE p.zone)::date

-- name: no_longer_stand
-- How many readings of a revision each hour has that came with these batches, and do not stand in for others already.
SELECT date_bin('1 hour', r.observed_at, '2000-01-01T00:00Z') AS hour, count(*) AS n
FROM reading r
WHERE r.channel_id = %(channel_id)s AND r.observed_at >= %(first)s AND r.observed_at <= %(last)s
  AND r.received_at = ANY (%(instants)s::timestamptz[])
  AND NOT EXISTS (SELECT FROM redecoding d WHERE d.channel_id = r.channel_id
                                             AND r.received_at >= d.received_from AND r.received_at < d.received_until)
GROUP BY 1
ORDER BY 1

-- name: came_otherwise
-- The instants of receipt of a revision's other readings in a span of receipt: they came without a raw message that is kept.
SELECT DISTINCT r.received_at
FROM reading r
WHERE r.channel_id = %(channel_id)s AND r.observed_at >= %(first)s AND r.observed_at <= %(last)s
  AND r.received_at >= %(from)s AND r.received_at < %(until)s AND r.received_at <> ALL (%(instants)s::timestamptz[])
ORDER BY 1

-- name: superseded_before
-- Which of these instants of receipt lie in stretches that stand no more already.
SELECT g.received_at
FROM unnest(%(instants)s::timestamptz[]) AS g (received_at)
WHERE EXISTS (SELECT FROM redecoding d WHERE d.channel_id = %(channel_id)s
                                         AND g.received_at >= d.received_from AND g.received_at < d.received_until)

-- name: add_batch
-- Messages that were decoded again.
INSERT INTO redecoded_batch (pilot_id, message_from, message_until, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(from)s, %(until)s, %(at)s, %(who)s)
RETURNING batch_id

-- name: supersede
-- Readings in whose place others stand from now on.
INSERT INTO redecoding (batch_id, channel_id, received_from, received_until, by_channel_id, recorded_at)
SELECT %(batch_id)s, %(channel_id)s, span.from_at, span.until_at, %(by_channel_id)s, %(at)s
FROM unnest(%(froms)s::timestamptz[], %(untils)s::timestamptz[]) AS span (from_at, until_at)

-- name: supersede_hours
-- … and how many of each hour.
INSERT INTO redecoded_hour (channel_id, hour, n, recorded_at)
SELECT %(channel_id)s, h.hour, h.n, %(at)s FROM unnest(%(hours)s::timestamptz[], %(ns)s::int[]) AS h (hour, n)

-- name: stored_at
-- What the store has of channels at instants, the newest revision last.
SELECT c.channel_id, c.revision, c.unit, g.place, r.value, r.received_at
FROM unnest(%(channels)s::int[], %(observed_us)s::bigint[]) WITH ORDINALITY AS g (channel_id, observed_us, place)
JOIN channel new ON new.channel_id = g.channel_id
JOIN channel c ON c.slot_id = new.slot_id AND c.name = new.name
JOIN reading r ON r.channel_id = c.channel_id
             AND r.observed_at = timestamptz '1970-01-01T00:00:00Z' + g.observed_us * interval '1 microsecond'
ORDER BY g.place, c.revision
