-- name: kept
-- How many raw messages of a pilot are kept, and from when to when.
SELECT count(*) AS blocks, coalesce(sum(m.n), 0)::bigint AS messages, min(m.received_at) AS first_at,
       max(m.received_at) AS last_at
FROM message m
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
  AND (%(start)s::timestamptz IS NULL OR m.received_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR m.received_at < %(end)s)
  AND (%(sender)s::text IS NULL OR m.connections && ARRAY(
      SELECT c.connection_id FROM connection c WHERE c.pilot_id = p.pilot_id AND c.name = %(sender)s))

-- name: dropped_before
-- Up to where raw messages of a pilot were dropped.
SELECT d.before FROM messages_dropped d JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s

-- name: next_block
-- The next block of a pilot in the order of receipt.
SELECT m.message_id, m.received_at, m.n, m.body
FROM message m
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
  AND (m.received_at, m.message_id) > (%(start)s::timestamptz, %(after)s::bigint)
  AND m.received_at >= %(start)s AND m.received_at < %(end)s
  AND (%(sender)s::text IS NULL OR m.connections && ARRAY(
      SELECT c.connection_id FROM connection c WHERE c.pilot_id = p.pilot_id AND c.name = %(sender)s))
ORDER BY m.received_at, m.message_id
LIMIT 1
