-- name: add_label
-- What somebody says happened.
INSERT INTO label (pilot_id, slot_id, kind, start_at, end_at, outcome, attributes, place, labeller, side, blind, reader, window_at,
    note, file_name, file_sha256, file_line, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(slot_id)s, %(kind)s, %(start)s, %(end)s, %(outcome)s, %(attributes)s, %(place)s, %(labeller)s, %(side)s,
    %(blind)s, %(reader)s, %(window_at)s, %(note)s, %(file_name)s, %(file_sha256)s, %(file_line)s, %(at)s, %(who)s)

-- name: labels
-- The labels of a pilot that touch a window; as they were known at an instant, if one is given.
SELECT l.label_id, p.name AS pilot, s.name AS slot, l.kind, l.start_at, l.end_at, l.outcome, l.attributes, l.place, l.labeller,
       l.side, l.blind, l.reader, l.window_at, l.note, l.file_name, l.file_sha256, l.file_line, l.recorded_at, l.recorded_by,
       l.superseded_at, l.superseded_by, l.superseded_why
FROM label l
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = l.pilot_id
WHERE p.name = %(pilot)s AND (%(kind)s::text IS NULL OR l.kind = %(kind)s)
  AND (%(start)s::timestamptz IS NULL OR l.end_at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR l.start_at < %(end)s)
  AND (%(as_of)s::timestamptz IS NULL OR l.recorded_at <= %(as_of)s)
  AND (%(withdrawn_too)s OR l.superseded_at IS NULL OR l.superseded_at > %(as_of)s::timestamptz)
ORDER BY l.start_at, l.label_id

-- name: label
-- One label, kept from others that would withdraw it.
SELECT l.label_id, p.name AS pilot, s.name AS slot, l.kind, l.start_at, l.end_at, l.outcome, l.attributes, l.place, l.labeller,
       l.side, l.blind, l.reader, l.window_at, l.note, l.file_name, l.file_sha256, l.file_line, l.recorded_at, l.recorded_by,
       l.superseded_at, l.superseded_by, l.superseded_why
FROM label l
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = l.pilot_id
WHERE l.label_id = %(id)s
FOR NO KEY UPDATE OF l

-- name: withdraw_label
-- It counts no more from now on; the row stays.
UPDATE label SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s WHERE label_id = %(id)s

-- name: withdraw_file
-- … all that came in one file.
UPDATE label SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s
WHERE pilot_id = (SELECT pilot_id FROM pilot WHERE name = %(pilot)s) AND file_sha256 = %(sha256)s AND superseded_at IS NULL
