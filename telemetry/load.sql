-- name: is_simulated
-- Whether a pilot's plan says that its data are simulated.
SELECT simulated FROM pilot WHERE name = %(pilot)s

-- name: count_loaded
-- The accounting of what was loaded, by slot and day of simulated receipt.
INSERT INTO intake_slot AS total (slot_id, day, decoded, stored, last_received)
SELECT c.slot_id, (to_timestamp(r.hour_us / 1000000) AT TIME ZONE p.zone)::date, sum(r.n), sum(r.n),
       to_timestamp(max(r.hour_us) / 1000000)
FROM unnest(%(channels)s::int[], %(hours_us)s::bigint[], %(counts)s::bigint[]) AS r (channel_id, hour_us, n)
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (slot_id, day) DO UPDATE SET
    decoded = total.decoded + excluded.decoded,
    stored = total.stored + excluded.stored,
    last_received = greatest(total.last_received, excluded.last_received)

-- name: loaded_until
-- Up to where a pilot's history was loaded.
SELECT max(until_at) AS until FROM platform_record WHERE process = %(process)s

-- name: load_link_state
-- What a simulated slot said of its link.
INSERT INTO link_state (slot_id, at, received_at, state, origin)
VALUES (%(slot)s, timestamptz '1970-01-01T00:00:00Z' + %(at_us)s::bigint * interval '1 microsecond',
        timestamptz '1970-01-01T00:00:00Z' + (%(at_us)s::bigint + %(delay_us)s::bigint) * interval '1 microsecond',
        %(state)s, 'status')
ON CONFLICT DO NOTHING

-- name: load_events
-- Simulated events with their accounting; a key that is there stays as it is.
WITH given AS (
    SELECT slot_id, kind, id, phase, number, attributes::jsonb AS attributes,
           timestamptz '1970-01-01T00:00:00Z' + at_us * interval '1 microsecond' AS at,
           timestamptz '1970-01-01T00:00:00Z' + (at_us + %(delay_us)s::bigint) * interval '1 microsecond' AS received_at
    FROM unnest(%(slots)s::int[], %(kinds)s::text[], %(ids)s::text[], %(phases)s::text[], %(numbers)s::bigint[],
                %(ats_us)s::bigint[], %(attributes)s::text[])
         AS e (slot_id, kind, id, phase, number, at_us, attributes)
), new AS (
    INSERT INTO event (slot_id, kind, id, phase, number, at, received_at, attributes, flags)
    SELECT slot_id, kind, id, phase, number, at, received_at, attributes, %(flags)s FROM given
    ON CONFLICT DO NOTHING
    RETURNING slot_id, received_at
)
INSERT INTO intake_slot AS total (slot_id, day, decoded, stored, last_received)
SELECT n.slot_id, (n.received_at AT TIME ZONE p.zone)::date, count(*), count(*), max(n.received_at)
FROM new n
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (slot_id, day) DO UPDATE SET
    decoded = total.decoded + excluded.decoded,
    stored = total.stored + excluded.stored,
    last_received = greatest(total.last_received, excluded.last_received)

-- name: analyze
-- Statistics for the planner.
ANALYZE reading, event, summary, summary_share, dirty_hour
