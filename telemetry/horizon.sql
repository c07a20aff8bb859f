-- name: share
-- Hold off whoever closes the past until this transaction ends.
SELECT pg_advisory_xact_lock_shared(%(lock)s)

-- name: received_at
-- The receipt time of this transaction. A statement of its own: it must see the horizon as it is once the lock is held.
SELECT greatest(clock_timestamp(), at + interval '1 microsecond') AS received_at FROM horizon

-- name: advance
-- The clock becomes the horizon; it never goes back.
UPDATE horizon SET at = greatest(at, clock_timestamp()) RETURNING at

-- name: wait
-- Granted once no ingest transaction from before is left.
SELECT pg_advisory_xact_lock(%(lock)s)
