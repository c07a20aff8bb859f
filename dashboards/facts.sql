-- name: slots
-- What is known of each slot of a visible pilot: its connection, when that was last heard, and the last that was not taken.
SELECT slot.slot_id, slot.name AS slot, slot.place, connection.name AS connection, connection.username, connection.topics,
       connection.withdrawn_at, connection.issued_at, message.last_received AS message_at, heard.last_received AS heard_at,
       expected.silence_s, expected.channels,
       held.quarantine_id, held.received_at AS held_at, held.topic AS held_topic, held.reason AS held_reason,
       held.detail AS held_detail, held.payload AS held_payload, held.payload_bytes AS held_bytes,
       refused.rejection_id, refused.received_at AS refused_at, refused.item, refused.observed, refused.value,
       refused.reason AS refused_reason
FROM visible_pilot AS pilot
JOIN slot USING (pilot_id)
JOIN connection USING (connection_id)
CROSS JOIN LATERAL (
    SELECT greatest(%(least_s)s::float8, coalesce(max(channel.max_hold_s) FILTER (WHERE channel.reporting = 'periodic'),
                                                  %(unknown_s)s::float8)) AS silence_s,
           count(*) AS channels
    FROM channel
    WHERE channel.slot_id = slot.slot_id AND channel.valid_to IS NULL
) AS expected
LEFT JOIN LATERAL (
    SELECT last_received FROM intake_connection
    WHERE intake_connection.connection_id = connection.connection_id ORDER BY day DESC LIMIT 1
) AS message ON true
LEFT JOIN LATERAL (
    SELECT last_received FROM intake_slot WHERE intake_slot.slot_id = slot.slot_id ORDER BY day DESC LIMIT 1
) AS heard ON true
LEFT JOIN LATERAL (
    SELECT newest.*
    FROM (
        SELECT * FROM quarantine
        WHERE quarantine.connection_id = connection.connection_id
        ORDER BY quarantine.received_at DESC, quarantine.quarantine_id DESC
        LIMIT 1000
    ) AS newest
    WHERE newest.resolved_at IS NULL
      -- On the native topics of another slot it is that one's business.
      AND (NOT starts_with(newest.topic, 'pilots/' || pilot.name || '/')
           OR starts_with(newest.topic, 'pilots/' || pilot.name || '/' || slot.name || '/'))
    ORDER BY newest.received_at DESC, newest.quarantine_id DESC
    LIMIT 1
) AS held ON true
LEFT JOIN LATERAL (
    SELECT * FROM rejection WHERE rejection.slot_id = slot.slot_id
    ORDER BY rejection.received_at DESC, rejection.rejection_id DESC
    LIMIT 1
) AS refused ON true
WHERE pilot.person_id = %(person)s AND pilot.pilot_id = %(pilot)s AND slot.withdrawn_at IS NULL
ORDER BY slot.slot_id

-- name: broker_read
-- Whether anybody reads the broker's log.
SELECT EXISTS (SELECT FROM broker_log_position) AS broker_read
