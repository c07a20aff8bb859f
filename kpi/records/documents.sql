-- name: keep
-- A file that proves something; the same one of a pilot is kept once.
INSERT INTO document (pilot_id, sha256, bytes, media_type, name, content, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(sha256)s, %(bytes)s, %(media_type)s, %(name)s, %(content)s, %(at)s, %(who)s)
ON CONFLICT (pilot_id, sha256) DO NOTHING
RETURNING document_id

-- name: kept
-- One file of a pilot by its hash, without its content.
SELECT d.document_id, d.sha256, d.bytes, d.media_type, d.name, d.recorded_at, d.recorded_by
FROM document d JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND d.sha256 = %(sha256)s

-- name: content
-- A file itself.
SELECT d.content FROM document d JOIN pilot p USING (pilot_id) WHERE p.name = %(pilot)s AND d.sha256 = %(sha256)s

-- name: documents
-- The files of a pilot that were kept before an instant, the oldest first.
SELECT d.sha256, d.bytes
FROM document d JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND d.recorded_at < %(before)s
ORDER BY d.document_id

-- name: upload
-- A file that waits for its form to be confirmed; what waits for too long is nobody's.
WITH gone AS (DELETE FROM document_upload WHERE at < clock_timestamp() - interval '2 hours')
INSERT INTO document_upload (upload_id, pilot_id, person, name, content)
SELECT %(upload_id)s, pilot_id, %(person)s, %(name)s, %(content)s FROM pilot WHERE name = %(pilot)s

-- name: crowded
-- Of a person's own waiting files all but the newest few are dropped: an open form holds one.
DELETE FROM document_upload
WHERE person = %(person)s
  AND upload_id NOT IN (SELECT upload_id FROM document_upload WHERE person = %(person)s ORDER BY at DESC LIMIT %(most)s)

-- name: uploaded
-- The file that waits, of the person who gave it.
SELECT u.name, u.content
FROM document_upload u JOIN pilot p USING (pilot_id)
WHERE u.upload_id = %(upload_id)s AND u.person = %(person)s AND p.name = %(pilot)s

-- name: taken
-- It waits no more.
DELETE FROM document_upload WHERE upload_id = %(upload_id)s
