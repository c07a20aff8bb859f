-- name: slots
-- The slots of a pilot, those without channels too.
SELECT s.name, s.slot_id
FROM slot s JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s
ORDER BY s.slot_id
