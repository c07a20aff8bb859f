-- name: may
-- Whether a person, in one of these roles, sees the pilot: no row where not.
SELECT v.pilot_id, q.name AS person, q.role
FROM visible_pilot v JOIN person q USING (person_id)
WHERE v.name = %(pilot)s AND v.person_id = %(person)s AND q.role = ANY (%(roles)s::text[])

-- name: ask
-- An exclusion is asked for.
INSERT INTO exclusion_request (pilot_id, slot_id, start_at, end_at, reason, asked_on, note, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(slot_id)s, %(start)s, %(end)s, %(reason)s, %(asked_on)s, %(note)s, %(at)s, %(who)s)
RETURNING request_id

-- name: requests
-- What was asked of the pilots that a person sees, the newest first, with what each side said.
SELECT r.request_id, v.name AS pilot, s.name AS slot, r.start_at, r.end_at, r.reason, r.asked_on, r.note, r.recorded_at,
       r.recorded_by, r.superseded_at, r.superseded_by, r.superseded_why,
       c.side, c.agreed, c.why, c.exclusion_id, c.recorded_at AS said_at, c.recorded_by AS said_by
FROM visible_pilot v
JOIN exclusion_request r USING (pilot_id)
JOIN slot s USING (slot_id)
LEFT JOIN exclusion_consent c USING (request_id)
WHERE v.person_id = %(person)s AND (%(pilot)s::text IS NULL OR v.name = %(pilot)s)
  AND (%(request)s::bigint IS NULL OR r.request_id = %(request)s)
ORDER BY r.request_id DESC, c.consent_id

-- name: of_pilot
-- What was asked of a pilot, the newest first, with what each side said: for who stands at the command line.
SELECT r.request_id, p.name AS pilot, s.name AS slot, r.start_at, r.end_at, r.reason, r.asked_on, r.note, r.recorded_at,
       r.recorded_by, r.superseded_at, r.superseded_by, r.superseded_why,
       c.side, c.agreed, c.why, c.exclusion_id, c.recorded_at AS said_at, c.recorded_by AS said_by
FROM pilot p
JOIN exclusion_request r USING (pilot_id)
JOIN slot s USING (slot_id)
LEFT JOIN exclusion_consent c USING (request_id)
WHERE p.name = %(pilot)s
ORDER BY r.request_id DESC, c.consent_id

-- name: say
-- One side agrees, or refuses.
INSERT INTO exclusion_consent (request_id, side, agreed, why, exclusion_id, recorded_at, recorded_by)
VALUES (%(request)s, %(side)s, %(agreed)s, %(why)s, %(exclusion)s, %(at)s, %(who)s)

-- name: take_back
-- It is asked for no more.
UPDATE exclusion_request SET superseded_at = %(at)s, superseded_by = %(who)s, superseded_why = %(why)s
WHERE request_id = %(request)s
