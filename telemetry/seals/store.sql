-- name: keys
-- Every key, the oldest first.
SELECT fingerprint, public_key, statement, signature, signed_by, recorded_at FROM seal_key ORDER BY recorded_at, fingerprint

-- name: add_key
-- A key that is there already stays as it is.
INSERT INTO seal_key (fingerprint, public_key, statement, signature, signed_by)
VALUES (%(fingerprint)s, %(public_key)s, %(statement)s, %(signature)s, %(signed_by)s)
ON CONFLICT DO NOTHING

-- name: pilot
-- A pilot and the first day that it has anything of: the day it was registered, or of the first receipt before.
SELECT p.pilot_id, p.name, p.zone,
       least((p.created_at AT TIME ZONE p.zone)::date,
             (SELECT min(i.day) FROM slot s JOIN intake_slot i USING (slot_id) WHERE s.pilot_id = p.pilot_id),
             (SELECT min(i.day) FROM connection c JOIN intake_connection i USING (connection_id)
              WHERE c.pilot_id = p.pilot_id)) AS first_day
FROM pilot p
WHERE p.name = %(pilot)s

-- name: pilots
-- All of them.
SELECT name FROM pilot ORDER BY name

-- name: plan_at
-- The plan that was in force before an instant, or the first one.
SELECT version, sha256
FROM plan_version
WHERE pilot_id = %(pilot_id)s
ORDER BY recorded_at < %(end)s DESC, CASE WHEN recorded_at < %(end)s THEN version END DESC, version
LIMIT 1

-- name: lock
-- Whoever seals a pilot goes alone.
SELECT pg_advisory_xact_lock(%(class)s::int, %(pilot_id)s::int)

-- name: await_writers
-- Granted once no transaction is left that writes to these tables; let go at the end of this one.
LOCK TABLE audit, opinion, result IN SHARE MODE

-- name: wait_for_locks
-- … but not for ever: the job comes again.
SET LOCAL lock_timeout = '60s'

-- name: seals
-- A pilot's seals in the order of their chain.
SELECT s.seal_id, s.pilot_id, s.number, s.day, s.interim, s.epoch, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, s.recorded_at, t.authority, t.stamped_at, t.token
FROM pilot p JOIN seal s USING (pilot_id) LEFT JOIN seal_timestamp t USING (seal_id)
WHERE p.name = %(pilot)s AND s.number >= %(from_number)s
ORDER BY s.number

-- name: recent
-- A pilot's newest seals, the newest first; those before a number.
SELECT s.seal_id, s.pilot_id, s.number, s.day, s.interim, s.epoch, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, s.recorded_at, t.authority, t.stamped_at, t.token
FROM pilot p JOIN seal s USING (pilot_id) LEFT JOIN seal_timestamp t USING (seal_id)
WHERE p.name = %(pilot)s AND (%(before)s::integer IS NULL OR s.number < %(before)s)
ORDER BY s.number DESC
LIMIT %(most)s

-- name: newest
-- The last seals of a pilot: of all, and of whole days.
SELECT s.seal_id, s.pilot_id, s.number, s.day, s.interim, s.epoch, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, s.recorded_at, t.authority, t.stamped_at, t.token
FROM seal s LEFT JOIN seal_timestamp t USING (seal_id)
WHERE s.pilot_id = %(pilot_id)s
  AND s.number IN ((SELECT max(number) FROM seal WHERE pilot_id = %(pilot_id)s),
                   (SELECT max(number) FROM seal WHERE pilot_id = %(pilot_id)s AND NOT interim))
ORDER BY s.number

-- name: head_before
-- The newest seal of a pilot that was made by an instant and, where a day is given, of a day up to it.
SELECT s.seal_id, s.pilot_id, s.number, s.day, s.interim, s.epoch, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, s.recorded_at, t.authority, t.stamped_at, t.token
FROM pilot p JOIN seal s USING (pilot_id) LEFT JOIN seal_timestamp t USING (seal_id)
WHERE p.name = %(pilot)s AND (%(day)s::date IS NULL OR s.day <= %(day)s)
  AND (%(as_of)s::timestamptz IS NULL OR s.recorded_at <= %(as_of)s)
ORDER BY s.number DESC
LIMIT 1

-- name: add
-- One more seal.
INSERT INTO seal (pilot_id, number, day, interim, epoch, head, record, signature, key, statement, statement_signature)
VALUES (%(pilot_id)s, %(number)s, %(day)s, %(interim)s, %(epoch)s, %(head)s, %(record)s, %(signature)s, %(key)s,
        %(statement)s, %(statement_signature)s)
RETURNING seal_id, recorded_at

-- name: copy_leaves
-- The heads of its leaves.
COPY seal_leaf (seal_id, place, kind, identity, unit, hour, n, first_observed, last_observed, hash, body) FROM STDIN

-- name: leaves
-- The leaves of a seal in the order of its tree.
SELECT place, kind, identity, unit, hour, n, first_observed, last_observed, hash, body
FROM seal_leaf
WHERE seal_id = %(seal_id)s
ORDER BY place

-- name: unstamped
-- Seals of whole days without a timestamp, the oldest first.
SELECT seal_id, head FROM seal s
WHERE NOT interim AND NOT EXISTS (SELECT FROM seal_timestamp t WHERE t.seal_id = s.seal_id)
ORDER BY seal_id
LIMIT %(most)s

-- name: add_timestamp
-- What the authority said.
INSERT INTO seal_timestamp (seal_id, authority, token, stamped_at)
VALUES (%(seal_id)s, %(authority)s, %(token)s, %(stamped_at)s)
ON CONFLICT DO NOTHING

-- name: unpublished
-- Seals that the broker was not given, the oldest first.
SELECT s.seal_id, p.name AS pilot, s.number, s.day, s.interim, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, k.public_key
FROM seal s JOIN pilot p USING (pilot_id) JOIN seal_key k ON k.fingerprint = s.key
WHERE NOT EXISTS (SELECT FROM seal_witness w WHERE w.seal_id = s.seal_id AND w.way = 'mqtt')
ORDER BY s.seal_id
LIMIT %(most)s

-- name: unmailed
-- Seals of whole days that were not mailed, of the last week: a server that is set up later is not flooded with the past.
SELECT s.seal_id, p.name AS pilot, p.company, s.number, s.day, s.interim, s.head, s.record, s.signature, s.key, s.statement,
       s.statement_signature, k.public_key
FROM seal s JOIN pilot p USING (pilot_id) JOIN seal_key k ON k.fingerprint = s.key
WHERE NOT s.interim AND s.recorded_at > clock_timestamp() - interval '7 days'
  AND NOT EXISTS (SELECT FROM seal_witness w WHERE w.seal_id = s.seal_id AND w.way = 'mail')
ORDER BY s.seal_id
LIMIT %(most)s

-- name: add_witness
-- It was handed over.
INSERT INTO seal_witness (seal_id, way) VALUES (%(seal_id)s, %(way)s) ON CONFLICT DO NOTHING

-- name: retired
-- Whether retention has begun to delete a pilot's readings.
SELECT begun_at FROM retired WHERE pilot_id = %(pilot_id)s
