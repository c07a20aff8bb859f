-- name: pilot
-- A pilot for whom a baseline is recorded; one at a time.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s FOR NO KEY UPDATE

-- name: add
-- A file as it came.
INSERT INTO baseline (pilot_id, kpi, file_name, bytes, sha256, content, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(kpi)s, %(file_name)s, %(bytes)s, %(sha256)s, %(content)s, %(at)s, %(who)s)
RETURNING baseline_id

-- name: baselines
-- The files of a pilot, without their bytes; as they were known at an instant, if one is given.
SELECT b.baseline_id, p.name AS pilot, b.kpi, b.file_name, b.bytes, b.sha256, b.recorded_at, b.recorded_by
FROM baseline b JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND (%(as_of)s::timestamptz IS NULL OR b.recorded_at <= %(as_of)s)
ORDER BY b.baseline_id

-- name: content
-- The bytes of one file.
SELECT content FROM baseline WHERE baseline_id = %(baseline_id)s
