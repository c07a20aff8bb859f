-- name: chunks
-- The chunks of the table of readings; none on a plain server.
SELECT chunk, from_at, until_at, by_column FROM reading_chunks() ORDER BY from_at

-- name: bytes
-- What lying by column saves.
SELECT before_bytes, after_bytes FROM reading_bytes()

-- name: policy
-- After which time a chunk is moved to columns.
SELECT after, scheduled, last_run_at, last_status FROM reading_policy()

-- name: set_policy
-- Another time.
SELECT set_reading_policy(%(after)s) AS changed

-- name: move_chunk
-- One chunk, now.
SELECT move_reading_chunk(%(chunk)s)

-- name: drop_chunk
-- A chunk, unless a reading of another channel lies in it.
SELECT drop_reading_chunk(%(chunk)s, %(start)s, %(end)s, %(channels)s::int[]) AS dropped
