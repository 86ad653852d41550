-- The site's inbox: who posts, what arrived, and up to where without a gap (UP-2, UP-5, UP-8).
-- Every transaction locks in the order of the tables here and of 002, and the rows of one table in
-- the order of their keys, so that any number of stations post at once without a deadlock.

CREATE TABLE source (
    source_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source TEXT NOT NULL UNIQUE,        -- urn:mes-terminal:SITE:STATION
    first_seen_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_seen_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    epoch TEXT,                         -- the one that greeted or posted last
    greeted_at TIMESTAMPTZ,
    software TEXT,
    last_sequence BIGINT,               -- the newest posting of its outbox, as it said
    down_version BIGINT NOT NULL DEFAULT 0  -- up to where it has applied what was sent down
);

CREATE TABLE epoch (
    epoch_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES source,
    epoch TEXT NOT NULL,
    began_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    first_sequence BIGINT,              -- NULL: it has not greeted yet
    received INT8MULTIRANGE NOT NULL DEFAULT '{}',
    -- The log of the station as far as its postings tell: the newest of them, and its hash (UP-8).
    head_sequence BIGINT,
    head_hash TEXT,
    said_head_sequence BIGINT,          -- as it said when it greeted
    said_head_hash TEXT,
    UNIQUE (source_id, epoch)
);

CREATE TABLE posting (
    posting_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    sequence BIGINT NOT NULL,
    source_id INTEGER NOT NULL,
    hash BYTEA NOT NULL,                -- SHA-256 of the body
    body BYTEA NOT NULL,                -- the event exactly as it came
    type TEXT NOT NULL,                 -- without prefix and version; '': not readable
    work_order TEXT,
    report_id TEXT,
    reverses TEXT,
    event_time TIMESTAMPTZ,
    recorded_at TIMESTAMPTZ,
    received_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    decided_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'refused')),
    reason TEXT,
    sentence TEXT,
    is_final BOOLEAN NOT NULL,          -- never judged again
    has_effect BOOLEAN NOT NULL,
    closes BOOLEAN NOT NULL DEFAULT FALSE,  -- its order, and it has not been taken back
    log_sequence BIGINT,
    log_hash TEXT,                      -- of the station's log after it (UP-8)
    UNIQUE (epoch_id, sequence)
);
CREATE INDEX posting_report ON posting (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX posting_refused ON posting (epoch_id, sequence)
    WHERE outcome = 'refused' AND NOT is_final;
CREATE INDEX posting_work_order ON posting (work_order, posting_id) WHERE work_order IS NOT NULL;

-- What came under no key that could be read: kept for whoever looks for it.
CREATE TABLE poison (
    hash BYTEA PRIMARY KEY,
    body BYTEA NOT NULL,                -- its first part
    size_bytes BIGINT NOT NULL,
    sentence TEXT NOT NULL,
    times BIGINT NOT NULL DEFAULT 1,
    first_seen_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    last_seen_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
