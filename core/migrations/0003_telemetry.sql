-- What we know: readings, events, link states, what was refused and why, summaries.

-- A measured value. Never changed; never deleted before the pilot's retention ends.
CREATE TABLE reading (
    observed_at timestamptz NOT NULL,       -- device time
    received_at timestamptz NOT NULL,       -- commit time: when we took responsibility
    value double precision NOT NULL,        -- in the channel's canonical unit; a state's code
    channel_id integer NOT NULL,
    flags smallint NOT NULL DEFAULT 0,      -- intake facts only, see telemetry/README.md
    PRIMARY KEY (channel_id, observed_at)
);

-- The second value of a (channel, observed_at) that was there with another: kept for review.
CREATE TABLE conflict (
    conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id integer NOT NULL REFERENCES channel,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    value double precision NOT NULL,
    stored_value double precision NOT NULL,
    flags smallint NOT NULL
);
CREATE INDEX conflict_channel ON conflict (channel_id, received_at);

-- Something that happened at a slot.
CREATE TABLE event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    kind text NOT NULL,
    id text NOT NULL,                       -- the sender's
    phase text NOT NULL DEFAULT '' CHECK (phase IN ('', 'start', 'end')),
    number bigint,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    attributes jsonb NOT NULL DEFAULT '{}',
    flags smallint NOT NULL DEFAULT 0,
    UNIQUE (slot_id, kind, id, phase)
);
CREATE INDEX event_at ON event (slot_id, kind, at);

-- An event that repeats a key with another content: the first stays.
CREATE TABLE event_conflict (
    event_conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    kind text NOT NULL,
    id text NOT NULL,
    phase text NOT NULL,
    number bigint,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    attributes jsonb NOT NULL
);

-- What a slot said of its link, or a will said for it.
CREATE TABLE link_state (
    slot_id integer NOT NULL REFERENCES slot,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('online', 'offline')),
    origin text NOT NULL CHECK (origin IN ('status', 'will')),
    PRIMARY KEY (slot_id, at, state)
);

-- A message we could not take: raw, with the reason. It can be fixed and replayed.
CREATE TABLE quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id integer REFERENCES connection,    -- NULL: nobody's topic
    received_at timestamptz NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,                   -- a code of ingest/reasons.py
    detail text NOT NULL,
    payload bytea NOT NULL,                 -- whole, or its head where it is oversized
    payload_bytes integer NOT NULL,
    payload_sha256 text NOT NULL,
    resolved_at timestamptz,
    resolution text
);
CREATE INDEX quarantine_connection ON quarantine (connection_id, received_at);

-- A reading or event that was refused on its own: with its value and the reason.
CREATE TABLE rejection (
    rejection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    received_at timestamptz NOT NULL,
    topic text NOT NULL,
    item text NOT NULL,                     -- the channel or event that was meant
    observed text NOT NULL,                 -- its time as it was said
    value text NOT NULL,                    -- its value as it was said
    reason text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX rejection_slot ON rejection (slot_id, received_at);

-- Raw messages as they came: one row a pilot and batch, deflated, for the time that the plan says.
CREATE TABLE message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    received_at timestamptz NOT NULL,
    connections integer[] NOT NULL,
    n integer NOT NULL,
    body bytea NOT NULL                     -- see telemetry/messages.py
);
ALTER TABLE message ALTER COLUMN body SET STORAGE EXTERNAL;   -- it is deflated already
CREATE INDEX message_pilot ON message (pilot_id, received_at);

-- Exact counts a day of receipt (the pilot's zone): delivered = committed + quarantined.
CREATE TABLE intake_connection (
    connection_id integer NOT NULL REFERENCES connection,
    day date NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    committed bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    payload_bytes bigint NOT NULL DEFAULT 0,
    last_received timestamptz NOT NULL,
    PRIMARY KEY (connection_id, day),
    CHECK (delivered = committed + quarantined)
);

-- … and decoded = stored + duplicate + conflict + rejected.
CREATE TABLE intake_slot (
    slot_id integer NOT NULL REFERENCES slot,
    day date NOT NULL,
    decoded bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    conflict bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    last_received timestamptz NOT NULL,
    PRIMARY KEY (slot_id, day),
    CHECK (decoded = stored + duplicate + conflict + rejected)
);

-- The mergeable statistics of one channel-hour, from the readings whose observed_at lies in it.
CREATE TABLE summary (
    channel_id integer NOT NULL REFERENCES channel,
    hour timestamptz NOT NULL,
    n integer NOT NULL,
    n_good integer NOT NULL,                -- = n until findings exist
    mean double precision NOT NULL,
    m2 double precision NOT NULL,           -- sum of squared deviations from the mean
    min double precision NOT NULL,
    max double precision NOT NULL,
    first_at timestamptz NOT NULL,
    first_value double precision NOT NULL,
    last_at timestamptz NOT NULL,
    last_value double precision NOT NULL,
    integral double precision NOT NULL,     -- value × seconds inside the hour, first → last, over gaps ≤ max_hold
    covered_s double precision NOT NULL,    -- seconds of it
    longest_gap_s double precision NOT NULL,
    missing integer NOT NULL,               -- readings of the period that are not there between first and last
    last_received timestamptz NOT NULL,
    PRIMARY KEY (channel_id, hour)
);

-- Seconds of an hour in which a predicate held, and seconds known: readings of this hour only, cut at its end.
CREATE TABLE summary_share (
    channel_id integer NOT NULL REFERENCES channel,
    hour timestamptz NOT NULL,
    predicate_id integer NOT NULL REFERENCES predicate,
    true_s double precision NOT NULL,
    covered_s double precision NOT NULL,
    PRIMARY KEY (channel_id, predicate_id, hour)
);

-- Channel-hours with readings that no summary knows yet. No key: each batch only inserts.
CREATE TABLE dirty_hour (
    channel_id integer NOT NULL,
    hour timestamptz NOT NULL
);
CREATE INDEX dirty_hour_key ON dirty_hour (channel_id, hour);

-- The platform's own life: what tells a device's silence from our own.
CREATE TABLE heartbeat (
    process text NOT NULL,                  -- 'collector-1', 'work'
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL,                -- alive from started_at until here
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (process, started_at)
);
