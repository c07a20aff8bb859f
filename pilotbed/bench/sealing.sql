-- name: pilot
-- Its number.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s

-- name: plain_scan
-- The rows that sealing hashes, only added up: found in the same way, by receipt.
SELECT sum(value) AS total
FROM reading
WHERE received_at >= %(start)s AND received_at < %(end)s
  AND (channel_id IN (SELECT c.channel_id FROM slot s JOIN channel c USING (slot_id) WHERE s.pilot_id = %(pilot_id)s)) IS TRUE
