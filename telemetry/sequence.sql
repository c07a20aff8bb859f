-- name: extend_backwards
-- Numbers from before the first that was known of a sender: its first day begins with them.
UPDATE sequence AS s
SET span = int8range(lower(g.numbers), upper(s.span))
FROM unnest(%(connections)s::int[], %(boots)s::text[], %(numbers)s::int8multirange[]) AS g (connection_id, boot, numbers)
WHERE s.connection_id = g.connection_id AND s.boot = g.boot AND lower(g.numbers) < lower(s.span)
  AND s.day = (SELECT min(day) FROM sequence f WHERE f.connection_id = g.connection_id AND f.boot = g.boot)

-- name: fill
-- Numbers that days so far account for: the holes they fill, and those that came again.
UPDATE sequence AS s
SET received = s.received + (g.numbers * int8multirange(s.span)),
    repeated = s.repeated
        + (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(s.received * g.numbers) AS r),
    last_received = greatest(s.last_received, %(received_at)s)
FROM unnest(%(connections)s::int[], %(boots)s::text[], %(numbers)s::int8multirange[]) AS g (connection_id, boot, numbers)
WHERE s.connection_id = g.connection_id AND s.boot = g.boot AND int8multirange(s.span) && g.numbers

-- name: go_on
-- Numbers beyond all that were known belong to the day of their receipt, with the holes before them. Where a sender tells its
-- boots apart their numbering begins at 1; otherwise with the first number that comes.
INSERT INTO sequence AS total (connection_id, boot, day, span, received, last_received)
SELECT n.connection_id, n.boot, n.day, n.span, n.numbers * int8multirange(n.span), %(received_at)s
FROM (
    SELECT g.connection_id, g.boot, (%(received_at)s::timestamptz AT TIME ZONE p.zone)::date AS day, g.numbers,
           int8range(coalesce(known.next, CASE WHEN g.boot = '' THEN lower(g.numbers) ELSE least(lower(g.numbers), 1) END),
                     upper(g.numbers)) AS span
    FROM unnest(%(connections)s::int[], %(boots)s::text[], %(numbers)s::int8multirange[])
         AS g (connection_id, boot, numbers)
    JOIN connection c USING (connection_id)
    JOIN pilot p USING (pilot_id)
    LEFT JOIN LATERAL (
        SELECT max(upper(s.span)) AS next FROM sequence s WHERE s.connection_id = g.connection_id AND s.boot = g.boot
    ) AS known ON true
    WHERE known.next IS NULL OR upper(g.numbers) > known.next
) AS n
ORDER BY n.connection_id, n.boot
ON CONFLICT (connection_id, boot, day) DO UPDATE SET
    span = int8range(lower(total.span), upper(excluded.span)),
    received = total.received + excluded.received,
    last_received = excluded.last_received

-- name: count_repeated
-- Numbers that came more than once within a batch.
UPDATE sequence AS s
SET repeated = s.repeated + a.n
FROM (
    SELECT f.connection_id, f.boot, f.day, sum(g.n) AS n
    FROM unnest(%(connections)s::int[], %(boots)s::text[], %(seqs)s::bigint[], %(ns)s::bigint[])
         AS g (connection_id, boot, seq, n)
    JOIN sequence f ON f.connection_id = g.connection_id AND f.boot = g.boot AND f.span @> g.seq
    GROUP BY f.connection_id, f.boot, f.day
) AS a
WHERE s.connection_id = a.connection_id AND s.boot = a.boot AND s.day = a.day

-- name: states
-- What is committed of each sender: from where to where, and the holes between. Days without a hole need not be read.
SELECT g.connection_id, g.boot, ends.first, ends.through, ends.at, holes.missing::text AS missing,
       coalesce(holes.given_up, 0)::bigint AS given_up, holes.given_up_through
FROM unnest(%(connections)s::int[], %(boots)s::text[]) AS g (connection_id, boot)
JOIN LATERAL (
    SELECT (SELECT lower(s.span) FROM sequence s WHERE s.connection_id = g.connection_id AND s.boot = g.boot
            ORDER BY s.day LIMIT 1) AS first,
           upper(s.span) - 1 AS through, s.last_received AS at
    FROM sequence s
    WHERE s.connection_id = g.connection_id AND s.boot = g.boot
    ORDER BY s.day DESC
    LIMIT 1
) AS ends ON true
LEFT JOIN LATERAL (
    SELECT range_agg(int8multirange(s.span) - s.received) AS missing, sum(s.given_up) AS given_up,
           max(s.given_up_through) AS given_up_through
    FROM sequence s
    WHERE s.connection_id = g.connection_id AND s.boot = g.boot
      AND (s.received <> int8multirange(s.span) OR s.given_up > 0)
) AS holes ON true
ORDER BY g.connection_id, g.boot

-- name: give_up
-- Holes of a sender that are no longer kept one by one: counted for good, and no receipt reaches down to them any more.
UPDATE sequence AS s
SET given_up = s.given_up + (
        SELECT coalesce(sum(upper(r) - lower(r)), 0)
        FROM unnest(%(holes)s::int8multirange * (int8multirange(s.span) - s.received)) AS r),
    given_up_through = greatest(s.given_up_through, %(through)s),
    received = s.received + (%(holes)s::int8multirange * int8multirange(s.span))
WHERE s.connection_id = %(connection)s AND s.boot = %(boot)s AND int8multirange(s.span) && %(holes)s::int8multirange
