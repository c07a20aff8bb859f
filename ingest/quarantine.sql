-- name: quarantined_of_pilot
-- Messages of a pilot's connections, and of nobody's on its native topics; newest first.
SELECT q.quarantine_id, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload, q.payload_bytes,
       q.payload_sha256, q.flags, q.resolved_at, q.resolution, q.replayed_at
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
WHERE (q.connection_id IN (SELECT own.connection_id FROM connection own JOIN pilot p USING (pilot_id)
                           WHERE p.name = %(pilot)s)
       OR (q.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || %(pilot)s || '/')))
  AND (%(connection)s::text IS NULL OR coalesce(c.name, '-') = %(connection)s)
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR q.received_at >= %(since)s)
  AND (q.resolved_at IS NULL OR %(resolved_too)s)
ORDER BY q.quarantine_id DESC
LIMIT %(most)s

-- name: quarantined_counts
-- The same messages, counted by reason.
SELECT q.reason, count(*) AS n, sum(q.payload_bytes)::bigint AS payload_bytes, min(q.received_at) AS first_at,
       max(q.received_at) AS last_at
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
WHERE (q.connection_id IN (SELECT own.connection_id FROM connection own JOIN pilot p USING (pilot_id)
                           WHERE p.name = %(pilot)s)
       OR (q.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || %(pilot)s || '/')))
  AND (%(connection)s::text IS NULL OR coalesce(c.name, '-') = %(connection)s)
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND (%(since)s::timestamptz IS NULL OR q.received_at >= %(since)s)
  AND (q.resolved_at IS NULL OR %(resolved_too)s)
GROUP BY q.reason
ORDER BY n DESC, q.reason

-- name: beyond_quota
-- Days on which a sender passed its quota: what lay beyond is counted, and bound by a chain of hashes. Those of nobody's
-- topics are of no pilot, or of all.
SELECT c.name AS connection, q.day, q.kept, q.kept_bytes, q.beyond, q.beyond_bytes, q.beyond_sha256
FROM quarantine_day q
LEFT JOIN connection c USING (connection_id)
LEFT JOIN pilot p USING (pilot_id)
WHERE q.beyond > 0
  AND (p.name = %(pilot)s OR q.connection_id = 0)
  AND (%(connection)s::text IS NULL OR coalesce(c.name, '-') = %(connection)s)
  AND (%(since)s::timestamptz IS NULL OR q.day >= (%(since)s::timestamptz AT TIME ZONE coalesce(p.zone, 'Asia/Seoul'))::date)
ORDER BY q.day DESC, c.name

-- name: connection_names
-- The connections that a pilot has or had.
SELECT c.name FROM connection c JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s ORDER BY c.connection_id

-- name: quarantined_one
-- One message, whoever sent it.
SELECT q.quarantine_id, p.name AS pilot, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload,
       q.payload_bytes, q.payload_sha256, q.flags, q.resolved_at, q.resolution, q.replayed_at, q.payload_dropped_at
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
LEFT JOIN pilot p USING (pilot_id)
WHERE q.quarantine_id = %(id)s

-- name: open_after
-- The next open messages of a pilot, oldest first, kept from others that replay until the transaction ends.
SELECT q.quarantine_id, q.connection_id, q.received_at, q.topic, q.payload, q.payload_bytes, q.flags
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
WHERE q.quarantine_id > %(after)s
  AND q.resolved_at IS NULL
  AND (q.connection_id IN (SELECT own.connection_id FROM connection own JOIN pilot p USING (pilot_id)
                           WHERE p.name = %(pilot)s)
       OR (q.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || %(pilot)s || '/')))
  AND (%(connection)s::text IS NULL OR coalesce(c.name, '-') = %(connection)s)
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
ORDER BY q.quarantine_id
LIMIT %(most)s
FOR UPDATE OF q SKIP LOCKED

-- name: one_replay_at_a_time
-- Until this transaction ends.
SELECT pg_advisory_xact_lock(%(lock)s)

-- name: taken_instants
-- At which instants of a short stretch these channels have readings.
SELECT channel_id, (extract(epoch FROM observed_at) * 1000000)::bigint AS observed_us
FROM reading
WHERE channel_id = ANY (%(channels)s::int[])
  AND observed_at >= %(first)s AND observed_at < %(first)s + interval '10 seconds'

-- name: resolve
-- These were decoded and stored: received then, taken now.
UPDATE quarantine
SET resolved_at = clock_timestamp(), resolution = %(resolution)s, replayed_at = %(replayed_at)s
WHERE quarantine_id = ANY (%(ids)s::bigint[])
