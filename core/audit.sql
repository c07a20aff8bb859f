-- name: record
-- One change of state.
INSERT INTO audit (who, what, pilot, object, before, after)
VALUES (%(who)s, %(what)s, %(pilot)s, %(object)s, %(before)s, %(after)s)

-- name: entries
-- The newest changes, of one pilot or of all.
SELECT audit_id, at, who, what, pilot, object, before, after
FROM audit
WHERE %(pilot)s::text IS NULL OR pilot = %(pilot)s
ORDER BY audit_id DESC
LIMIT %(most)s
