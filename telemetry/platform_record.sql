-- name: add
-- What a process says of some minutes, once and for good.
INSERT INTO platform_record (process, run, version, from_at, until_at, heard, goes_on, recorded_at, note)
VALUES (%(process)s, %(run)s, %(version)s, %(from_at)s, %(until_at)s, %(heard)s, %(goes_on)s, %(recorded_at)s, %(note)s)

-- name: settle
-- What lives of a process that ended without a word had said by their pulse, and not recorded yet.
WITH said AS (
    SELECT h.process, tstzmultirange(tstzrange(h.started_at, h.at)) - coalesce(
               (SELECT range_agg(r.heard) FROM platform_record r
                WHERE r.process = h.process AND r.until_at > h.started_at), '{}'::tstzmultirange) AS heard
    FROM heartbeat h
    WHERE h.at > %(recorded_at)s::timestamptz - interval '30 days' AND h.at > h.started_at
      AND (h.process = %(process)s OR h.at < %(recorded_at)s::timestamptz - interval '10 minutes')
)
INSERT INTO platform_record (process, run, from_at, until_at, heard, goes_on, recorded_at, note)
SELECT process, '', lower(heard), upper(heard), heard, false, %(recorded_at)s, 'by the pulse of a life that ended without a word'
FROM said
WHERE upper(heard) - lower(heard) > interval '1 second'

-- name: alive
-- When an intake was alive for a pilot, by what was recorded up to an instant.
SELECT range_agg(heard) * tstzmultirange(tstzrange(%(start)s::timestamptz, %(end)s::timestamptz)) AS heard
FROM platform_record
WHERE tstzrange(from_at, until_at) && tstzrange(%(start)s::timestamptz, %(end)s::timestamptz) AND recorded_at <= %(as_of)s
  AND (process LIKE 'collector%%' OR process = %(loader)s)

-- name: alive_now
-- The same by all that is known at this moment, the pulse included.
SELECT range_agg(heard) * tstzmultirange(tstzrange(%(start)s::timestamptz, %(end)s::timestamptz)) AS heard
FROM (
    SELECT heard, process FROM platform_record
    WHERE tstzrange(from_at, until_at) && tstzrange(%(start)s::timestamptz, %(end)s::timestamptz)
    UNION ALL
    SELECT tstzmultirange(tstzrange(started_at, at)), process FROM heartbeat WHERE at > %(start)s AND started_at < %(end)s
) AS said
WHERE process LIKE 'collector%%' OR process = %(loader)s

-- name: going_on
-- Up to where an intake had said that it was at work, and going on with it, when it last said anything before an instant.
SELECT max(until_at) AS until
FROM (
    SELECT DISTINCT ON (process) until_at, goes_on
    FROM platform_record
    WHERE until_at > %(as_of)s::timestamptz - make_interval(secs => %(within_s)s) AND until_at <= %(as_of)s
      AND recorded_at <= %(as_of)s AND (process LIKE 'collector%%' OR process = %(loader)s)
    ORDER BY process, until_at DESC, record_id DESC
) AS newest
WHERE goes_on

-- name: known_since
-- Where the record of intakes begins; without an instant, the pulse included.
SELECT least(
    (SELECT min(lower(heard)) FROM platform_record
     WHERE (process LIKE 'collector%%' OR process = %(loader)s)
       AND (%(as_of)s::timestamptz IS NULL OR recorded_at <= %(as_of)s)),
    (SELECT min(started_at) FROM heartbeat WHERE process LIKE 'collector%%' AND %(as_of)s::timestamptz IS NULL)
) AS since
