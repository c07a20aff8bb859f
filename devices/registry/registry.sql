-- name: lock_registry
-- One change of the registry at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(%(key)s)

-- name: recording_instant
-- Now, and later than any closed past.
SELECT after_horizon() AS at

-- name: pilots
-- Every pilot with the version of its plan in force.
SELECT p.pilot_id, p.name, p.title, p.kind, p.company, p.company_name, p.site, p.site_name, p.zone, p.start_at, p.end_at,
       p.simulated, p.created_at, v.version, v.sha256, v.recorded_at, v.recorded_by
FROM pilot p
JOIN LATERAL (
    SELECT version, sha256, recorded_at, recorded_by FROM plan_version
    WHERE pilot_id = p.pilot_id ORDER BY version DESC LIMIT 1
) v ON true
WHERE %(name)s::text IS NULL OR p.name = %(name)s
ORDER BY p.name

-- name: pilot_names
-- The names of all pilots.
SELECT name FROM pilot ORDER BY name

-- name: plan_version
-- One version of a pilot's plan, or the one in force; as it was known at an instant, if one is given.
SELECT v.version, v.sha256, v.source, v.profiles, v.recorded_at, v.recorded_by
FROM plan_version v
JOIN pilot p USING (pilot_id)
WHERE p.name = %(name)s
  AND (%(version)s::integer IS NULL OR v.version = %(version)s)
  AND (%(as_of)s::timestamptz IS NULL OR v.recorded_at <= %(as_of)s)
ORDER BY v.version DESC
LIMIT 1

-- name: plan_versions
-- All versions of a pilot's plan, oldest first, without their bytes.
SELECT v.version, v.sha256, v.amendment, v.recorded_at, v.recorded_by
FROM plan_version v
JOIN pilot p USING (pilot_id)
WHERE p.name = %(name)s
ORDER BY v.version

-- name: add_pilot
-- A new pilot.
INSERT INTO pilot (name, title, kind, company, company_name, site, site_name, zone, start_at, end_at, simulated)
VALUES (%(name)s, %(title)s, %(kind)s, %(company)s, %(company_name)s, %(site)s, %(site_name)s, %(zone)s, %(start_at)s,
        %(end_at)s, %(simulated)s)
RETURNING pilot_id

-- name: change_pilot
-- A pilot as its plan now describes it.
UPDATE pilot
SET title = %(title)s, kind = %(kind)s, company = %(company)s, company_name = %(company_name)s, site = %(site)s,
    site_name = %(site_name)s, zone = %(zone)s, start_at = %(start_at)s, end_at = %(end_at)s, simulated = %(simulated)s
WHERE pilot_id = %(pilot_id)s

-- name: add_version
-- The file's bytes, as they are, and the device templates that it names.
INSERT INTO plan_version (pilot_id, version, sha256, source, profiles, amendment, recorded_at, recorded_by)
VALUES (%(pilot_id)s, %(version)s, %(sha256)s, %(source)s, %(profiles)s, %(amendment)s, %(now)s, %(who)s)

-- name: foreign_topics
-- Where the active connections of all other pilots may publish.
SELECT p.name AS pilot, c.name AS connection, topic
FROM connection c
JOIN pilot p USING (pilot_id)
CROSS JOIN LATERAL unnest(c.topics) AS topic
WHERE p.name <> %(pilot)s AND c.withdrawn_at IS NULL

-- name: connections_of_pilot
-- A pilot's connections, withdrawn ones too.
SELECT connection_id, name, protocol, options, topics, username, withdrawn_at
FROM connection
WHERE pilot_id = %(pilot_id)s
ORDER BY connection_id

-- name: add_connection
-- A connection with its first secret.
INSERT INTO connection (pilot_id, name, protocol, options, topics, username, password, issued_at)
VALUES (%(pilot_id)s, %(name)s, %(protocol)s, %(options)s, %(topics)s, %(username)s, %(password)s, %(now)s)
RETURNING connection_id

-- name: change_connection
-- A connection as its plan now describes it.
UPDATE connection
SET protocol = %(protocol)s, options = %(options)s, topics = %(topics)s
WHERE connection_id = %(connection_id)s

-- name: issue_secret
-- A new secret; a withdrawn connection is let in again.
UPDATE connection
SET password = %(password)s, issued_at = %(now)s, withdrawn_at = NULL
WHERE connection_id = %(connection_id)s

-- name: withdraw_connection
-- The connection may speak no more.
UPDATE connection SET withdrawn_at = %(now)s WHERE connection_id = %(connection_id)s AND withdrawn_at IS NULL

-- name: slots_of_pilot
-- A pilot's slots, withdrawn ones too.
SELECT slot_id, name, place, connection_id, options, withdrawn_at
FROM slot
WHERE pilot_id = %(pilot_id)s
ORDER BY slot_id

-- name: add_slot
-- A slot.
INSERT INTO slot (pilot_id, name, place, connection_id, options)
VALUES (%(pilot_id)s, %(name)s, %(place)s, %(connection_id)s, %(options)s)
RETURNING slot_id

-- name: change_slot
-- A slot as its plan now describes it; a withdrawn one is there again.
UPDATE slot
SET place = %(place)s, connection_id = %(connection_id)s, options = %(options)s, withdrawn_at = NULL
WHERE slot_id = %(slot_id)s

-- name: withdraw_slot
-- Nothing is expected of the slot any more.
UPDATE slot SET withdrawn_at = %(now)s WHERE slot_id = %(slot_id)s AND withdrawn_at IS NULL

-- name: installed
-- The device that stands in a slot.
SELECT installation_id, serial, model, firmware, installed_at
FROM installation
WHERE slot_id = %(slot_id)s AND removed_at IS NULL

-- name: install
-- A device begins to stand in a slot.
INSERT INTO installation (slot_id, serial, model, firmware, installed_at)
VALUES (%(slot_id)s, %(serial)s, %(model)s, %(firmware)s, %(at)s)

-- name: remove
-- The device leaves its slot.
UPDATE installation SET removed_at = greatest(installed_at, %(at)s) WHERE installation_id = %(installation_id)s

-- name: newest_channels
-- The newest revision of each channel of a slot, in force or not.
SELECT DISTINCT ON (name) channel_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_to
FROM channel
WHERE slot_id = %(slot_id)s
ORDER BY name, revision DESC

-- name: add_channel
-- A revision of a channel.
INSERT INTO channel (slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_from)
VALUES (%(slot_id)s, %(name)s, %(revision)s, %(kind)s, %(unit)s, %(reporting)s, %(period_s)s, %(max_hold_s)s,
        %(options)s, %(valid_from)s)

-- name: close_channel
-- Messages that arrive from now on are not decoded by this revision.
UPDATE channel SET valid_to = %(now)s WHERE channel_id = %(channel_id)s

-- name: rename_channel
-- What people read of a channel; how it is decoded and judged stays.
UPDATE channel SET options = %(options)s WHERE channel_id = %(channel_id)s

-- name: add_predicate
-- A condition that some KPI counts time by. No row comes back if it was known.
INSERT INTO predicate (slot_id, channel, low, low_closed, high, high_closed, codes)
VALUES (%(slot_id)s, %(channel)s, %(low)s, %(low_closed)s, %(high)s, %(high_closed)s, %(codes)s)
ON CONFLICT DO NOTHING
RETURNING predicate_id

-- name: summarise_again
-- The hours of a channel whose shares a new condition needs.
INSERT INTO dirty_hour (channel_id, hour)
SELECT m.channel_id, m.hour
FROM summary m
JOIN channel c USING (channel_id)
WHERE c.slot_id = %(slot_id)s AND c.name = %(channel)s

-- name: stamp
-- A value that differs after any change of who may speak and how it is decoded.
SELECT (SELECT count(*) FROM plan_version) AS versions,
       (SELECT count(withdrawn_at) FROM connection) AS connections_withdrawn,
       (SELECT count(withdrawn_at) FROM slot) AS slots_withdrawn

-- name: binding_connections
-- Every active connection with its pilot.
SELECT c.connection_id, c.name, c.protocol, c.options, c.topics, c.username, p.pilot_id, p.name AS pilot, p.zone,
       p.start_at, p.end_at, p.simulated
FROM connection c
JOIN pilot p USING (pilot_id)
WHERE c.withdrawn_at IS NULL
ORDER BY c.connection_id

-- name: binding_slots
-- Every active slot.
SELECT slot_id, name, connection_id, options FROM slot WHERE withdrawn_at IS NULL ORDER BY slot_id

-- name: binding_channels
-- Every channel revision in force.
SELECT channel_id, slot_id, name, revision, kind, unit, reporting, period_s, max_hold_s, options, valid_from
FROM channel
WHERE valid_to IS NULL
ORDER BY channel_id

-- name: broker_users
-- Every connection as the broker must know it.
SELECT c.username, c.password, c.topics, c.withdrawn_at, p.name AS pilot,
       coalesce(array_agg(s.name ORDER BY s.slot_id) FILTER (WHERE s.withdrawn_at IS NULL), '{}') AS slots
FROM connection c
JOIN pilot p USING (pilot_id)
LEFT JOIN slot s USING (connection_id)
GROUP BY c.connection_id, p.name
ORDER BY c.connection_id

-- name: devices_of_pilot
-- What stands where, or stood, with its connection and how it fares.
SELECT s.slot_id, s.name AS slot, s.place, s.withdrawn_at AS slot_withdrawn_at, c.name AS connection, c.protocol,
       c.username, c.issued_at, c.withdrawn_at, i.serial, i.model, i.firmware, i.installed_at,
       CASE WHEN %(as_of)s::timestamptz IS NULL OR i.removal_recorded_at <= %(as_of)s THEN i.removed_at END AS removed_at
FROM slot s
JOIN pilot p ON p.pilot_id = s.pilot_id
JOIN connection c USING (connection_id)
LEFT JOIN installation i ON i.slot_id = s.slot_id
    AND (%(as_of)s::timestamptz IS NULL OR i.recorded_at <= %(as_of)s)
WHERE p.name = %(pilot)s
ORDER BY s.slot_id, i.installed_at, i.installation_id
