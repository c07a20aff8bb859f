-- name: channels
-- Every revision of every channel of a pilot, as they were known at an instant.
SELECT s.name AS slot, c.name AS channel, c.channel_id, c.revision, c.kind, c.unit, c.options
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN channel c USING (slot_id)
WHERE p.name = %(pilot)s AND c.valid_from <= %(as_of)s
ORDER BY s.name COLLATE "C", c.name COLLATE "C", c.revision

-- name: replaced
-- Which readings of a revision do not stand any more, because their messages were decoded again: by receipt, half-open.
SELECT channel_id, received_from, received_until
FROM redecoding
WHERE channel_id = ANY (%(channels)s) AND recorded_at <= %(as_of)s
ORDER BY channel_id, received_from

-- name: extent
-- When the first and the last reading of these channels was observed.
SELECT min(first.observed_at) AS first_at, max(last.observed_at) AS last_at
FROM unnest(%(channels)s::int[]) AS one (channel_id)
CROSS JOIN LATERAL (SELECT observed_at FROM reading WHERE channel_id = one.channel_id ORDER BY observed_at LIMIT 1) AS first
CROSS JOIN LATERAL (SELECT observed_at FROM reading WHERE channel_id = one.channel_id ORDER BY observed_at DESC LIMIT 1) AS last

-- name: about
-- How many readings there are by what is summarised already: for a progress bar.
SELECT coalesce(sum(n), 0)::bigint AS n
FROM summary
WHERE channel_id = ANY (%(channels)s) AND (%(start)s::timestamptz IS NULL OR hour >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR hour < %(end)s)

-- name: slice
-- The next readings of one revision after an instant: columns of their binary forms, in the order of time. The aggregates take
-- the rows as the sorted subquery hands them over; sorting in each of them would halve the rate.
SELECT count(*) AS n,
       string_agg(timestamptz_send(r.observed_at), ''::bytea) AS observed,
       string_agg(timestamptz_send(r.received_at), ''::bytea) AS received,
       string_agg(float8send(r.value), ''::bytea) AS value,
       string_agg(int2send(r.flags), ''::bytea) AS flags
FROM (
    SELECT observed_at, received_at, value, flags
    FROM reading
    WHERE channel_id = %(channel)s AND observed_at > %(after)s AND observed_at < %(end)s AND received_at <= %(as_of)s
    ORDER BY observed_at
    LIMIT %(most)s
) AS r

-- name: await_records
-- Granted once nobody is recording a result, an outage or an exclusion of the pilot from before.
SELECT pilot_id FROM pilot WHERE name = %(pilot)s FOR NO KEY UPDATE

-- name: plan_sources
-- The bytes of every version of the plan by an instant.
SELECT v.version, v.sha256, v.source
FROM plan_version v
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND v.recorded_at <= %(as_of)s
ORDER BY v.version

-- name: result_documents
-- Every version of every stored result by an instant.
SELECT r.kind, r.label, r.version, r.document
FROM result r
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.evaluated_at <= %(as_of)s
ORDER BY r.kind, r.label, r.version

-- name: table_plans
-- The versions of the plan.
SELECT v.version, v.sha256, v.recorded_at AS applied_at, v.recorded_at AS valid_from,
       CASE WHEN v.version = 1 THEN 'first'
            WHEN v.amendment IS NOT NULL AND v.amendment IS DISTINCT FROM before.amendment THEN 'amendment'
            ELSE 'change' END AS kind,
       v.recorded_by AS applied_by, v.amendment::text AS amendment, v.profiles::text AS profiles
FROM plan_version v
JOIN pilot p USING (pilot_id)
LEFT JOIN plan_version before ON before.pilot_id = v.pilot_id AND before.version = v.version - 1
WHERE p.name = %(pilot)s AND v.recorded_at <= %(as_of)s
ORDER BY v.version

-- name: table_channels
-- Every revision of the channels asked for.
SELECT s.name AS slot, c.name AS channel, c.revision, c.options ->> 'name' AS title, c.kind, c.unit, c.reporting, c.period_s,
       c.max_hold_s,
       CASE WHEN jsonb_typeof(c.options -> 'range') = 'array' THEN (c.options -> 'range' ->> 0)::float8 END AS range_low,
       CASE WHEN jsonb_typeof(c.options -> 'range') = 'array' THEN (c.options -> 'range' ->> 1)::float8 END AS range_high,
       (c.options -> 'states')::text AS states, c.options::text AS options,
       nullif(c.valid_from, '-infinity') AS valid_from,
       CASE WHEN c.valid_to <= %(as_of)s THEN c.valid_to END AS valid_to
FROM channel c
JOIN slot s USING (slot_id)
WHERE c.channel_id = ANY (%(channels)s)
ORDER BY s.name COLLATE "C", c.name COLLATE "C", c.revision

-- name: table_events
-- What happened at the slots.
SELECT s.name AS slot, e.kind, e.id, e.phase, e.number, e.at, e.received_at, e.attributes::text AS attributes, e.flags
FROM event e
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND e.received_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR e.at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR e.at < %(end)s)
ORDER BY s.name COLLATE "C", e.at, e.kind COLLATE "C", e.id COLLATE "C", e.phase COLLATE "C"

-- name: table_links
-- What the slots said of their links.
SELECT s.name AS slot, l.at, l.received_at, l.state, l.origin
FROM link_state l
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND l.received_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR l.at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR l.at < %(end)s)
ORDER BY s.name COLLATE "C", l.at, l.state COLLATE "C"

-- name: table_platform
-- The platform's own record, as far as it may bear on the pilot.
SELECT r.record_id, r.process, r.run, r.version, r.from_at, r.until_at,
       ARRAY(SELECT lower(one) FROM unnest(r.heard) AS one ORDER BY 1) AS heard_from,
       ARRAY(SELECT upper(one) FROM unnest(r.heard) AS one ORDER BY 1) AS heard_until,
       r.goes_on, r.recorded_at, r.note
FROM platform_record r
WHERE (r.process LIKE 'collector%%' OR r.process = 'work' OR r.process = 'loader:' || %(pilot)s::text)
  AND r.recorded_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR r.until_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR r.from_at < %(end)s)
ORDER BY r.record_id

-- name: table_installations
-- Which device stood where.
SELECT s.name AS slot, i.serial, i.model, i.firmware, i.installed_at,
       CASE WHEN i.removal_recorded_at <= %(as_of)s THEN i.removed_at END AS removed_at, i.recorded_at,
       CASE WHEN i.removal_recorded_at <= %(as_of)s THEN i.removal_recorded_at END AS removal_recorded_at
FROM installation i
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND i.recorded_at <= %(as_of)s
ORDER BY s.name COLLATE "C", i.installed_at, i.installation_id

-- name: table_outages
-- Agreed outages, withdrawn ones too.
SELECT o.outage_id,
       CASE WHEN o.slot_ids IS NOT NULL
            THEN ARRAY(SELECT s.name FROM slot s WHERE s.slot_id = ANY (o.slot_ids) ORDER BY s.name COLLATE "C") END AS slots,
       o.start_at, o.end_at, o.cause, o.charged_to, o.agreed_by, o.note, o.recorded_at, o.recorded_by,
       CASE WHEN o.superseded_at <= %(as_of)s THEN o.superseded_at END AS superseded_at,
       CASE WHEN o.superseded_at <= %(as_of)s THEN o.superseded_by END AS superseded_by,
       CASE WHEN o.superseded_at <= %(as_of)s THEN o.superseded_why END AS superseded_why
FROM outage o
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND o.recorded_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR o.end_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR o.start_at < %(end)s)
ORDER BY o.outage_id

-- name: table_exclusions
-- Intervals left out of judgement, withdrawn ones too.
SELECT e.exclusion_id, s.name AS slot, e.start_at, e.end_at, e.reason, e.asked_on, e.asked_by, e.agreed_site, e.agreed_team,
       e.note, e.recorded_at, e.recorded_by,
       CASE WHEN e.superseded_at <= %(as_of)s THEN e.superseded_at END AS superseded_at,
       CASE WHEN e.superseded_at <= %(as_of)s THEN e.superseded_by END AS superseded_by,
       CASE WHEN e.superseded_at <= %(as_of)s THEN e.superseded_why END AS superseded_why
FROM exclusion e
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = e.pilot_id
WHERE p.name = %(pilot)s AND e.recorded_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR e.end_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR e.start_at < %(end)s)
ORDER BY e.exclusion_id

-- name: table_manual
-- What people observed and entered, withdrawn entries too.
SELECT m.manual_id, s.name AS slot, m.quantity, m.start_at, m.end_at, m.value, m.unit, m.exposure, m.exposure_unit, m.n, m.sd,
       to_jsonb(m.scores)::text AS scores, m.measured_by, m.note, d.name AS document, d.sha256, m.recorded_at, m.recorded_by,
       CASE WHEN m.superseded_at <= %(as_of)s THEN m.superseded_at END AS superseded_at,
       CASE WHEN m.superseded_at <= %(as_of)s THEN m.superseded_by END AS superseded_by,
       CASE WHEN m.superseded_at <= %(as_of)s THEN m.superseded_why END AS superseded_why
FROM manual_value m
JOIN document d USING (document_id)
JOIN pilot p ON p.pilot_id = m.pilot_id
LEFT JOIN slot s USING (slot_id)
WHERE p.name = %(pilot)s AND m.recorded_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR m.end_at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR m.start_at < %(end)s)
ORDER BY m.manual_id

-- name: table_labels
-- Truth labels that people recorded, withdrawn ones too.
SELECT l.label_id, s.name AS slot, l.kind, l.start_at, l.end_at, l.outcome, l.attributes::text AS attributes, l.place, l.labeller, l.side,
       l.blind, l.reader, l.window_at, l.note, l.file_name, l.file_sha256, l.file_line, l.recorded_at, l.recorded_by,
       CASE WHEN l.superseded_at <= %(as_of)s THEN l.superseded_at END AS superseded_at,
       CASE WHEN l.superseded_at <= %(as_of)s THEN l.superseded_by END AS superseded_by,
       CASE WHEN l.superseded_at <= %(as_of)s THEN l.superseded_why END AS superseded_why
FROM label l
JOIN slot s USING (slot_id)
JOIN pilot p ON p.pilot_id = l.pilot_id
WHERE p.name = %(pilot)s AND l.recorded_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR l.end_at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR l.start_at < %(end)s)
ORDER BY l.label_id

-- name: table_findings
-- What was noticed about the data of the channels asked for, and of slots as a whole; superseded ones too.
SELECT f.finding_id, s.name AS slot, c.name AS channel, c.revision, f.kind, f.start_at, f.end_at, f.flag, f.value,
       f.unit, f.detail::text AS detail, f.recorded_at,
       CASE WHEN f.superseded_at <= %(as_of)s THEN f.superseded_at END AS superseded_at
FROM finding f
JOIN slot s ON s.slot_id = f.slot_id
JOIN pilot p USING (pilot_id)
LEFT JOIN channel c ON c.channel_id = f.channel_id
WHERE p.name = %(pilot)s AND f.recorded_at <= %(as_of)s
  AND (f.channel_id IS NULL OR f.channel_id = ANY (%(channels)s))
  AND (%(start)s::timestamptz IS NULL OR f.end_at > %(start)s) AND (%(end)s::timestamptz IS NULL OR f.start_at < %(end)s)
ORDER BY f.finding_id

-- name: table_conflicts
-- Second values for an instant that had one.
SELECT s.name AS slot, c.name AS channel, c.revision, c.unit, x.observed_at, x.received_at, x.value, x.stored_value, x.flags
FROM conflict x
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
WHERE x.channel_id = ANY (%(channels)s) AND x.received_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR x.observed_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR x.observed_at < %(end)s)
ORDER BY s.name COLLATE "C", c.name COLLATE "C", x.observed_at, x.conflict_id

-- name: table_redecodings
-- Which readings do not stand any more, and whose stand in their place.
SELECT s.name AS slot, c.name AS channel, c.revision, x.received_from, x.received_until, by.revision AS by_revision,
       x.recorded_at, b.recorded_by
FROM redecoding x
JOIN redecoded_batch b USING (batch_id)
JOIN channel c USING (channel_id)
JOIN slot s USING (slot_id)
JOIN channel by ON by.channel_id = x.by_channel_id
WHERE x.channel_id = ANY (%(channels)s) AND x.recorded_at <= %(as_of)s
ORDER BY s.name COLLATE "C", c.name COLLATE "C", c.revision, x.received_from

-- name: table_event_conflicts
-- Events that repeated a key with another content.
SELECT s.name AS slot, x.kind, x.id, x.phase, x.number, x.at, x.received_at, x.attributes::text AS attributes
FROM event_conflict x
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND x.received_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR x.at >= %(start)s) AND (%(end)s::timestamptz IS NULL OR x.at < %(end)s)
ORDER BY s.name COLLATE "C", x.at, x.event_conflict_id

-- name: table_rejections
-- Readings and events that were refused on their own.
SELECT s.name AS slot, x.received_at, x.topic, x.item, x.observed, x.value, x.reason, x.detail
FROM rejection x
JOIN slot s USING (slot_id)
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND x.received_at <= %(as_of)s
  AND (%(start)s::timestamptz IS NULL OR x.received_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR x.received_at < %(end)s)
ORDER BY s.name COLLATE "C", x.received_at, x.rejection_id

-- name: table_results
-- Which results are stored: their documents lie in results/.
SELECT r.kind, r.label, r.version, r.plan_version, r.as_of, r.evaluated_at, r.code_version, r.sha256,
       r.difference::text AS difference
FROM result r
JOIN pilot p USING (pilot_id)
WHERE p.name = %(pilot)s AND r.evaluated_at <= %(as_of)s
ORDER BY r.kind, r.label, r.version
