-- name: channels_of_pilot
-- Each channel of a pilot once, as of an instant: attributes of its newest revision by then, the ids of all by then, and of
-- those that join their readings by the same rules, and of those of which readings stand no more.
SELECT p.name AS pilot, s.name AS slot, s.slot_id, c.name, c.kind, c.unit, c.reporting, c.period_s, c.max_hold_s,
       c.options, all_of.channel_ids, all_of.revisions,
       ARRAY(SELECT other.channel_id FROM channel other
             WHERE other.channel_id = ANY (all_of.channel_ids)
               AND (other.kind, other.reporting, other.period_s, other.max_hold_s)
                   IS NOT DISTINCT FROM (c.kind, c.reporting, c.period_s, c.max_hold_s)) AS alike_ids,
       ARRAY(SELECT one FROM unnest(all_of.channel_ids) AS one
             WHERE EXISTS (SELECT FROM redecoding d
                           WHERE d.channel_id = one AND (%(as_of)s::timestamptz IS NULL OR d.recorded_at <= %(as_of)s)))
           AS redecoded_ids
FROM pilot p
JOIN slot s USING (pilot_id)
JOIN LATERAL (
    SELECT name, array_agg(channel_id ORDER BY revision) AS channel_ids,
           array_agg(revision ORDER BY revision) AS revisions, min(channel_id) AS first_id,
           max(revision) AS newest
    FROM channel
    WHERE slot_id = s.slot_id AND (%(as_of)s::timestamptz IS NULL OR valid_from <= %(as_of)s)
    GROUP BY name
) all_of ON true
JOIN channel c ON c.slot_id = s.slot_id AND c.name = all_of.name AND c.revision = all_of.newest
WHERE p.name = %(pilot)s
ORDER BY s.slot_id, all_of.first_id
