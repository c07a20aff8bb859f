-- name: clock
-- The server's clock.
SELECT clock_timestamp() AS now

-- name: hold_registry
-- No plan changes until this transaction ends.
SELECT pg_advisory_xact_lock_shared(%(lock)s)

-- name: one_at_a_time
-- Until this session ends, or lets go.
SELECT pg_try_advisory_lock(%(lock)s) AS mine

-- name: let_go
-- The next one may.
SELECT pg_advisory_unlock(%(lock)s)

-- name: message_counts
-- The raw messages of a pilot that came before an instant.
SELECT count(*) AS blocks, coalesce(sum(n), 0)::bigint AS messages FROM message
WHERE pilot_id = %(pilot_id)s AND received_at < %(before)s

-- name: drop_messages
-- Some of those.
WITH gone AS (
    DELETE FROM message WHERE message_id IN (
        SELECT message_id FROM message WHERE pilot_id = %(pilot_id)s AND received_at < %(before)s
        ORDER BY received_at LIMIT %(most)s)
    RETURNING n
)
SELECT count(*) AS blocks, coalesce(sum(n), 0)::bigint AS messages FROM gone

-- name: say_dropped
-- Up to where messages of a pilot are gone.
INSERT INTO messages_dropped AS d (pilot_id, before, n) VALUES (%(pilot_id)s, %(before)s, %(n)s)
ON CONFLICT (pilot_id) DO UPDATE SET before = greatest(d.before, excluded.before), n = d.n + excluded.n

-- name: payload_counts
-- The quarantined messages of a pilot that came before an instant, and whose payload is still there.
SELECT count(*) AS n
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
WHERE q.payload_dropped_at IS NULL AND q.received_at < %(before)s
  AND CASE WHEN q.connection_id IS NOT NULL THEN c.pilot_id = %(pilot_id)s
           ELSE starts_with(q.topic, 'pilots/' || %(pilot)s || '/') END

-- name: drop_payloads
-- The payloads of some of those. The message, its reason and its hash stay.
UPDATE quarantine SET payload = '', payload_dropped_at = clock_timestamp()
WHERE quarantine_id IN (
    SELECT q.quarantine_id
    FROM quarantine q
    LEFT JOIN connection c USING (connection_id)
    WHERE q.payload_dropped_at IS NULL AND q.received_at < %(before)s
      AND CASE WHEN q.connection_id IS NOT NULL THEN c.pilot_id = %(pilot_id)s
               ELSE starts_with(q.topic, 'pilots/' || %(pilot)s || '/') END
    ORDER BY q.received_at
    LIMIT %(most)s)

-- name: nobodys_payload_counts
-- The same on topics that lie in no pilot's.
SELECT count(*) AS n
FROM quarantine q
WHERE q.payload_dropped_at IS NULL AND q.received_at < %(before)s AND q.connection_id IS NULL
  AND NOT EXISTS (SELECT FROM pilot p WHERE starts_with(q.topic, 'pilots/' || p.name || '/'))

-- name: drop_nobodys_payloads
-- … some of those.
UPDATE quarantine SET payload = '', payload_dropped_at = clock_timestamp()
WHERE quarantine_id IN (
    SELECT q.quarantine_id
    FROM quarantine q
    WHERE q.payload_dropped_at IS NULL AND q.received_at < %(before)s AND q.connection_id IS NULL
      AND NOT EXISTS (SELECT FROM pilot p WHERE starts_with(q.topic, 'pilots/' || p.name || '/'))
    ORDER BY q.received_at
    LIMIT %(most)s)

-- name: channels_of_pilot
-- Every revision of every channel that a pilot has or had.
SELECT c.channel_id FROM channel c JOIN slot s USING (slot_id) WHERE s.pilot_id = %(pilot_id)s ORDER BY c.channel_id

-- name: reading_counts
-- How many readings of some channels there are.
SELECT count(*) AS n FROM reading WHERE channel_id = ANY (%(channels)s)

-- name: reading_span
-- From when to when they are.
SELECT min(observed_at) AS first_at, max(observed_at) AS last_at FROM reading WHERE channel_id = ANY (%(channels)s)

-- name: row_counts
-- What else of a pilot was received.
SELECT (SELECT count(*) FROM event JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s)
     + (SELECT count(*) FROM event_conflict JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s)
     + (SELECT count(*) FROM link_state JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s)
     + (SELECT count(*) FROM rejection JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s)
     + (SELECT count(*) FROM conflict JOIN channel USING (channel_id) JOIN slot USING (slot_id)
        WHERE slot.pilot_id = %(pilot_id)s) AS n

-- name: say_begun
-- From here on readings of the pilot are deleted.
INSERT INTO retired (pilot_id, kept_until, begun_at) VALUES (%(pilot_id)s, %(kept_until)s, clock_timestamp())
ON CONFLICT (pilot_id) DO UPDATE SET kept_until = excluded.kept_until, finished_at = NULL

-- name: say_finished
-- Nothing of it is left.
UPDATE retired SET finished_at = clock_timestamp() WHERE pilot_id = %(pilot_id)s

-- name: retired
-- Since when readings of a pilot are deleted.
SELECT r.begun_at, r.finished_at, r.kept_until FROM retired r JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s

-- name: some_readings
-- Up to where the oldest readings of a channel reach, so many of them.
SELECT min(observed_at) AS first_at, max(observed_at) AS last_at
FROM (SELECT observed_at FROM reading WHERE channel_id = %(channel_id)s ORDER BY observed_at LIMIT %(most)s) AS oldest

-- name: delete_readings
-- Those.
DELETE FROM reading WHERE channel_id = %(channel_id)s AND observed_at >= %(first)s AND observed_at <= %(last)s

-- name: delete_conflicts
-- Some of what came beside a pilot's readings.
DELETE FROM conflict WHERE conflict_id IN (
    SELECT k.conflict_id FROM conflict k JOIN channel USING (channel_id) JOIN slot USING (slot_id)
    WHERE slot.pilot_id = %(pilot_id)s LIMIT %(most)s)

-- name: delete_events
-- Some of its events.
DELETE FROM event WHERE event_id IN (
    SELECT e.event_id FROM event e JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s LIMIT %(most)s)

-- name: delete_event_conflicts
-- Some of the events that repeated a key.
DELETE FROM event_conflict WHERE event_conflict_id IN (
    SELECT e.event_conflict_id FROM event_conflict e JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s LIMIT %(most)s)

-- name: delete_rejections
-- Some of its refusals.
DELETE FROM rejection WHERE rejection_id IN (
    SELECT r.rejection_id FROM rejection r JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s LIMIT %(most)s)

-- name: delete_link_states
-- Some of what was said of its links.
DELETE FROM link_state WHERE (slot_id, at, state) IN (
    SELECT l.slot_id, l.at, l.state FROM link_state l JOIN slot USING (slot_id) WHERE slot.pilot_id = %(pilot_id)s LIMIT %(most)s)

-- name: delete_marks
-- No summary is to be made anew of readings that are gone.
DELETE FROM dirty_hour WHERE channel_id = ANY (%(channels)s)
