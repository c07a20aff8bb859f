-- name: pilot
-- A pilot's zone and period, and since when its readings are past their retention.
SELECT p.pilot_id, p.zone, p.start_at, p.end_at, p.simulated, r.begun_at AS past_retention_since
FROM pilot p LEFT JOIN retired r USING (pilot_id)
WHERE p.name = %(pilot)s

-- name: pilots
-- The first pilots by name.
SELECT name FROM pilot ORDER BY name LIMIT 10

-- name: connections
-- What each connection delivered on a day, those in use that delivered nothing among them.
SELECT c.name AS connection, c.withdrawn_at, coalesce(i.delivered, 0) AS delivered, coalesce(i.committed, 0) AS committed,
       coalesce(i.quarantined, 0) AS quarantined, coalesce(i.redelivered, 0) AS redelivered,
       coalesce(i.payload_bytes, 0) AS payload_bytes, i.last_received, coalesce(q.beyond, 0) AS beyond
FROM connection c
LEFT JOIN intake_connection i ON i.connection_id = c.connection_id AND i.day = %(day)s
LEFT JOIN quarantine_day q ON q.connection_id = c.connection_id AND q.day = %(day)s
WHERE c.pilot_id = %(pilot_id)s AND (c.withdrawn_at IS NULL OR i.connection_id IS NOT NULL)
ORDER BY c.connection_id

-- name: quarantined_reasons
-- Why messages of a day were set aside, by connection; '' where the topic is nobody's but lies in the pilot's native ones.
SELECT c.name AS connection, q.reason, count(*) AS n
FROM connection c
JOIN quarantine q USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND q.received_at >= %(start)s AND q.received_at < %(end)s
GROUP BY c.name, q.reason
UNION ALL
SELECT '', q.reason, count(*)
FROM quarantine q
WHERE q.connection_id IS NULL AND q.received_at >= %(start)s AND q.received_at < %(end)s
  AND starts_with(q.topic, 'pilots/' || %(pilot)s || '/')
GROUP BY q.reason
ORDER BY connection, n DESC, reason

-- name: numbers
-- The numbers that senders passed on a day, and the first ranges of those that never came.
SELECT c.name AS connection, s.boot, lower(s.span) AS first, upper(s.span) - 1 AS last,
       upper(s.span) - lower(s.span) AS sent,
       (SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(s.received) AS r) - s.given_up AS distinct_numbers,
       (SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(int8multirange(s.span) - s.received) AS r)
           + s.given_up AS missing,
       s.given_up, s.repeated, s.last_received,
       ARRAY(SELECT ARRAY[lower(r), upper(r) - 1] FROM unnest(int8multirange(s.span) - s.received) AS r
             ORDER BY lower(r) LIMIT %(most_ranges)s) AS missing_ranges
FROM connection c
JOIN sequence s USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND s.day = %(day)s
ORDER BY c.connection_id, s.last_received, s.boot

-- name: denied
-- What the broker did not take on a day, by connection; '' what it did not on the pilot's native topics of nobody known.
SELECT coalesce(c.name, '') AS connection, d.reason, sum(d.n)::bigint AS n
FROM denial d
LEFT JOIN connection c USING (connection_id)
WHERE d.hour >= %(start)s AND d.hour < %(end)s
  AND (c.pilot_id = %(pilot_id)s
       OR (d.connection_id IS NULL AND starts_with(d.topic, 'pilots/' || %(pilot)s || '/')))
GROUP BY coalesce(c.name, ''), d.reason
ORDER BY connection, reason

-- name: slots
-- What became of what each slot said on a day, slots in use that said nothing among them.
SELECT s.slot_id, s.name AS slot, s.place, c.name AS connection, coalesce(i.decoded, 0) AS decoded,
       coalesce(i.stored, 0) AS stored, coalesce(i.duplicate, 0) AS duplicate, coalesce(i.conflict, 0) AS conflict,
       coalesce(i.rejected, 0) AS rejected, i.first_observed, i.last_observed, i.last_received
FROM slot s
JOIN connection c USING (connection_id)
LEFT JOIN intake_slot i ON i.slot_id = s.slot_id AND i.day = %(day)s
WHERE s.pilot_id = %(pilot_id)s AND (s.withdrawn_at IS NULL OR i.slot_id IS NOT NULL)
ORDER BY s.slot_id

-- name: rejected_reasons
-- Why readings and events of a day were refused, by slot.
SELECT s.name AS slot, r.reason, count(*) AS n
FROM slot s
JOIN rejection r USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND r.received_at >= %(start)s AND r.received_at < %(end)s
GROUP BY s.name, r.reason
ORDER BY s.name, n DESC, r.reason

-- name: received
-- The readings of a slot that were received in a window: how many, and when those were made and received whose delay means
-- something, as columns of eight bytes. They lie between two instants of observation; of the hours there, those are left out
-- of which a summary knows that all was received before.
SELECT count(*) AS n,
       string_agg(timestamptz_send(r.observed_at), ''::bytea) FILTER (WHERE r.flags & %(without)s = 0) AS observed,
       string_agg(timestamptz_send(r.received_at), ''::bytea) FILTER (WHERE r.flags & %(without)s = 0) AS received
FROM channel c
CROSS JOIN generate_series(date_bin('1 hour', %(first)s::timestamptz, '2000-01-01T00:00Z'), %(last)s::timestamptz,
                           interval '1 hour') AS h (hour)
LEFT JOIN summary m ON m.channel_id = c.channel_id AND m.hour = h.hour
JOIN LATERAL (
    SELECT observed_at, received_at, flags
    FROM reading
    WHERE channel_id = c.channel_id AND observed_at >= h.hour AND observed_at < h.hour + interval '1 hour'
      AND received_at >= %(start)s AND received_at < %(end)s
) AS r ON true
WHERE c.slot_id = %(slot_id)s
  AND (m.hour IS NULL OR m.last_received >= %(start)s
       OR EXISTS (SELECT FROM dirty_hour d WHERE d.channel_id = c.channel_id AND d.hour = h.hour))

-- name: received_events
-- How many events of a slot were received in a window.
SELECT count(*) AS n FROM event WHERE slot_id = %(slot_id)s AND received_at >= %(start)s AND received_at < %(end)s
