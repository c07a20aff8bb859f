-- name: events
-- Events of one kind at one slot.
SELECT slot_id, kind, id, phase, number, at, received_at, attributes
FROM event
WHERE slot_id = %(slot)s AND kind = %(kind)s AND at >= %(start)s AND at < %(end)s
  AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s)
ORDER BY at, id, phase

-- name: link_states
-- A slot's link in a window, and how it was when the window began.
(
    SELECT at, received_at, state, origin
    FROM link_state
    WHERE slot_id = %(slot)s AND at < %(start)s AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s)
    ORDER BY at DESC, state
    LIMIT 1
)
UNION ALL
(
    SELECT at, received_at, state, origin
    FROM link_state
    WHERE slot_id = %(slot)s AND at >= %(start)s AND at < %(end)s
      AND (%(as_of)s::timestamptz IS NULL OR received_at <= %(as_of)s)
    ORDER BY at, state
)

-- name: beat
-- Alive from its start until now.
INSERT INTO heartbeat (process, started_at, at, note)
VALUES (%(process)s, %(started_at)s, greatest(clock_timestamp(), %(started_at)s), %(note)s)
ON CONFLICT (process, started_at) DO UPDATE SET at = excluded.at, note = excluded.note
