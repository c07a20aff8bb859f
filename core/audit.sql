-- name: record
-- One change of state.
INSERT INTO audit (who, what, pilot, object, before, after)
VALUES (%(who)s, %(what)s, %(pilot)s, %(object)s, %(before)s, %(after)s)

-- name: entries
-- Changes, newest first, by who, what (a verb.object, or all of an object's with the name alone), when and which; after a cursor.
SELECT audit_id, at, who, what, pilot, object, before, after
FROM audit
WHERE (%(pilot)s::text IS NULL OR pilot = %(pilot)s)
  AND (%(who)s::text IS NULL OR who = %(who)s OR who LIKE '%%:' || %(who)s)
  AND (%(what)s::text IS NULL OR what = %(what)s OR starts_with(what, %(what)s || '.'))
  AND (%(object)s::text IS NULL OR strpos(lower(object), lower(%(object)s)) > 0)
  AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR at < %(until)s)
  AND (%(before)s::bigint IS NULL OR audit_id < %(before)s)
ORDER BY audit_id DESC
LIMIT %(most)s

-- name: last_of
-- What was said last of one object.
SELECT after FROM audit WHERE what = %(what)s AND object = %(object)s ORDER BY audit_id DESC LIMIT 1
