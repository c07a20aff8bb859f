-- name: drop_messages
-- Raw messages that the plan no longer keeps.
DELETE FROM message m USING pilot p
WHERE p.pilot_id = m.pilot_id AND p.name = %(pilot)s
  AND m.received_at < clock_timestamp() - make_interval(secs => %(keep_s)s)

-- name: drop_jobs
-- Jobs that are done for a day: the queue is no record.
DELETE FROM procrastinate_jobs j
WHERE j.status = 'succeeded'
  AND (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) < now() - interval '1 day'
