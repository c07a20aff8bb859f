-- name: drop_jobs
-- Jobs that are done for a day: the queue is no record.
DELETE FROM procrastinate_jobs j
WHERE j.status = 'succeeded'
  AND (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) < now() - interval '1 day'
