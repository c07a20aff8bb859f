-- name: pilot
-- A pilot for whom somebody records something; one at a time.
SELECT pilot_id, start_at, end_at FROM pilot WHERE name = %(pilot)s FOR NO KEY UPDATE

-- name: slots
-- The slots of a pilot.
SELECT s.slot_id, s.name FROM slot s JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s ORDER BY s.slot_id

-- name: add_outage
-- An agreed outage.
INSERT INTO outage (pilot_id, slot_ids, start_at, end_at, cause, charged_to, agreed_by, note, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(slot_ids)s, %(start)s, %(end)s, %(cause)s, %(charged_to)s, %(agreed_by)s, %(note)s, %(at)s, %(who)s)
RETURNING outage_id

-- name: outages
-- The agreed outages of a pilot that touch a window; as they were known at an instant, if one is given.
SELECT o.outage_id, p.name AS pilot, o.start_at, o.end_at, o.cause, o.charged_to, o.agreed_by, o.note, o.recorded_at,
       o.recorded_by, o.superseded_at, o.superseded_by, o.superseded_why,
       CASE WHEN o.slot_ids IS NOT NULL
            THEN ARRAY(SELECT s.name FROM slot s WHERE s.slot_id = ANY (o.slot_ids) ORDER BY s.slot_id) END AS slots
FROM outage o
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
  AND (%(start)s::timestamptz IS NULL OR o.end_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR o.start_at < %(end)s)
  AND (%(as_of)s::timestamptz IS NULL OR o.recorded_at <= %(as_of)s)
  AND (%(withdrawn_too)s OR o.superseded_at IS NULL OR o.superseded_at > %(as_of)s::timestamptz)
ORDER BY o.start_at, o.outage_id

-- name: outage
-- One outage, kept from others that would withdraw it.
SELECT o.outage_id, p.name AS pilot, o.start_at, o.end_at, o.cause, o.charged_to, o.agreed_by, o.note, o.recorded_at,
       o.recorded_by, o.superseded_at, o.superseded_by, o.superseded_why,
       CASE WHEN o.slot_ids IS NOT NULL
            THEN ARRAY(SELECT s.name FROM slot s WHERE s.slot_id = ANY (o.slot_ids) ORDER BY s.slot_id) END AS slots
FROM outage o
JOIN pilot p USING (pilot_id)
WHERE o.outage_id = %(id)s
FOR NO KEY UPDATE OF o

-- name: withdraw_outage
-- It counts no more from now on; the row stays.
UPDATE outage SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s WHERE outage_id = %(id)s

-- name: add_exclusion
-- An agreed exclusion.
INSERT INTO exclusion (pilot_id, slot_id, start_at, end_at, reason, asked_on, asked_by, agreed_site, agreed_team, note,
    document_id, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(slot_id)s, %(start)s, %(end)s, %(reason)s, %(asked_on)s, %(asked_by)s, %(agreed_site)s,
    %(agreed_team)s, %(note)s, %(document_id)s, %(at)s, %(who)s)
RETURNING exclusion_id

-- name: exclusions
-- The exclusions of a pilot that touch a window; as they were known at an instant, if one is given.
SELECT e.exclusion_id, p.name AS pilot, s.name AS slot, e.start_at, e.end_at, e.reason, e.asked_on, e.asked_by, e.agreed_site,
       e.agreed_team, e.note, e.recorded_at, e.recorded_by, e.superseded_at, e.superseded_by, e.superseded_why, d.sha256
FROM exclusion e
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = e.pilot_id
LEFT JOIN document d USING (document_id)
WHERE p.name = %(pilot)s
  AND (%(start)s::timestamptz IS NULL OR e.end_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR e.start_at < %(end)s)
  AND (%(as_of)s::timestamptz IS NULL OR e.recorded_at <= %(as_of)s)
  AND (%(withdrawn_too)s OR e.superseded_at IS NULL OR e.superseded_at > %(as_of)s::timestamptz)
ORDER BY e.recorded_at, e.exclusion_id

-- name: exclusion
-- One exclusion, kept from others that would withdraw it.
SELECT e.exclusion_id, p.name AS pilot, s.name AS slot, e.start_at, e.end_at, e.reason, e.asked_on, e.asked_by, e.agreed_site,
       e.agreed_team, e.note, e.recorded_at, e.recorded_by, e.superseded_at, e.superseded_by, e.superseded_why, d.sha256
FROM exclusion e
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = e.pilot_id
LEFT JOIN document d USING (document_id)
WHERE e.exclusion_id = %(id)s
FOR NO KEY UPDATE OF e

-- name: withdraw_exclusion
-- It counts no more from now on; the row stays.
UPDATE exclusion SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s WHERE exclusion_id = %(id)s
