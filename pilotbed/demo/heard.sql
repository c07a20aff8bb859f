-- name: came_live
-- How many readings and events of a window came live: none of those that were loaded.
SELECT (SELECT count(*)
        FROM slot s
        JOIN channel c USING (slot_id)
        JOIN reading r ON r.channel_id = c.channel_id
        WHERE s.pilot_id = p.pilot_id AND r.observed_at >= %(start)s AND r.observed_at < %(end)s
          AND r.flags & %(loaded)s = 0) AS readings,
       (SELECT count(*)
        FROM slot s
        JOIN event e USING (slot_id)
        WHERE s.pilot_id = p.pilot_id AND e.at >= %(start)s AND e.at < %(end)s AND e.flags & %(loaded)s = 0) AS events
FROM pilot p
WHERE p.name = %(pilot)s
