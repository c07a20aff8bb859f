-- name: add
-- One person more.
INSERT INTO person (name, role, password, sites, companies, pilots)
VALUES (%(name)s, %(role)s, %(password)s, %(sites)s, %(companies)s, %(pilots)s)
ON CONFLICT (name) DO NOTHING
RETURNING person_id

-- name: everybody
-- All people, without their passwords.
SELECT person_id, name, role, sites, companies, pilots, language, created_at, disabled_at, session_epoch
FROM person ORDER BY name

-- name: by_name
-- Who logs in.
SELECT person_id, name, role, sites, companies, pilots, language, created_at, disabled_at, session_epoch, password
FROM person WHERE name = %(name)s

-- name: of_session
-- The person of a session that still holds.
SELECT person_id, name, role, sites, companies, pilots, language, created_at, disabled_at, session_epoch
FROM person WHERE person_id = %(person)s AND session_epoch = %(epoch)s AND disabled_at IS NULL

-- name: disable
-- Nobody logs in under this name again, and every session of it ends.
UPDATE person SET disabled_at = clock_timestamp(), session_epoch = session_epoch + 1
WHERE name = %(name)s AND disabled_at IS NULL
RETURNING person_id

-- name: change_password
-- Another password; every session ends.
UPDATE person SET password = %(password)s, session_epoch = session_epoch + 1
WHERE name = %(name)s AND disabled_at IS NULL
RETURNING person_id

-- name: end_sessions
-- Every session of a person ends.
UPDATE person SET session_epoch = session_epoch + 1 WHERE person_id = %(person)s

-- name: choose_language
-- The language a person reads in, on every device.
UPDATE person SET language = %(language)s WHERE person_id = %(person)s

-- name: lock_people
-- One process at a time looks whether there is an admin, and makes the first.
SELECT pg_advisory_xact_lock(7041002)

-- name: has_admin
-- Is there anybody who may administer?
SELECT EXISTS (SELECT FROM person WHERE role = 'admin' AND disabled_at IS NULL) AS found

-- name: unknown_sites
-- Which of these sites no pilot has: a hint, as a person may come before the plan.
SELECT name FROM unnest(%(names)s::text[]) AS name WHERE name NOT IN (SELECT site FROM pilot)

-- name: unknown_companies
-- Which of these companies no pilot has.
SELECT name FROM unnest(%(names)s::text[]) AS name WHERE name NOT IN (SELECT company FROM pilot)

-- name: unknown_pilots
-- Which of these pilots are not registered.
SELECT name FROM unnest(%(names)s::text[]) AS name WHERE name NOT IN (SELECT name FROM pilot)
