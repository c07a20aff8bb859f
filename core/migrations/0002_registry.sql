-- Who may speak, and what they are expected to say: from the plan file.

CREATE TABLE pilot (
    pilot_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    title text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('rnd', 'opportunity')),
    company text NOT NULL,          -- ids of the plan; people are scoped by them
    company_name text NOT NULL,
    site text NOT NULL,
    site_name text NOT NULL,
    zone text NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    simulated boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (start_at < end_at)
);

-- Each applied version of the plan: the file's bytes as they were, and their hash.
CREATE TABLE plan_version (
    pilot_id integer NOT NULL REFERENCES pilot,
    version integer NOT NULL CHECK (version >= 1),
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    source bytea NOT NULL,
    amendment jsonb,
    profiles jsonb NOT NULL DEFAULT '{}',   -- hashes of the device templates resolved at apply
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    PRIMARY KEY (pilot_id, version)
);
CREATE TRIGGER plan_version_append_only BEFORE UPDATE OR DELETE ON plan_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One credential and protocol that speaks for one slot or several.
CREATE TABLE connection (
    connection_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    name text NOT NULL,
    protocol text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}',    -- the connection's part of the plan, for its decoder
    topics text[] NOT NULL,                 -- MQTT filters it may publish to
    username text NOT NULL UNIQUE,
    password jsonb NOT NULL,                -- {salt, iterations, hash}: the broker plugin's own PBKDF2 form
    issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    withdrawn_at timestamptz,
    UNIQUE (pilot_id, name)
);

-- A position where a device stands. KPIs are about slots.
CREATE TABLE slot (
    slot_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    name text NOT NULL,
    place text NOT NULL DEFAULT '',
    connection_id integer NOT NULL REFERENCES connection,
    options jsonb NOT NULL DEFAULT '{}',    -- select, topics, reference … : the slot's part of the plan
    withdrawn_at timestamptz,
    UNIQUE (pilot_id, name)
);

-- A device in a slot from one instant to another.
CREATE TABLE installation (
    installation_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    serial text NOT NULL,
    model text,
    firmware text,
    installed_at timestamptz NOT NULL,
    removed_at timestamptz,
    CHECK (removed_at IS NULL OR installed_at <= removed_at)
);
CREATE UNIQUE INDEX installation_current ON installation (slot_id) WHERE removed_at IS NULL;

-- One revision of one channel: readings keep the revision by which they were decoded.
CREATE TABLE channel (
    channel_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    name text NOT NULL,
    revision integer NOT NULL CHECK (revision >= 1),
    kind text NOT NULL CHECK (kind IN ('gauge', 'counter', 'state')),
    unit text NOT NULL,                     -- canonical; never changes between revisions
    reporting text NOT NULL CHECK (reporting IN ('periodic', 'on_change', 'event')),
    period_s double precision CHECK (period_s > 0),
    max_hold_s double precision CHECK (max_hold_s > 0),   -- NULL: holds until the link is lost
    options jsonb NOT NULL DEFAULT '{}',    -- the channel's part of the plan: source, source_unit, states, range …
    valid_from timestamptz NOT NULL,        -- by receipt: messages that arrive from here on are decoded by it
    valid_to timestamptz,
    UNIQUE (slot_id, name, revision),
    CHECK (reporting <> 'periodic' OR (period_s IS NOT NULL AND max_hold_s IS NOT NULL))
);
CREATE UNIQUE INDEX channel_current ON channel (slot_id, name) WHERE valid_to IS NULL;

-- A condition on a channel's value that some KPI counts time by: its hourly shares are kept ready.
CREATE TABLE predicate (
    predicate_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    channel text NOT NULL,
    low double precision,                   -- values in [low, high], each end open or closed; in canonical units
    low_closed boolean NOT NULL DEFAULT true,
    high double precision,
    high_closed boolean NOT NULL DEFAULT true,
    codes integer[],                        -- a state channel: the codes that count
    UNIQUE NULLS NOT DISTINCT (slot_id, channel, low, low_closed, high, high_closed, codes),
    CHECK (codes IS NULL OR (low IS NULL AND high IS NULL))
);
