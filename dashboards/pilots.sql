-- name: last_received
-- When each visible pilot was last heard, and how many of its slots are silent for longer than their periods explain.
SELECT pilot.pilot_id, heard.last_received, heard.slots, heard.silent
FROM visible_pilot AS pilot
CROSS JOIN LATERAL (
    SELECT max(slot_heard.last_received) AS last_received, count(*) AS slots,
        count(*) FILTER (
            WHERE slot_heard.last_received IS NULL
                OR slot_heard.last_received < %(now)s::timestamptz - make_interval(secs => expected.silence_s)
        ) AS silent
    FROM slot
    CROSS JOIN LATERAL (
        SELECT greatest(%(least_s)s::float8, coalesce(max(channel.max_hold_s), %(unknown_s)s::float8)) AS silence_s
        FROM channel
        WHERE channel.slot_id = slot.slot_id AND channel.valid_to IS NULL AND channel.reporting = 'periodic'
    ) AS expected
    LEFT JOIN LATERAL (
        SELECT last_received FROM intake_slot
        WHERE intake_slot.slot_id = slot.slot_id ORDER BY day DESC LIMIT 1
    ) AS slot_heard ON true
    WHERE slot.pilot_id = pilot.pilot_id AND slot.withdrawn_at IS NULL
      -- Whether what it is compared with is heard is no concern of the company's.
      AND (slot.options->>'owner' IS NULL
           OR (SELECT role FROM person WHERE person.person_id = pilot.person_id) <> 'company')
) AS heard
WHERE pilot.person_id = %(person)s AND (%(name)s::text IS NULL OR pilot.name = %(name)s)

-- name: latest_results
-- The newest version of each result of a kind. A running month has thousands of versions: labels are found by jumping
-- along the key from one to the next, never by reading the versions between.
WITH RECURSIVE labelled AS (
    SELECT pilot.pilot_id, (
        SELECT min(result.label) FROM result
        WHERE result.pilot_id = pilot.pilot_id AND result.kind = %(kind)s AND result.label >= %(from)s
    ) AS label
    FROM visible_pilot AS pilot
    WHERE pilot.person_id = %(person)s AND (%(name)s::text IS NULL OR pilot.name = %(name)s)
    UNION ALL
    SELECT labelled.pilot_id, (
        SELECT min(result.label) FROM result
        WHERE result.pilot_id = labelled.pilot_id AND result.kind = %(kind)s AND result.label > labelled.label
    )
    FROM labelled WHERE labelled.label IS NOT NULL
)
SELECT newest.*
FROM labelled
CROSS JOIN LATERAL (
    SELECT result.pilot_id, result.kind, result.label, result.version, result.plan_version, result.as_of,
        result.evaluated_at, result.sha256, result.code_version, result.result_id
    FROM result
    WHERE result.pilot_id = labelled.pilot_id AND result.kind = %(kind)s AND result.label = labelled.label
    ORDER BY result.version DESC
    LIMIT 1
) AS newest
WHERE %(label)s::text IS NULL OR newest.label = %(label)s
ORDER BY newest.pilot_id, newest.label

-- name: refused_lately
-- Per visible pilot: messages set aside and values refused since a day, the months that have an opinion, and
-- the opinions that an officer has opened.
SELECT pilot.pilot_id,
    (SELECT coalesce(sum(intake_connection.quarantined), 0)::bigint FROM intake_connection JOIN connection USING (connection_id)
     WHERE connection.pilot_id = pilot.pilot_id AND intake_connection.day >= %(day)s) AS quarantined,
    (SELECT coalesce(sum(intake_slot.rejected), 0)::bigint FROM intake_slot JOIN slot USING (slot_id)
     WHERE slot.pilot_id = pilot.pilot_id AND intake_slot.day >= %(day)s) AS rejected,
    (SELECT array_agg(DISTINCT month) FROM opinion WHERE opinion.pilot_id = pilot.pilot_id) AS opinions,
    (SELECT array_agg(DISTINCT audit.object) FROM audit
     WHERE audit.pilot = pilot.name AND audit.what = 'opinion.open') AS opened
FROM visible_pilot AS pilot
WHERE pilot.person_id = %(person)s AND (%(name)s::text IS NULL OR pilot.name = %(name)s)

-- name: slots
-- The slots of one visible pilot in the order of registration, with their devices and when they were last heard.
SELECT slot.slot_id, slot.name, slot.place, slot.options, connection.name AS connection, connection.protocol,
    connection.topics, heard.last_received, coalesce(slot.options->>'owner', 'company') AS owner,
    -- What the company is compared with speaks for itself: its way in is not the company's.
    CASE WHEN slot.options->>'owner' IS NULL
              OR (SELECT role FROM person WHERE person.person_id = pilot.person_id) IN ('admin', 'officer')
         THEN connection.username END AS username,
    (SELECT jsonb_agg(jsonb_build_object('serial', serial, 'model', model, 'firmware', firmware,
        'installed_at', installed_at, 'removed_at', removed_at) ORDER BY installed_at)
     FROM installation WHERE installation.slot_id = slot.slot_id) AS installations
FROM visible_pilot AS pilot
JOIN slot USING (pilot_id)
JOIN connection USING (connection_id)
LEFT JOIN LATERAL (
    SELECT last_received FROM intake_slot WHERE intake_slot.slot_id = slot.slot_id ORDER BY day DESC LIMIT 1
) AS heard ON true
WHERE pilot.person_id = %(person)s AND pilot.pilot_id = %(pilot)s AND slot.withdrawn_at IS NULL
ORDER BY slot.slot_id

-- name: last_opinion
-- The newest words that somebody wrote under a month of a visible pilot.
SELECT max(opinion.opinion_id) AS opinion_id
FROM visible_pilot AS pilot JOIN opinion USING (pilot_id)
WHERE pilot.person_id = %(person)s AND pilot.pilot_id = %(pilot)s AND opinion.month = %(month)s

-- name: documents
-- The documents of results, as text: they are kept once they were read.
SELECT result_id, document::text AS document FROM result WHERE result_id = ANY (%(ids)s)

-- name: one_version
-- One version of a result of a visible pilot; the newest if none is named.
SELECT result.pilot_id, result.kind, result.label, result.version, result.plan_version, result.as_of,
    result.evaluated_at, result.sha256, result.code_version, result.result_id
FROM visible_pilot AS pilot
JOIN result USING (pilot_id)
WHERE pilot.person_id = %(person)s AND pilot.pilot_id = %(pilot)s AND result.kind = %(kind)s AND result.label = %(label)s
  AND (%(version)s::integer IS NULL OR result.version = %(version)s)
ORDER BY result.version DESC
LIMIT 1

-- name: versions
-- The versions of a result of a visible pilot, the newest first, each with what made it differ from the one before.
SELECT result.version, result.plan_version, result.as_of, result.evaluated_at, result.code_version, result.sha256,
    result.difference, coalesce(result.provisional, false) AS provisional
FROM visible_pilot AS pilot
JOIN result USING (pilot_id)
WHERE pilot.person_id = %(person)s AND pilot.pilot_id = %(pilot)s AND result.kind = %(kind)s AND result.label = %(label)s
  AND result.version <= %(upto)s
ORDER BY result.version DESC
LIMIT %(most)s
