-- What goes down to the stations: the newest document of each key, in the order of its version
-- (UP-9). Versions are given under one lock, so that none becomes visible after a higher one.

CREATE TABLE down (
    version BIGINT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('tables', 'lot_status', 'conflict', 'conflict_ended')),
    sent_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    stations TEXT[] NOT NULL DEFAULT '{}',      -- sources; empty: all
    data TEXT NOT NULL                          -- JSON
);

CREATE TABLE down_head (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    version BIGINT NOT NULL DEFAULT 0
);
INSERT INTO down_head DEFAULT VALUES;

-- Up to where each station has seen to everything, and when it said so.
CREATE TABLE down_confirmed (
    source TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    confirmed_at TIMESTAMPTZ NOT NULL,
    asked_at TIMESTAMPTZ                        -- when it last asked for more
);

-- What a station has not applied, and why.
CREATE TABLE down_kept (
    source TEXT NOT NULL,
    version BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('not_here', 'refused')),
    sentence TEXT,
    told_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source, version)
);

CREATE FUNCTION tell_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('mes_down', NEW.version::text);
    RETURN NULL;
END $$;
CREATE TRIGGER down_told AFTER INSERT ON down FOR EACH ROW EXECUTE FUNCTION tell_down();
