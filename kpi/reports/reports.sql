-- name: opinion_texts
-- What people wrote under a month: the newest text of each role.
SELECT DISTINCT ON (role) coalesce(person.role, 'officer') AS role, o.judgement, o.body, o.written_by, o.written_at
FROM opinion o
JOIN pilot p USING (pilot_id)
LEFT JOIN person ON person.name = o.written_by
WHERE p.name = %(pilot)s AND o.month = %(month)s
ORDER BY role, o.written_at DESC, o.opinion_id DESC

-- name: open_by
-- Messages set aside in a window that were still so at an instant, and readings that repeat one with another value.
SELECT
    (SELECT count(*) FROM quarantine q
     JOIN connection c USING (connection_id)
     WHERE c.pilot_id = p.pilot_id AND q.received_at >= %(start)s AND q.received_at < %(end)s
       AND (q.resolved_at IS NULL OR q.resolved_at > %(as_of)s)) AS quarantined,
    (SELECT count(*) FROM conflict k
     JOIN channel c USING (channel_id)
     JOIN slot s USING (slot_id)
     WHERE s.pilot_id = p.pilot_id AND k.received_at >= %(start)s AND k.received_at < %(end)s
       AND k.received_at <= %(as_of)s) AS conflicts
FROM pilot p
WHERE p.name = %(pilot)s
