-- Seals: what a pilot's day came to, in one signed hash, chained from day to day.

-- The rows of a day of receipt are found by these; a btree would cost the intake more than all else together. A query by
-- receipt alone also finds what was slipped in under an instant of observation far away.
CREATE INDEX reading_received ON reading USING brin (received_at);
CREATE INDEX event_received ON event USING brin (received_at);
CREATE INDEX event_conflict_received ON event_conflict USING brin (received_at);
CREATE INDEX link_state_received ON link_state USING brin (received_at);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX platform_record_recorded ON platform_record (recorded_at);
CREATE INDEX finding_recorded ON finding (recorded_at);
CREATE INDEX finding_superseded ON finding (superseded_at) WHERE superseded_at IS NOT NULL;
CREATE INDEX quarantine_replayed ON quarantine (replayed_at) WHERE replayed_at IS NOT NULL;

-- Whoever closes the past waits for these tables' writers; what is written afterwards must be later than it.
ALTER TABLE audit ALTER COLUMN at SET DEFAULT after_horizon();
ALTER TABLE result ALTER COLUMN evaluated_at SET DEFAULT after_horizon();
ALTER TABLE opinion ALTER COLUMN written_at SET DEFAULT after_horizon();

-- The keys that sign. A new one is signed by the one before it.
CREATE TABLE seal_key (
    fingerprint text PRIMARY KEY CHECK (fingerprint ~ '^[0-9a-f]{64}$'),   -- SHA-256 of the public key
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),       -- Ed25519
    statement bytea,                        -- what the key before it signed: canonical JSON; NULL: the first, or one was lost
    signature bytea,
    signed_by text REFERENCES seal_key,
    recorded_at timestamptz NOT NULL DEFAULT after_horizon(),
    CHECK (num_nulls(statement, signature, signed_by) IN (0, 3))
);

-- One seal. The bytes of its record are what is hashed and signed; the columns repeat what is searched by.
CREATE TABLE seal (
    seal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pilot_id integer NOT NULL REFERENCES pilot,
    number integer NOT NULL CHECK (number >= 1),    -- along the pilot's chain
    day date NOT NULL,                      -- of receipt, in the pilot's zone
    interim boolean NOT NULL,               -- of a day that was not over; the day's own seal follows
    epoch integer NOT NULL CHECK (epoch >= 1),      -- goes up when the database was set back to an earlier state
    head text NOT NULL CHECK (head ~ '^[0-9a-f]{64}$'),     -- SHA-256 of the record
    record bytea NOT NULL,                  -- canonical JSON
    signature bytea NOT NULL,               -- Ed25519, of the record
    key text NOT NULL REFERENCES seal_key,
    statement bytea NOT NULL,               -- the day's counts for the company: canonical JSON
    statement_signature bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (pilot_id, number)
);
CREATE UNIQUE INDEX seal_day ON seal (pilot_id, day) WHERE NOT interim;

-- The heads of a seal's leaves: by them a check names the first one that differs.
CREATE TABLE seal_leaf (
    seal_id bigint NOT NULL REFERENCES seal,
    place integer NOT NULL CHECK (place >= 0),      -- in the tree
    kind text NOT NULL,                     -- 'reading', or a kind of telemetry/seals/kinds.py
    identity text NOT NULL,                 -- 'pilot/slot/channel/revision', or 'pilot:kind'
    unit text NOT NULL DEFAULT '',
    hour timestamptz,                       -- of receipt; NULL: not of readings
    n bigint NOT NULL,
    first_observed timestamptz,
    last_observed timestamptz,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    body bytea,                             -- its lines, where the tables they were read from go on changing
    PRIMARY KEY (seal_id, place)
);

-- What an authority said of when a head was there (RFC 3161).
CREATE TABLE seal_timestamp (
    seal_id bigint PRIMARY KEY REFERENCES seal,
    authority text NOT NULL,
    token bytea NOT NULL,                   -- the whole answer, DER
    stamped_at timestamptz NOT NULL,        -- by the authority's clock
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Which seals were handed to a witness outside.
CREATE TABLE seal_witness (
    seal_id bigint NOT NULL REFERENCES seal,
    way text NOT NULL CHECK (way IN ('mqtt', 'mail')),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (seal_id, way)
);

DO $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['seal_key', 'seal', 'seal_leaf', 'seal_timestamp', 'seal_witness']
    LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()',
                       kept || '_append_only', kept);
        EXECUTE format('CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                       kept || '_no_truncate', kept);
    END LOOP;
END $$;
