-- name: settled
-- Messages that were committed or set aside so far.
SELECT coalesce(sum(delivered), 0)::bigint AS n FROM intake_connection

-- name: listening
-- Collectors that have said within the last seconds that they hear everything.
SELECT count(DISTINCT process)::int AS n FROM heartbeat WHERE at > clock_timestamp() - interval '7 seconds'

-- name: stored
-- The readings of each slot: their values, which are the numbers of the messages, and how many have another instant than theirs.
SELECT s.name AS slot, count(*)::bigint AS n, string_agg(float8send(r.value), ''::bytea) AS values,
       count(*) FILTER (
           WHERE r.observed_at <> timestamptz '1970-01-01T00:00:00Z' + (%(start_ms)s + r.value) * interval '1 millisecond'
       )::bigint AS altered
FROM reading r
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
GROUP BY s.name

-- name: connections
-- The accounting by connection.
SELECT c.username, sum(i.delivered)::bigint AS delivered, sum(i.committed)::bigint AS committed,
       sum(i.quarantined)::bigint AS quarantined, sum(i.redelivered)::bigint AS redelivered
FROM intake_connection i
JOIN connection c USING (connection_id)
GROUP BY c.username

-- name: slots
-- The accounting by slot.
SELECT s.name AS slot, sum(i.decoded)::bigint AS decoded, sum(i.stored)::bigint AS stored, sum(i.duplicate)::bigint AS duplicate,
       sum(i.conflict)::bigint AS conflict, sum(i.rejected)::bigint AS rejected
FROM intake_slot i
JOIN slot s USING (slot_id)
GROUP BY s.name

-- name: refused
-- What no sender of ours gives cause for.
SELECT (SELECT count(*) FROM conflict) AS conflicts, (SELECT count(*) FROM quarantine) AS quarantined,
       (SELECT count(*) FROM rejection) AS rejected

-- name: raw
-- Raw messages that were kept.
SELECT coalesce(sum(n), 0)::bigint AS n FROM message

-- name: sequences
-- The accounting by message number: how far, how many of these came.
SELECT c.username, min(lower(q.span))::bigint AS first, (max(upper(q.span)) - 1)::bigint AS through,
       sum(upper(q.span) - lower(q.span))::bigint AS spanned,
       sum((SELECT coalesce(sum(upper(came) - lower(came)), 0) FROM unnest(q.received) AS came))::bigint AS received
FROM sequence q
JOIN connection c USING (connection_id)
GROUP BY c.username

-- name: backends
-- Everybody else's connections to our database.
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'bench'

-- name: writer_backends
-- The connections that collectors write through.
SELECT pid FROM pg_stat_activity
WHERE application_name LIKE 'pilotbed-collector-%%' AND application_name NOT LIKE '%%heartbeat'

-- name: end_backend
-- End one connection.
SELECT pg_terminate_backend(%(pid)s)

-- name: reload
-- Take over changed settings.
SELECT pg_reload_conf()

-- name: writable
-- Whether a new transaction may write.
SELECT (current_setting('default_transaction_read_only') = 'off')::int AS n

-- name: distinct
-- Readings in the store; a key cannot be there twice.
SELECT count(*)::bigint AS n FROM reading
