-- name: open_days
-- The accounts of these senders' day, there to be locked. 0 stands for nobody's topics.
INSERT INTO quarantine_day (connection_id, day)
SELECT g.connection_id, (%(received_at)s::timestamptz AT TIME ZONE coalesce(p.zone, 'Asia/Seoul'))::date
FROM unnest(%(connections)s::int[]) AS g (connection_id)
LEFT JOIN connection c USING (connection_id)
LEFT JOIN pilot p USING (pilot_id)
ORDER BY g.connection_id
ON CONFLICT DO NOTHING

-- name: days
-- … what was set aside of them on that day, locked until this transaction ends.
SELECT q.connection_id, q.day, q.kept, q.kept_bytes, q.beyond, q.beyond_bytes, q.beyond_sha256
FROM quarantine_day q
LEFT JOIN connection c USING (connection_id)
LEFT JOIN pilot p USING (pilot_id)
WHERE q.connection_id = ANY (%(connections)s)
  AND q.day = (%(received_at)s::timestamptz AT TIME ZONE coalesce(p.zone, 'Asia/Seoul'))::date
ORDER BY q.connection_id
FOR UPDATE OF q

-- name: there_already
-- Which of these messages were set aside before.
SELECT DISTINCT coalesce(q.connection_id, 0) AS connection_id, q.topic, q.payload_sha256
FROM quarantine q
WHERE q.payload_sha256 = ANY (%(hashes)s) AND q.received_at > %(received_at)s::timestamptz - interval '8 days'

-- name: insert_quarantine
-- Messages that could not be taken.
INSERT INTO quarantine
    (connection_id, received_at, topic, reason, detail, payload, payload_bytes, payload_sha256, flags)
SELECT nullif(g.connection_id, 0), %(received_at)s, g.topic, g.reason, g.detail, g.payload, g.payload_bytes, g.sha256, g.flags
FROM unnest(%(connections)s::int[], %(topics)s::text[], %(reasons)s::text[], %(details)s::text[], %(payloads)s::bytea[],
            %(sizes)s::int[], %(hashes)s::text[], %(flags)s::smallint[])
     WITH ORDINALITY AS g (connection_id, topic, reason, detail, payload, payload_bytes, sha256, flags, arrival)
ORDER BY g.arrival

-- name: close_days
-- What that came to.
UPDATE quarantine_day q
SET kept = g.kept, kept_bytes = g.kept_bytes, beyond = g.beyond, beyond_bytes = g.beyond_bytes, beyond_sha256 = g.sha256
FROM unnest(%(connections)s::int[], %(days)s::date[], %(kept)s::bigint[], %(kept_bytes)s::bigint[], %(beyond)s::bigint[],
            %(beyond_bytes)s::bigint[], %(hashes)s::text[])
     AS g (connection_id, day, kept, kept_bytes, beyond, beyond_bytes, sha256)
WHERE q.connection_id = g.connection_id AND q.day = g.day
