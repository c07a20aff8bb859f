-- What was sent, what became of it, and what never came: accounting by sequence number, the broker's own word, findings.

-- The last batch that each collector committed. A commit whose outcome stayed unknown is tried again under its number, and
-- recognised here: nothing of it is counted twice.
CREATE TABLE intake_batch (
    collector text PRIMARY KEY,
    run uuid NOT NULL,                      -- one life of the process
    number bigint NOT NULL,
    received_at timestamptz NOT NULL
);

-- Messages that the broker delivered again (its DUP mark) are delivered, and said to be so.
ALTER TABLE intake_connection ADD COLUMN redelivered bigint NOT NULL DEFAULT 0 CHECK (redelivered <= delivered);

-- Between which instants of observation a day's receipts lie: queries by receipt are bounded by them.
ALTER TABLE intake_slot
    ADD COLUMN first_observed timestamptz,
    ADD COLUMN last_observed timestamptz;

-- Message numbers (seq) of one sender. A row accounts for the numbers that were first passed on its day: from the one after
-- the day before's last on. sent = cardinality of span = distinct delivered + missing, whatever came late.
CREATE TABLE sequence (
    connection_id integer NOT NULL REFERENCES connection,
    boot text NOT NULL,                     -- '': the sender names none
    day date NOT NULL,                      -- of receipt, in the pilot's zone
    span int8range NOT NULL CHECK (NOT isempty(span)),
    received int8multirange NOT NULL,
    given_up bigint NOT NULL DEFAULT 0,     -- missing for good, in received though they never came: there were too many holes
    given_up_through bigint,                -- the last of those; up to there nobody is told that anything is committed
    repeated bigint NOT NULL DEFAULT 0,     -- numbers that came again
    last_received timestamptz NOT NULL,
    PRIMARY KEY (connection_id, boot, day),
    CHECK (received <@ span)
);
CREATE INDEX sequence_holes ON sequence (connection_id, boot) WHERE received <> int8multirange(span) OR given_up > 0;

-- A conflict that comes again is known already.
CREATE INDEX conflict_key ON conflict (channel_id, observed_at);
CREATE INDEX event_conflict_key ON event_conflict (slot_id, kind, id);

-- Facts of the delivery (see telemetry/batch.py), which a replay needs; and when it was replayed, which is the receipt time of
-- what it yielded. received_at stays the original one.
ALTER TABLE quarantine
    ADD COLUMN flags smallint NOT NULL DEFAULT 0,
    ADD COLUMN replayed_at timestamptz;
CREATE INDEX quarantine_payload ON quarantine USING hash (payload_sha256);   -- is a redelivered one there already?

-- Messages set aside beyond a sender's daily quota: counted, and bound by a chain of hashes.
CREATE TABLE quarantine_day (
    connection_id integer NOT NULL,         -- 0: nobody's topics
    day date NOT NULL,
    kept bigint NOT NULL DEFAULT 0,
    kept_bytes bigint NOT NULL DEFAULT 0,
    beyond bigint NOT NULL DEFAULT 0,
    beyond_bytes bigint NOT NULL DEFAULT 0,
    beyond_sha256 text NOT NULL DEFAULT '', -- SHA-256(chain so far ‖ SHA-256 of the payload), in hex, in the order of arrival
    PRIMARY KEY (connection_id, day)
);

-- What the broker did not take, though it may have acknowledged it: from its log, by user, topic and hour.
CREATE TABLE denial (
    denial_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hour timestamptz NOT NULL,
    username text NOT NULL,                 -- '': the broker does not say whose
    connection_id integer REFERENCES connection,
    topic text NOT NULL,                    -- '': a login, or more topics an hour than are told apart
    reason text NOT NULL CHECK (reason IN ('denied', 'too_large', 'not_let_in')),
    n bigint NOT NULL CHECK (n > 0),
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    UNIQUE (hour, username, topic, reason)
);
CREATE INDEX denial_connection ON denial (connection_id, last_at);

-- When each user was last seen at the broker: from its log.
CREATE TABLE contact (
    username text PRIMARY KEY,
    connection_id integer REFERENCES connection,
    connected_at timestamptz,
    disconnected_at timestamptz,
    disconnected_why text NOT NULL DEFAULT ''
);

-- How far the broker's log was read.
CREATE TABLE broker_log_position (
    log text PRIMARY KEY,
    file_id text NOT NULL,                  -- which file stands under that name
    position bigint NOT NULL
);

-- A data-quality observation as data. A later judgement of the same stretch supersedes, nothing is changed.
CREATE TABLE finding (
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slot_id integer NOT NULL REFERENCES slot,
    channel_id integer REFERENCES channel,  -- NULL: of the slot as a whole
    kind text NOT NULL CHECK (kind IN ('gap', 'stuck', 'range', 'spike', 'rate', 'clock', 'jump')),
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    value double precision,                 -- in unit
    unit text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    superseded_at timestamptz,
    CHECK (start_at < end_at)
);
CREATE INDEX finding_slot ON finding (slot_id, kind, start_at);
CREATE INDEX finding_current ON finding (slot_id, kind, start_at) WHERE superseded_at IS NULL;

-- A finding is superseded once, and otherwise never changed.
CREATE TRIGGER finding_unchanged BEFORE UPDATE ON finding FOR EACH ROW
    WHEN (OLD.superseded_at IS NOT NULL OR NEW.superseded_at IS NULL
          OR (OLD.finding_id, OLD.slot_id, OLD.channel_id, OLD.kind, OLD.start_at, OLD.end_at, OLD.value, OLD.unit,
              OLD.detail, OLD.recorded_at)
             IS DISTINCT FROM
             (NEW.finding_id, NEW.slot_id, NEW.channel_id, NEW.kind, NEW.start_at, NEW.end_at, NEW.value, NEW.unit,
              NEW.detail, NEW.recorded_at))
    EXECUTE FUNCTION refuse_change();

-- Receipt minus device time of an hour's live readings: its least is the clock's offset, since waiting only adds to it. The
-- median tells whether most of the hour came as it was observed.
ALTER TABLE summary
    ADD COLUMN delay_min_s double precision,
    ADD COLUMN delay_median_s double precision,
    ADD COLUMN delay_max_s double precision;

-- Refusals for their time: what a clock far off leaves, since no reading of it is taken.
CREATE INDEX rejection_time ON rejection (slot_id, received_at) WHERE reason IN ('in_future', 'before_pilot');
