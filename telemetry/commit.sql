-- name: copy_readings
-- New readings, straight into their table.
COPY reading (observed_at, received_at, value, channel_id, flags) FROM STDIN (FORMAT binary)

-- name: make_stage
-- Where readings wait whose keys may be there already. A column tells the order of arrival.
CREATE TEMPORARY TABLE IF NOT EXISTS reading_stage (
    arrival bigint GENERATED ALWAYS AS IDENTITY,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    value double precision NOT NULL,
    channel_id integer NOT NULL,
    flags smallint NOT NULL
) ON COMMIT DELETE ROWS

-- name: clear_stage
-- What an attempt before left, if it was in this transaction.
DELETE FROM reading_stage

-- name: copy_stage
-- Readings into the stage.
COPY reading_stage (observed_at, received_at, value, channel_id, flags) FROM STDIN (FORMAT binary)

-- name: insert_staged
-- What is new goes into the table; the count of it by channel.
WITH new AS (
    INSERT INTO reading (observed_at, received_at, value, channel_id, flags)
    SELECT observed_at, received_at, value, channel_id, flags
    FROM reading_stage
    ORDER BY channel_id, observed_at, arrival
    ON CONFLICT DO NOTHING
    RETURNING channel_id
)
SELECT channel_id, count(*) AS n FROM new GROUP BY channel_id

-- name: keep_conflicts
-- Of what was there already, the readings with another value are kept for review, each value once; their count by channel.
WITH kept AS (
    INSERT INTO conflict (channel_id, observed_at, received_at, value, stored_value, flags)
    SELECT channel_id, observed_at, received_at, value, stored_value, flags
    FROM (
        SELECT DISTINCT ON (s.channel_id, s.observed_at, s.value)
               s.channel_id, s.observed_at, s.received_at, s.value, r.value AS stored_value, s.flags, s.arrival
        FROM reading_stage s
        JOIN reading r ON r.channel_id = s.channel_id AND r.observed_at = s.observed_at
        WHERE r.value <> s.value
          AND NOT EXISTS (SELECT FROM conflict k WHERE (k.channel_id, k.observed_at, k.value)
                                                     = (s.channel_id, s.observed_at, s.value))
        ORDER BY s.channel_id, s.observed_at, s.value, s.arrival
    ) AS other
    ORDER BY arrival
    RETURNING channel_id
)
SELECT channel_id, count(*) AS n FROM kept GROUP BY channel_id

-- name: mark_hours
-- Channel-hours that the summariser has to look at.
INSERT INTO dirty_hour (channel_id, hour)
SELECT channel_id, to_timestamp(hour_us / 1000000)
FROM unnest(%(channels)s::int[], %(hours_us)s::bigint[]) AS mark (channel_id, hour_us)

-- name: insert_events
-- Events that are new; a key that is there stays as it is.
INSERT INTO event (slot_id, kind, id, phase, number, at, received_at, attributes, flags)
SELECT slot_id, kind, id, phase, number,
       timestamptz '1970-01-01T00:00:00Z' + at_us * interval '1 microsecond',
       %(received_at)s, attributes::jsonb, flags
FROM unnest(%(slots)s::int[], %(kinds)s::text[], %(ids)s::text[], %(phases)s::text[], %(numbers)s::bigint[],
            %(ats_us)s::bigint[], %(attributes)s::text[], %(flags)s::smallint[])
     WITH ORDINALITY AS e (slot_id, kind, id, phase, number, at_us, attributes, flags, arrival)
ORDER BY arrival
ON CONFLICT DO NOTHING
RETURNING slot_id, kind, id, phase

-- name: keep_event_conflicts
-- Of events that were there already, those that say something else are kept for review, each once.
INSERT INTO event_conflict (slot_id, kind, id, phase, number, at, received_at, attributes)
SELECT DISTINCT e.slot_id, e.kind, e.id, e.phase, e.number, e.at, %(received_at)s::timestamptz, e.attributes
FROM (
    SELECT slot_id, kind, id, phase, number, attributes::jsonb AS attributes, arrival,
           timestamptz '1970-01-01T00:00:00Z' + at_us * interval '1 microsecond' AS at
    FROM unnest(%(slots)s::int[], %(kinds)s::text[], %(ids)s::text[], %(phases)s::text[], %(numbers)s::bigint[],
                %(ats_us)s::bigint[], %(attributes)s::text[], %(flags)s::smallint[])
         WITH ORDINALITY AS given (slot_id, kind, id, phase, number, at_us, attributes, flags, arrival)
) AS e
JOIN event AS kept USING (slot_id, kind, id, phase)
WHERE (kept.number, kept.at, kept.attributes) IS DISTINCT FROM (e.number, e.at, e.attributes)
  AND NOT EXISTS (
      SELECT FROM event_conflict k
      WHERE (k.slot_id, k.kind, k.id, k.phase) = (e.slot_id, e.kind, e.id, e.phase)
        AND (k.number, k.at, k.attributes) IS NOT DISTINCT FROM (e.number, e.at, e.attributes))
RETURNING slot_id

-- name: insert_link_state
-- What a slot said of its link; a repetition says nothing new.
INSERT INTO link_state (slot_id, at, received_at, state, origin)
VALUES (%(slot)s, timestamptz '1970-01-01T00:00:00Z' + %(at_us)s * interval '1 microsecond', %(received_at)s,
        %(state)s, %(origin)s)
ON CONFLICT DO NOTHING

-- name: recognise_batch
-- No row comes back if this very batch was committed already. Waits for an attempt before that is still under way.
INSERT INTO intake_batch AS last (collector, run, number, received_at)
VALUES (%(collector)s, %(run)s, %(number)s, %(received_at)s)
ON CONFLICT (collector) DO UPDATE SET run = excluded.run, number = excluded.number, received_at = excluded.received_at
WHERE (last.run, last.number) IS DISTINCT FROM (excluded.run, excluded.number)
RETURNING collector

-- name: insert_rejections
-- Readings or events that were refused on their own. One whose message was delivered before may be there already.
WITH refused AS (
    INSERT INTO rejection (slot_id, received_at, topic, item, observed, value, reason, detail)
    SELECT g.slot_id, %(received_at)s, g.topic, g.item, g.observed, g.value, g.reason, g.detail
    FROM unnest(%(slots)s::int[], %(topics)s::text[], %(items)s::text[], %(observed)s::text[], %(values)s::text[],
                %(reasons)s::text[], %(details)s::text[], %(again)s::boolean[])
         WITH ORDINALITY AS g (slot_id, topic, item, observed, value, reason, detail, again, arrival)
    WHERE NOT g.again OR NOT EXISTS (
        SELECT FROM rejection r
        WHERE r.slot_id = g.slot_id AND r.received_at > %(received_at)s::timestamptz - interval '8 days'
          AND (r.topic, r.item, r.observed, r.value, r.reason) = (g.topic, g.item, g.observed, g.value, g.reason))
    ORDER BY g.arrival
    RETURNING slot_id
)
SELECT slot_id, count(*) AS n FROM refused GROUP BY slot_id

-- name: remember
-- What protocols remember from this batch on.
INSERT INTO protocol_memory AS held (connection_id, name, value)
SELECT connection_id, name, value
FROM unnest(%(connections)s::int[], %(names)s::text[], %(values)s::bytea[]) AS given (connection_id, name, value)
ON CONFLICT (connection_id, name) DO UPDATE SET value = excluded.value

-- name: forget
-- What protocols remember no more.
DELETE FROM protocol_memory
USING unnest(%(connections)s::int[], %(names)s::text[]) AS given (connection_id, name)
WHERE protocol_memory.connection_id = given.connection_id AND protocol_memory.name = given.name

-- name: remembered
-- What protocols remember of some connections.
SELECT connection_id, name, value FROM protocol_memory WHERE connection_id = ANY (%(connections)s)

-- name: insert_message
-- A block of raw messages.
INSERT INTO message (pilot_id, received_at, connections, n, body)
VALUES (%(pilot)s, %(received_at)s, %(connections)s, %(n)s, %(body)s)

-- name: count_connections
-- delivered = committed + quarantined, by connection and day of receipt.
INSERT INTO intake_connection AS total
    (connection_id, day, delivered, committed, quarantined, redelivered, payload_bytes, last_received)
SELECT c.connection_id, (%(received_at)s::timestamptz AT TIME ZONE p.zone)::date, n.delivered,
       n.delivered - n.quarantined, n.quarantined, n.redelivered, n.payload_bytes, %(received_at)s
FROM unnest(%(connections)s::int[], %(delivered)s::bigint[], %(quarantined)s::bigint[], %(redelivered)s::bigint[],
            %(payload_bytes)s::bigint[])
     AS n (connection_id, delivered, quarantined, redelivered, payload_bytes)
JOIN connection c USING (connection_id)
JOIN pilot p USING (pilot_id)
ORDER BY c.connection_id
ON CONFLICT (connection_id, day) DO UPDATE SET
    delivered = total.delivered + excluded.delivered,
    committed = total.committed + excluded.committed,
    quarantined = total.quarantined + excluded.quarantined,
    redelivered = total.redelivered + excluded.redelivered,
    payload_bytes = total.payload_bytes + excluded.payload_bytes,
    last_received = greatest(total.last_received, excluded.last_received)

-- name: count_slots
-- decoded = stored + duplicate + conflict + rejected, by slot and day of receipt.
INSERT INTO intake_slot AS total
    (slot_id, day, decoded, stored, duplicate, conflict, rejected, first_observed, last_observed, last_received)
SELECT n.slot_id, (%(received_at)s::timestamptz AT TIME ZONE p.zone)::date, sum(n.decoded), sum(n.stored),
       sum(n.duplicate), sum(n.conflict), sum(n.rejected),
       timestamptz '1970-01-01T00:00:00Z' + min(n.first_us) * interval '1 microsecond',
       timestamptz '1970-01-01T00:00:00Z' + max(n.last_us) * interval '1 microsecond', %(received_at)s
FROM (
    SELECT c.slot_id, r.decoded, r.stored, r.duplicate, r.conflict, 0::bigint AS rejected, r.first_us, r.last_us
    FROM unnest(%(channels)s::int[], %(c_decoded)s::bigint[], %(c_stored)s::bigint[], %(c_duplicate)s::bigint[],
                %(c_conflict)s::bigint[], %(c_first_us)s::bigint[], %(c_last_us)s::bigint[])
         AS r (channel_id, decoded, stored, duplicate, conflict, first_us, last_us)
    JOIN channel c USING (channel_id)
    UNION ALL
    SELECT g.slot_id, g.decoded, g.stored, g.duplicate, g.conflict, g.rejected, NULL, NULL
    FROM unnest(%(slots)s::int[], %(s_decoded)s::bigint[], %(s_stored)s::bigint[], %(s_duplicate)s::bigint[],
                %(s_conflict)s::bigint[], %(s_rejected)s::bigint[])
         AS g (slot_id, decoded, stored, duplicate, conflict, rejected)
) AS n (slot_id, decoded, stored, duplicate, conflict, rejected, first_us, last_us)
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
GROUP BY n.slot_id, p.zone
ORDER BY n.slot_id
ON CONFLICT (slot_id, day) DO UPDATE SET
    decoded = total.decoded + excluded.decoded,
    stored = total.stored + excluded.stored,
    duplicate = total.duplicate + excluded.duplicate,
    conflict = total.conflict + excluded.conflict,
    rejected = total.rejected + excluded.rejected,
    first_observed = least(total.first_observed, excluded.first_observed),
    last_observed = greatest(total.last_observed, excluded.last_observed),
    last_received = greatest(total.last_received, excluded.last_received)
