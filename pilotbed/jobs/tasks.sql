-- name: received_late
-- Whether readings, events or link states of a window were received after an instant.
SELECT EXISTS (
    SELECT FROM summary s JOIN channel USING (channel_id) JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND s.hour >= %(start)s::timestamptz - interval '1 hour' AND s.hour < %(end)s
      AND s.last_received > %(as_of)s
) OR EXISTS (
    SELECT FROM event e JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND e.at >= %(start)s AND e.at < %(end)s AND e.received_at > %(as_of)s
) OR EXISTS (
    SELECT FROM link_state l JOIN slot USING (slot_id) JOIN pilot p USING (pilot_id)
    WHERE p.name = %(pilot)s AND l.at >= %(start)s AND l.at < %(end)s AND l.received_at > %(as_of)s
) AS late

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
