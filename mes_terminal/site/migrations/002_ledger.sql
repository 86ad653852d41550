-- The ledger of all stations: what their postings did, and what is so now. Quantities are whole
-- micro-units of the item's base unit (_micro). '' stands for "none" where a column is part of a
-- key; NULL everywhere else.

CREATE TABLE item (
    item TEXT PRIMARY KEY,
    uom TEXT NOT NULL,
    over_completion_pct_micro BIGINT
);

CREATE TABLE location (
    location TEXT PRIMARY KEY,
    kind TEXT,
    station TEXT                        -- that writes it, as the table of locations says
);

-- What stock and genealogy point to: a lot, a serial, the nameless stock of an item, or what is in
-- an order without a lot of its own (the only rows with a work order, and without an item).
CREATE TABLE material (
    material_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item TEXT NOT NULL,
    lot TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    work_order TEXT NOT NULL DEFAULT '',
    -- Said at the site, for all stations: what is used later is refused (`lot_blocked`).
    status TEXT NOT NULL DEFAULT 'available'
        CHECK (status IN ('available', 'hold', 'rejected')),
    status_since TIMESTAMPTZ,
    status_by TEXT,
    status_reason TEXT,
    -- Said at a station, known here.
    station_status TEXT CHECK (station_status IN ('available', 'hold', 'rejected')),
    station_status_at TIMESTAMPTZ,
    UNIQUE (item, lot, serial, work_order)
);
CREATE INDEX material_blocked ON material (item) WHERE status <> 'available';
CREATE INDEX material_serial ON material (serial) WHERE serial <> '';
CREATE INDEX material_lot ON material (lot) WHERE lot <> '';

CREATE TABLE work_order (
    work_order TEXT PRIMARY KEY,
    item TEXT,                          -- NULL: nothing has told it yet
    quantity_micro BIGINT,
    over_completion_pct_micro BIGINT,
    due_at TIMESTAMPTZ,
    planned_status TEXT,                -- as it was sent down
    barred_since TIMESTAMPTZ,           -- closed or cancelled at the site: refuses what came later
    barred_as TEXT CHECK (barred_as IN ('closed', 'cancelled')),
    barred_by TEXT,
    finals INTEGER NOT NULL DEFAULT 0,  -- reports that closed it, less those taken back
    last_at TIMESTAMPTZ
);

-- What the stations reported of an order; one of two lives of a database counts for itself.
CREATE TABLE order_part (
    work_order TEXT NOT NULL REFERENCES work_order,
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    good_micro BIGINT NOT NULL,
    scrapped_micro BIGINT NOT NULL,
    PRIMARY KEY (work_order, epoch_id)
);

-- Append-only. A move has two rows.
CREATE TABLE movement (
    posting_id BIGINT NOT NULL,
    line_no INTEGER NOT NULL,
    material_id BIGINT NOT NULL,
    location TEXT NOT NULL,
    quantity_micro BIGINT NOT NULL,     -- what the location gains
    use TEXT NOT NULL,                  -- Produced, Consumed, Scrapped, Received, Adjusted, Moved
    order_line TEXT,
    PRIMARY KEY (posting_id, line_no)
);
CREATE INDEX movement_material ON movement (material_id, posting_id);

CREATE TABLE balance (
    material_id BIGINT NOT NULL REFERENCES material,
    location TEXT NOT NULL,
    quantity_micro BIGINT NOT NULL,
    PRIMARY KEY (material_id, location)
);

-- Who wrote to which location, since when.
CREATE TABLE location_writer (
    location TEXT NOT NULL,
    source_id INTEGER NOT NULL REFERENCES source,
    first_posting_id BIGINT NOT NULL,
    PRIMARY KEY (location, source_id)
);

-- Where each serial was completed: once in the world, if all is well.
CREATE TABLE unit_made (
    material_id BIGINT NOT NULL REFERENCES material,
    epoch_id INTEGER NOT NULL REFERENCES epoch,
    work_order TEXT,
    made_micro BIGINT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    posting_id BIGINT NOT NULL,         -- the last that said so
    PRIMARY KEY (material_id, epoch_id)
);

CREATE TABLE edge (
    child_id BIGINT NOT NULL,           -- what was made
    parent_id BIGINT NOT NULL,          -- of what
    posting_id BIGINT NOT NULL,
    order_line TEXT NOT NULL DEFAULT '',
    quantity_micro BIGINT NOT NULL,     -- below zero: taken back
    certainty TEXT NOT NULL,
    PRIMARY KEY (child_id, parent_id, posting_id, order_line)
);
CREATE INDEX edge_parent ON edge (parent_id, child_id);

CREATE TABLE person_seen (
    source_id INTEGER NOT NULL REFERENCES source,
    person TEXT NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (source_id, person)
);

-- Exceptions of all stations, as their postings tell. What is open is a sum, so that it does not
-- matter in which order the postings of two lanes come.
CREATE TABLE station_exception (
    station_exception_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id INTEGER NOT NULL REFERENCES source,
    exception_id BIGINT,                -- the station's own number; NULL: not told
    kind TEXT NOT NULL,
    work_order TEXT,
    line TEXT,
    item TEXT,
    lot TEXT,
    about TEXT,                         -- what else its opening said
    open_micro BIGINT,                  -- NULL: it has no quantity
    opened INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    opened_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    is_open BOOLEAN GENERATED ALWAYS AS (
        CASE WHEN open_micro IS NULL THEN opened > ended ELSE open_micro > 0 END) STORED
);
CREATE UNIQUE INDEX station_exception_number ON station_exception (source_id, exception_id)
    WHERE exception_id IS NOT NULL;
CREATE INDEX station_exception_open ON station_exception (source_id, kind) WHERE is_open;

-- What no station alone can see. `stations` are the sources concerned.
CREATE TABLE conflict (
    conflict_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'ended')),
    opened_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    ended_at TIMESTAMPTZ,
    ended_by TEXT,                      -- NULL: by itself
    end_reason TEXT,
    sentence TEXT NOT NULL,
    work_order TEXT,
    item TEXT,
    lot TEXT,
    serial TEXT,
    quantity_micro BIGINT,
    stations TEXT[] NOT NULL,
    postings TEXT[] NOT NULL DEFAULT '{}',  -- ids of the events behind it
    revision INTEGER NOT NULL DEFAULT 1,    -- grows with each change
    sent_revision INTEGER NOT NULL DEFAULT 0  -- what has been handed down to the stations
);
CREATE UNIQUE INDEX conflict_open ON conflict (kind, subject) WHERE state = 'open';
CREATE INDEX conflict_unsent ON conflict (conflict_id) WHERE sent_revision < revision;

-- One row: what was before it is closed for good.
CREATE TABLE period (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    closed_before TIMESTAMPTZ,
    closed_by TEXT,
    closed_at TIMESTAMPTZ
);
INSERT INTO period DEFAULT VALUES;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER movement_append_only BEFORE UPDATE OR DELETE ON movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER edge_append_only BEFORE UPDATE OR DELETE ON edge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
