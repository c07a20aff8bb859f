-- name: channels_of_pilot
-- Each channel of a pilot once: attributes of its newest revision, the ids of all.
SELECT p.name AS pilot, s.name AS slot, s.slot_id, c.name, c.kind, c.unit, c.reporting, c.period_s, c.max_hold_s,
       c.options, all_of.channel_ids
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN LATERAL (
    SELECT name, array_agg(channel_id ORDER BY revision) AS channel_ids, min(channel_id) AS first_id,
           max(revision) AS newest
    FROM channel WHERE slot_id = s.slot_id GROUP BY name
) all_of ON true
JOIN channel c ON c.slot_id = s.slot_id AND c.name = all_of.name AND c.revision = all_of.newest
WHERE p.name = %(pilot)s
ORDER BY s.slot_id, all_of.first_id
