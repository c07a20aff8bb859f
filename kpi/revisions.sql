-- name: revisions
-- The revisions of a pilot's channels that had readings in a window by an instant: whether any of them stands, and whether any
-- stands no more since its message was decoded again. Summaries answer; readings are looked for, each time the first one, only in
-- hours that were not summarised by then, that got more since, and at the window's edges.
WITH found AS MATERIALIZED (
    SELECT s.name AS slot, c.name AS channel, c.unit, c.revision,
           coalesce(c.options ->> 'source', c.name) AS source, coalesce(c.options ->> 'source_unit', c.unit) AS source_unit,
           EXISTS (
               SELECT FROM summary h
               LEFT JOIN (
                   SELECT g.hour, sum(g.n) AS n FROM redecoded_hour g
                   WHERE g.channel_id = c.channel_id AND g.recorded_at <= %(as_of)s
                   GROUP BY g.hour
               ) AS gone ON gone.hour = h.hour
               WHERE h.channel_id = c.channel_id AND h.hour >= %(start)s AND h.hour <= %(end)s::timestamptz - interval '1 hour'
                 AND h.last_received <= %(as_of)s AND h.n > coalesce(gone.n, 0)
           ) OR EXISTS (
               SELECT
               FROM (
                   SELECT h.hour FROM summary h
                   WHERE h.channel_id = c.channel_id AND h.hour > %(start)s::timestamptz - interval '1 hour' AND h.hour < %(end)s
                     AND (h.last_received > %(as_of)s OR h.hour < %(start)s
                          OR h.hour > %(end)s::timestamptz - interval '1 hour')
                   UNION
                   SELECT d.hour FROM dirty_hour d
                   WHERE d.channel_id = c.channel_id AND d.hour > %(start)s::timestamptz - interval '1 hour' AND d.hour < %(end)s
               ) AS touched
               CROSS JOIN LATERAL (
                   SELECT FROM reading r
                   WHERE r.channel_id = c.channel_id
                     AND r.observed_at >= greatest(touched.hour, %(start)s)
                     AND r.observed_at < least(touched.hour + interval '1 hour', %(end)s)
                     AND r.received_at <= %(as_of)s
                     AND NOT EXISTS (SELECT FROM redecoding d
                                     WHERE d.channel_id = r.channel_id AND d.recorded_at <= %(as_of)s
                                       AND r.received_at >= d.received_from AND r.received_at < d.received_until)
                   LIMIT 1
               ) AS first_one
           ) AS stands,
           EXISTS (
               SELECT FROM redecoded_hour g
               WHERE g.channel_id = c.channel_id AND g.recorded_at <= %(as_of)s
                 AND g.hour > %(start)s::timestamptz - interval '1 hour' AND g.hour < %(end)s
           ) AS redecoded
    FROM pilot p
    JOIN slot s USING (pilot_id)
    JOIN channel c USING (slot_id)
    WHERE p.name = %(pilot)s AND c.valid_from <= %(as_of)s
)
SELECT * FROM found
WHERE found.stands OR found.redecoded
ORDER BY found.slot, found.channel, found.revision
