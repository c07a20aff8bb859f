-- name: changed
-- How many findings that touch a window were recorded after one instant and stood at another, and how many that stood at the first
-- were superseded by the other. Of each slot, channel and kind those with a flag from its least on; of a slot as a whole too.
SELECT count(*) FILTER (WHERE recorded) AS recorded, count(*) FILTER (WHERE NOT recorded) AS superseded
FROM (
    SELECT DISTINCT f.finding_id, f.recorded_at > %(after)s AS recorded
    FROM unnest(%(slots)s::text[], %(channels)s::text[], %(kinds)s::text[], %(least)s::smallint[])
        AS one (slot, channel, kind, least)
    JOIN pilot p ON p.name = %(pilot)s
    JOIN slot s ON s.pilot_id = p.pilot_id AND s.name = one.slot
    JOIN finding f ON f.slot_id = s.slot_id AND f.kind = one.kind AND f.flag >= one.least
    LEFT JOIN channel c ON c.channel_id = f.channel_id
    WHERE (f.channel_id IS NULL OR c.name = one.channel)
      AND f.start_at <= %(end)s AND f.end_at >= %(start)s
      AND (   (f.recorded_at > %(after)s AND f.recorded_at <= %(until)s
               AND (f.superseded_at IS NULL OR f.superseded_at > %(until)s))
           OR (f.recorded_at <= %(after)s AND f.superseded_at > %(after)s AND f.superseded_at <= %(until)s))
) AS found
