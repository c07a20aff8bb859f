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

-- name: last_verdicts
-- The newest version, as known at an instant, of the last result with verdicts on a window that ends by another.
SELECT r.version, r.document
FROM result r
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.kind IN ('date', 'final') AND r.as_of <= %(as_of)s
  AND (r.document -> 'window' ->> 'end')::timestamptz <= %(until)s::timestamptz
ORDER BY r.label DESC, r.version DESC
LIMIT 1

-- name: versions_until
-- The last versions of a result up to one, the newest first, with the causes of each.
SELECT r.version, r.as_of, r.plan_version, r.code_version, r.sha256, r.difference -> 'causes' AS causes
FROM result r
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.kind = %(kind)s AND r.label = %(label)s AND r.version <= %(version)s
ORDER BY r.version DESC
LIMIT %(most)s

-- name: await_seals
-- Granted once no transaction is left that writes a seal; let go at the end of this one.
LOCK TABLE seal IN SHARE MODE
