-- name: audit
-- Who changed what of the pilot.
SELECT audit_id, at, who, what, pilot, object, before::text AS before, after::text AS after
FROM audit
WHERE pilot = %(pilot)s AND at >= coalesce(%(start)s::timestamptz, '-infinity') AND at < %(end)s
ORDER BY audit_id

-- name: platform_audit
-- Who changed what of the platform as a whole.
SELECT audit_id, at, who, what, object, before::text AS before, after::text AS after
FROM audit
WHERE pilot IS NULL AND at >= coalesce(%(start)s::timestamptz, '-infinity') AND at < %(end)s
ORDER BY audit_id

-- name: baseline
-- Baselines that were handed in; the hash is worked out again from the file's bytes.
SELECT baseline_id, kpi, file_name, bytes, sha256, encode(sha256(content), 'hex') AS content_sha256, recorded_at, recorded_by
FROM baseline
WHERE pilot_id = %(pilot_id)s AND recorded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND recorded_at < %(end)s
ORDER BY baseline_id

-- name: channel
-- Revisions of channels that began. What people read of a channel, its name, may change in place.
SELECT s.name AS slot, c.name AS channel, c.revision, c.kind, c.unit, c.reporting, c.period_s, c.max_hold_s,
       (c.options - 'name')::text AS options, CASE WHEN isfinite(c.valid_from) THEN c.valid_from END AS valid_from
FROM slot s JOIN channel c USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND c.valid_from >= coalesce(%(start)s::timestamptz, '-infinity') AND c.valid_from < %(end)s
ORDER BY s.name COLLATE "C", c.name COLLATE "C", c.revision

-- name: channel_end
-- Revisions of channels that ended.
SELECT s.name AS slot, c.name AS channel, c.revision, c.valid_to
FROM slot s JOIN channel c USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND c.valid_to >= coalesce(%(start)s::timestamptz, '-infinity') AND c.valid_to < %(end)s
ORDER BY s.name COLLATE "C", c.name COLLATE "C", c.revision

-- name: conflict
-- Readings that repeated a key with another value.
SELECT k.conflict_id, s.name AS slot, c.name AS channel, c.revision, k.observed_at, k.received_at, k.value, k.stored_value,
       k.flags
FROM slot s JOIN channel c USING (slot_id) JOIN conflict k USING (channel_id)
WHERE s.pilot_id = %(pilot_id)s AND k.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND k.received_at < %(end)s
ORDER BY k.conflict_id

-- name: document
-- Files that prove what people recorded, by their hash; worked out again from their bytes.
SELECT document_id, sha256, encode(sha256(content), 'hex') AS content_sha256, bytes, media_type, name, recorded_at, recorded_by
FROM document
WHERE pilot_id = %(pilot_id)s AND recorded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND recorded_at < %(end)s
ORDER BY document_id

-- name: event
-- What happened.
SELECT s.name AS slot, e.kind, e.id, e.phase, e.number, e.at, e.received_at, e.attributes::text AS attributes, e.flags
FROM slot s JOIN event e USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND e.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND e.received_at < %(end)s
ORDER BY e.received_at, s.name COLLATE "C", e.kind COLLATE "C", e.id COLLATE "C", e.phase COLLATE "C"

-- name: event_conflict
-- Events that repeated a key with another content.
SELECT k.event_conflict_id, s.name AS slot, k.kind, k.id, k.phase, k.number, k.at, k.received_at,
       k.attributes::text AS attributes
FROM slot s JOIN event_conflict k USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND k.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND k.received_at < %(end)s
ORDER BY k.event_conflict_id

-- name: exclusion
-- Intervals left out of judgement, as they were agreed.
SELECT x.exclusion_id, s.name AS slot, x.start_at, x.end_at, x.reason, x.asked_on, x.asked_by, x.agreed_site, x.agreed_team,
       x.note, x.recorded_at, x.recorded_by
FROM exclusion x JOIN slot s USING (slot_id)
WHERE x.pilot_id = %(pilot_id)s AND x.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND x.recorded_at < %(end)s
ORDER BY x.exclusion_id

-- name: exclusion_consent
-- What the site and the programme team said to requests, and what came of it.
SELECT c.consent_id, c.request_id, c.side, c.agreed, c.why, c.exclusion_id, c.recorded_at, c.recorded_by
FROM exclusion_request r JOIN exclusion_consent c USING (request_id)
WHERE r.pilot_id = %(pilot_id)s AND c.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND c.recorded_at < %(end)s
ORDER BY c.consent_id

-- name: exclusion_end
-- … and those that were withdrawn.
SELECT exclusion_id, superseded_at, superseded_by, superseded_why
FROM exclusion
WHERE pilot_id = %(pilot_id)s AND superseded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND superseded_at < %(end)s
ORDER BY exclusion_id

-- name: exclusion_paper
-- The signed papers of exclusions that were agreed on paper, by their hash.
SELECT x.exclusion_id, d.sha256
FROM exclusion x JOIN document d USING (document_id)
WHERE x.pilot_id = %(pilot_id)s AND x.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND x.recorded_at < %(end)s
ORDER BY x.exclusion_id

-- name: exclusion_request
-- Exclusions that were asked for.
SELECT r.request_id, s.name AS slot, r.start_at, r.end_at, r.reason, r.asked_on, r.note, r.recorded_at, r.recorded_by
FROM exclusion_request r JOIN slot s USING (slot_id)
WHERE r.pilot_id = %(pilot_id)s AND r.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND r.recorded_at < %(end)s
ORDER BY r.request_id

-- name: exclusion_request_end
-- … and those that were taken back.
SELECT request_id, superseded_at, superseded_by, superseded_why
FROM exclusion_request
WHERE pilot_id = %(pilot_id)s AND superseded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND superseded_at < %(end)s
ORDER BY request_id

-- name: finding
-- What was noticed about the data.
SELECT f.finding_id, s.name AS slot, c.name AS channel, c.revision, f.kind, f.flag, f.start_at, f.end_at, f.value, f.unit,
       f.detail::text AS detail, f.recorded_at
FROM slot s JOIN finding f USING (slot_id) LEFT JOIN channel c ON c.channel_id = f.channel_id
WHERE s.pilot_id = %(pilot_id)s AND f.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND f.recorded_at < %(end)s
ORDER BY f.finding_id

-- name: finding_end
-- … and what no longer held.
SELECT f.finding_id, f.superseded_at
FROM slot s JOIN finding f USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND f.superseded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND f.superseded_at < %(end)s
ORDER BY f.finding_id

-- name: installation
-- Devices that were put into a slot.
SELECT i.installation_id, s.name AS slot, i.serial, i.model, i.firmware, i.installed_at, i.recorded_at
FROM slot s JOIN installation i USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND i.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND i.recorded_at < %(end)s
ORDER BY i.installation_id

-- name: installation_end
-- … and taken out of it.
SELECT i.installation_id, i.removed_at, i.removal_recorded_at
FROM slot s JOIN installation i USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND i.removal_recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND i.removal_recorded_at < %(end)s
ORDER BY i.installation_id

-- name: intake_connection
-- What each connection delivered on the days.
SELECT c.name AS connection, i.day, i.delivered, i.committed, i.quarantined, i.redelivered, i.payload_bytes, i.last_received
FROM connection c JOIN intake_connection i USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND i.day >= coalesce(%(first_day)s::date, '-infinity') AND i.day <= %(last_day)s
ORDER BY i.day, c.name COLLATE "C"

-- name: intake_slot
-- What became of it, by slot.
SELECT s.name AS slot, i.day, i.decoded, i.stored, i.duplicate, i.conflict, i.rejected, i.first_observed, i.last_observed,
       i.last_received
FROM slot s JOIN intake_slot i USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND i.day >= coalesce(%(first_day)s::date, '-infinity') AND i.day <= %(last_day)s
ORDER BY i.day, s.name COLLATE "C"

-- name: label
-- Truth labels that people recorded.
SELECT l.label_id, s.name AS slot, l.kind, l.start_at, l.end_at, l.outcome, l.attributes::text AS attributes, l.place, l.labeller,
       l.side, l.blind, l.reader, l.window_at, l.note, l.file_name, l.file_sha256, l.file_line, l.recorded_at, l.recorded_by
FROM label l JOIN slot s USING (slot_id)
WHERE l.pilot_id = %(pilot_id)s AND l.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND l.recorded_at < %(end)s
ORDER BY l.label_id

-- name: label_end
-- … and those that were withdrawn.
SELECT label_id, superseded_at, superseded_by, superseded_why
FROM label
WHERE pilot_id = %(pilot_id)s AND superseded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND superseded_at < %(end)s
ORDER BY label_id

-- name: link_state
-- What slots said of their links.
SELECT s.name AS slot, l.at, l.received_at, l.state, l.origin
FROM slot s JOIN link_state l USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND l.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND l.received_at < %(end)s
ORDER BY l.received_at, s.name COLLATE "C", l.at, l.state COLLATE "C"

-- name: manual
-- What people observed and entered, each with the hash of the document that proves it.
SELECT m.manual_id, s.name AS slot, m.quantity, m.unit, m.start_at, m.end_at, m.value, m.exposure, m.exposure_unit, m.n, m.sd,
       m.scores::text AS scores, m.measured_by, m.note, d.sha256, m.recorded_at, m.recorded_by
FROM manual_value m JOIN document d USING (document_id) LEFT JOIN slot s USING (slot_id)
WHERE m.pilot_id = %(pilot_id)s AND m.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND m.recorded_at < %(end)s
ORDER BY m.manual_id

-- name: manual_end
-- … and what was withdrawn.
SELECT manual_id, superseded_at, superseded_by, superseded_why
FROM manual_value
WHERE pilot_id = %(pilot_id)s AND superseded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND superseded_at < %(end)s
ORDER BY manual_id

-- name: opinion
-- The officers' words.
SELECT opinion_id, month, result_id, judgement, body, written_by, written_at
FROM opinion
WHERE pilot_id = %(pilot_id)s AND written_at >= coalesce(%(start)s::timestamptz, '-infinity') AND written_at < %(end)s
ORDER BY opinion_id

-- name: outage
-- Outages, as they were agreed.
SELECT o.outage_id,
       (SELECT string_agg(s.name, ',' ORDER BY s.name COLLATE "C") FROM slot s WHERE s.slot_id = ANY (o.slot_ids)) AS slots,
       o.start_at, o.end_at, o.cause, o.charged_to, o.agreed_by, o.note, o.recorded_at, o.recorded_by
FROM outage o
WHERE o.pilot_id = %(pilot_id)s AND o.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND o.recorded_at < %(end)s
ORDER BY o.outage_id

-- name: outage_end
-- … and those that were withdrawn.
SELECT outage_id, superseded_at, superseded_by, superseded_why
FROM outage
WHERE pilot_id = %(pilot_id)s AND superseded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND superseded_at < %(end)s
ORDER BY outage_id

-- name: plan_version
-- Versions of the plan; the hash is worked out again from the file's bytes.
SELECT version, sha256, encode(sha256(source), 'hex') AS source_sha256, amendment::text AS amendment,
       profiles::text AS profiles, recorded_at, recorded_by
FROM plan_version
WHERE pilot_id = %(pilot_id)s AND recorded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND recorded_at < %(end)s
ORDER BY version

-- name: platform_quarantine
-- Messages that were nobody's, by their hash.
SELECT quarantine_id, received_at, topic, reason, payload_bytes, payload_sha256
FROM quarantine
WHERE connection_id IS NULL AND received_at >= coalesce(%(start)s::timestamptz, '-infinity') AND received_at < %(end)s
ORDER BY quarantine_id

-- name: platform_record
-- When the platform itself was at work. What a loader of simulated history says belongs to its own pilot.
SELECT record_id, process, run, version, from_at, until_at, heard::text AS heard, goes_on, recorded_at, note
FROM platform_record
WHERE recorded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND recorded_at < %(end)s
  AND (process = 'loader:' || %(pilot)s OR NOT starts_with(process, 'loader:'))
ORDER BY record_id

-- name: quarantine
-- Messages that could not be taken, by their hash: what was kept of them goes after some weeks.
SELECT q.quarantine_id, c.name AS connection, q.received_at, q.topic, q.reason, q.detail, q.payload_bytes, q.payload_sha256,
       q.flags
FROM connection c JOIN quarantine q USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND q.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND q.received_at < %(end)s
ORDER BY q.quarantine_id

-- name: quarantine_day
-- … those that were only counted among them.
SELECT c.name AS connection, q.day, q.kept, q.kept_bytes, q.beyond, q.beyond_bytes, q.beyond_sha256
FROM connection c JOIN quarantine_day q USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND q.day >= coalesce(%(first_day)s::date, '-infinity') AND q.day <= %(last_day)s
ORDER BY q.day, c.name COLLATE "C"

-- name: quarantine_replay
-- … and those that were taken in the end.
SELECT q.quarantine_id, q.replayed_at, q.resolution
FROM connection c JOIN quarantine q USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND q.replayed_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND q.replayed_at < %(end)s
ORDER BY q.quarantine_id

-- name: redecoded_batch
-- Raw messages that were decoded again.
SELECT batch_id, message_from, message_until, recorded_at, recorded_by
FROM redecoded_batch
WHERE pilot_id = %(pilot_id)s AND recorded_at >= coalesce(%(start)s::timestamptz, '-infinity') AND recorded_at < %(end)s
ORDER BY batch_id

-- name: redecoded_hour
-- … how many readings that took the place of,
SELECT s.name AS slot, c.name AS channel, c.revision, h.hour, h.n, h.recorded_at
FROM slot s JOIN channel c USING (slot_id) JOIN redecoded_hour h USING (channel_id)
WHERE s.pilot_id = %(pilot_id)s AND h.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND h.recorded_at < %(end)s
ORDER BY h.recorded_at, s.name COLLATE "C", c.name COLLATE "C", c.revision, h.hour, h.n

-- name: redecoding
-- … and which readings do not stand any more.
SELECT r.batch_id, s.name AS slot, c.name AS channel, c.revision, r.received_from, r.received_until,
       b.revision AS by_revision, r.recorded_at
FROM slot s JOIN channel c USING (slot_id) JOIN redecoding r USING (channel_id)
JOIN channel b ON b.channel_id = r.by_channel_id
WHERE s.pilot_id = %(pilot_id)s AND r.recorded_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND r.recorded_at < %(end)s
ORDER BY r.batch_id, s.name COLLATE "C", c.name COLLATE "C", c.revision, r.received_from, b.revision

-- name: rejection
-- Readings and events that were refused.
SELECT r.rejection_id, s.name AS slot, r.received_at, r.topic, r.item, r.observed, r.value, r.reason, r.detail
FROM slot s JOIN rejection r USING (slot_id)
WHERE s.pilot_id = %(pilot_id)s AND r.received_at >= coalesce(%(start)s::timestamptz, '-infinity')
  AND r.received_at < %(end)s
ORDER BY r.rejection_id

-- name: result
-- What was judged.
SELECT result_id, kind, label, version, plan_version, as_of, evaluated_at, code_version, sha256, document::text AS document,
       difference::text AS difference
FROM result
WHERE pilot_id = %(pilot_id)s AND evaluated_at >= coalesce(%(start)s::timestamptz, '-infinity') AND evaluated_at < %(end)s
ORDER BY result_id

-- name: sequence
-- The message numbers that came, of every sender that was heard in the span or since.
SELECT c.name AS connection, q.boot, q.day, q.span::text AS span, q.received::text AS received, q.given_up, q.repeated,
       q.last_received
FROM connection c JOIN sequence q USING (connection_id)
WHERE c.pilot_id = %(pilot_id)s AND q.day <= %(last_day)s
  AND q.last_received >= coalesce(%(start)s::timestamptz, '-infinity')
ORDER BY c.name COLLATE "C", q.boot COLLATE "C", q.day

-- name: numbers_lost
-- Message numbers of a sender and day that a seal has and the store does not have any more; no row where none is lost.
SELECT lost.numbers::text AS lost
FROM (
    SELECT %(received)s::int8multirange
           - coalesce((SELECT range_agg(q.received) FROM connection c JOIN sequence q USING (connection_id)
                       WHERE c.pilot_id = %(pilot_id)s AND c.name = %(connection)s AND q.boot = %(boot)s AND q.day = %(day)s),
                      '{}') AS numbers
) AS lost
WHERE NOT isempty(lost.numbers)

-- name: payloads_that_differ
-- Messages that are kept whole and do not have their recorded hash.
SELECT q.quarantine_id, q.topic, q.received_at
FROM quarantine q LEFT JOIN connection c USING (connection_id)
WHERE (c.pilot_id = %(pilot_id)s OR q.connection_id IS NULL)
  AND q.received_at >= coalesce(%(start)s::timestamptz, '-infinity') AND q.received_at < %(end)s
  AND q.payload_dropped_at IS NULL AND octet_length(q.payload) = q.payload_bytes
  AND encode(sha256(q.payload), 'hex') <> q.payload_sha256
ORDER BY q.quarantine_id
