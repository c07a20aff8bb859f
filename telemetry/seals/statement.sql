-- name: newest_senders
-- Of each connection the counting that was heard last.
SELECT DISTINCT ON (c.connection_id) c.connection_id, c.name AS connection, q.boot
FROM pilot p JOIN connection c USING (pilot_id) JOIN sequence q USING (connection_id)
WHERE p.name = %(pilot)s
ORDER BY c.connection_id, q.last_received DESC, q.boot
