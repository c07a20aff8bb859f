-- name: lock_pilot
-- One writer of results of a pilot at a time.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s FOR NO KEY UPDATE

-- name: newest
-- The newest version of one result.
SELECT r.result_id, r.version, r.plan_version, r.as_of, r.evaluated_at, r.code_version, r.sha256, r.document, r.difference
FROM result r JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.kind = %(kind)s AND r.label = %(label)s
ORDER BY r.version DESC
LIMIT 1

-- name: versions
-- All versions of a pilot's results, of one kind and label or of all, the oldest first.
SELECT r.result_id, r.kind, r.label, r.version, r.plan_version, r.as_of, r.evaluated_at, r.code_version, r.sha256,
    r.document, r.difference
FROM result r JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
  AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
  AND (%(label)s::text IS NULL OR r.label = %(label)s)
ORDER BY r.kind, r.label, r.version

-- name: add
-- One more version.
INSERT INTO result (pilot_id, kind, label, version, plan_version, as_of, code_version, sha256, document, difference)
VALUES (%(pilot_id)s, %(kind)s, %(label)s, %(version)s, %(plan_version)s, %(as_of)s, %(code_version)s, %(sha256)s,
    %(document)s, %(difference)s)
RETURNING result_id

-- name: standing
-- The newest version of every result of a pilot, without its document.
SELECT DISTINCT ON (r.kind, r.label) r.kind, r.label, r.version, r.as_of, coalesce(r.provisional, false) AS provisional
FROM result r
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
ORDER BY r.kind, r.label, r.version DESC

-- name: outdated
-- Whether anything that a result rests on was received, recorded or withdrawn after an instant.
SELECT EXISTS (
    SELECT FROM summary s JOIN channel USING (channel_id) JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND s.hour >= %(start)s::timestamptz - interval '1 hour' AND s.hour < %(end)s
      AND s.last_received > %(as_of)s
) OR EXISTS (
    SELECT FROM redecoded_hour g JOIN channel USING (channel_id) JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND g.hour >= %(start)s::timestamptz - interval '1 hour' AND g.hour < %(end)s
      AND g.recorded_at > %(as_of)s
) OR EXISTS (
    SELECT FROM event e JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND e.at >= %(start)s AND e.at < %(end)s AND e.received_at > %(as_of)s
) OR EXISTS (
    SELECT FROM link_state l JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND l.at >= %(start)s AND l.at < %(end)s AND l.received_at > %(as_of)s
) OR EXISTS (
    SELECT FROM outage o JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND o.start_at < %(end)s AND o.end_at > %(start)s
      AND greatest(o.recorded_at, o.superseded_at) > %(as_of)s
) OR EXISTS (
    SELECT FROM manual_value m JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND m.start_at < %(end)s
      AND greatest(m.recorded_at, m.superseded_at) > %(as_of)s
) OR EXISTS (
    SELECT FROM exclusion e JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND e.start_at < %(end)s AND e.end_at > %(start)s
      AND greatest(e.recorded_at, e.superseded_at) > %(as_of)s
) OR EXISTS (
    SELECT FROM label l JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND l.start_at < %(end)s AND l.end_at >= %(start)s
      AND greatest(l.recorded_at, l.superseded_at) > %(as_of)s
) OR EXISTS (
    SELECT FROM baseline b JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s AND b.recorded_at > %(as_of)s
) OR EXISTS (
    SELECT FROM installation i JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND i.installed_at < %(end)s AND coalesce(i.removed_at, 'infinity') > %(start)s
      AND greatest(i.recorded_at, i.removal_recorded_at) > %(as_of)s
) OR EXISTS (
    SELECT FROM platform_record r
    WHERE r.from_at < %(end)s AND r.until_at > %(start)s AND r.from_at < %(as_of)s AND r.recorded_at > %(as_of)s
) AS outdated
