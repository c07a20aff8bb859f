-- name: quarantined_of_pilot
-- Messages of a pilot's connections, and of nobody's on its native topics; newest first.
SELECT q.quarantine_id, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload, q.payload_bytes,
       q.payload_sha256, q.resolved_at, q.resolution
FROM pilot p
JOIN quarantine q ON true
LEFT JOIN connection c ON c.connection_id = q.connection_id
WHERE p.name = %(pilot)s
  AND (c.pilot_id = p.pilot_id OR (c.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || p.name || '/')))
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND (q.resolved_at IS NULL OR %(resolved_too)s)
ORDER BY q.quarantine_id DESC
LIMIT %(most)s

-- name: quarantined_one
-- One message, whoever sent it.
SELECT q.quarantine_id, p.name AS pilot, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload,
       q.payload_bytes, q.payload_sha256, q.resolved_at, q.resolution
FROM quarantine q
LEFT JOIN connection c USING (connection_id)
LEFT JOIN pilot p USING (pilot_id)
WHERE q.quarantine_id = %(id)s

-- name: open_after
-- The next open messages of a pilot, oldest first, kept from others that replay until the transaction ends.
SELECT q.quarantine_id, q.received_at, q.topic, q.payload, q.payload_bytes
FROM quarantine q
WHERE q.quarantine_id > %(after)s
  AND q.resolved_at IS NULL
  AND (%(reason)s::text IS NULL OR q.reason = %(reason)s)
  AND EXISTS (
      SELECT FROM pilot p
      LEFT JOIN connection c ON c.connection_id = q.connection_id
      WHERE p.name = %(pilot)s
        AND (c.pilot_id = p.pilot_id OR (c.connection_id IS NULL AND starts_with(q.topic, 'pilots/' || p.name || '/')))
  )
ORDER BY q.quarantine_id
LIMIT %(most)s
FOR UPDATE OF q SKIP LOCKED

-- name: resolve
-- These were decoded and stored.
UPDATE quarantine SET resolved_at = clock_timestamp(), resolution = %(resolution)s
WHERE quarantine_id = ANY(%(ids)s::bigint[])
