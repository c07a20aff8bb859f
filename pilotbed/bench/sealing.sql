-- name: pilot
-- Its number.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s

-- name: plain_scan
-- The rows that sealing hashes, only added up.
SELECT sum(l.total) AS total
FROM slot s
JOIN channel c USING (slot_id)
CROSS JOIN LATERAL (
    SELECT sum(value) AS total
    FROM reading
    WHERE channel_id = c.channel_id AND received_at >= %(start)s AND received_at < %(end)s
) AS l
WHERE s.pilot_id = %(pilot_id)s
