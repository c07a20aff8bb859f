-- name: add
-- What somebody observed and entered.
INSERT INTO manual_value (pilot_id, slot_id, quantity, unit, start_at, end_at, value, exposure, exposure_unit, n, sd, scores,
    measured_by, note, document_id, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(slot_id)s, %(quantity)s, %(unit)s, %(start)s, %(end)s, %(value)s, %(exposure)s, %(exposure_unit)s,
    %(n)s, %(sd)s, %(scores)s, %(measured_by)s, %(note)s, %(document_id)s, %(at)s, %(who)s)
RETURNING manual_id

-- name: entries
-- The entries of a pilot as they were known at an instant, if one is given, in the order of time.
SELECT m.manual_id, p.name AS pilot, s.name AS slot, m.quantity, m.unit, m.start_at, m.end_at, m.value, m.exposure,
       m.exposure_unit, m.n, m.sd, m.scores, m.measured_by, m.note, d.sha256, d.name AS document, d.bytes, d.media_type,
       m.recorded_at, m.recorded_by, m.superseded_at, m.superseded_by, m.superseded_why
FROM manual_value m
JOIN pilot p ON p.pilot_id = m.pilot_id
JOIN document d USING (document_id)
LEFT JOIN slot s ON s.slot_id = m.slot_id
WHERE p.name = %(pilot)s AND (%(quantity)s::text IS NULL OR m.quantity = %(quantity)s)
  AND (%(as_of)s::timestamptz IS NULL OR m.recorded_at <= %(as_of)s)
  AND (%(withdrawn_too)s OR m.superseded_at IS NULL OR m.superseded_at > %(as_of)s::timestamptz)
ORDER BY m.start_at, m.manual_id

-- name: manual
-- One entry, kept from others that would withdraw it.
SELECT m.manual_id, p.name AS pilot, s.name AS slot, m.quantity, m.unit, m.start_at, m.end_at, m.value, m.exposure,
       m.exposure_unit, m.n, m.sd, m.scores, m.measured_by, m.note, d.sha256, d.name AS document, d.bytes, d.media_type,
       m.recorded_at, m.recorded_by, m.superseded_at, m.superseded_by, m.superseded_why
FROM manual_value m
JOIN pilot p ON p.pilot_id = m.pilot_id
JOIN document d USING (document_id)
LEFT JOIN slot s ON s.slot_id = m.slot_id
WHERE m.manual_id = %(id)s
FOR NO KEY UPDATE OF m

-- name: withdraw_manual
-- It counts no more from now on; the row stays.
UPDATE manual_value SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s WHERE manual_id = %(id)s
