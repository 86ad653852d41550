CREATE TABLE meta (
    -- epoch, created_at; home: where it was opened last; training, training_of, backup of a copy
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE epoch (
    epoch_seq INTEGER PRIMARY KEY,
    epoch TEXT NOT NULL UNIQUE,
    began_at TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,    -- the first posting that may carry it
    why TEXT NOT NULL CHECK (
        why = 'made' OR why = 'restored' OR why = 'elsewhere' OR why = 'behind'
        OR why = 'training')
) STRICT;

CREATE TABLE item (
    item_id INTEGER PRIMARY KEY,
    item TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    uom TEXT NOT NULL DEFAULT 'pcs',
    step_micro INTEGER NOT NULL DEFAULT 1000000 CHECK (step_micro > 0),
    tracking TEXT NOT NULL DEFAULT 'none' CHECK (
        tracking = 'none' OR tracking = 'lot' OR tracking = 'serial'),
    kind TEXT NOT NULL CHECK (
        kind = 'purchased' OR kind = 'manufactured' OR kind = 'phantom'),
    issue_method TEXT CHECK (
        issue_method = 'backflush' OR issue_method = 'manual' OR issue_method = 'bulk'),
    mount TEXT NOT NULL DEFAULT 'optional' CHECK (mount IN ('optional', 'required')),
    gtin TEXT,
    pack_quantity_micro INTEGER,
    shelf_life_days INTEGER,
    inherit_expiry INTEGER NOT NULL DEFAULT 0 CHECK (inherit_expiry IN (0, 1)),
    lot_rule TEXT CHECK (
        lot_rule = 'order' OR lot_rule = 'day' OR lot_rule = 'shift' OR lot_rule = 'scanned'),
    output_status TEXT NOT NULL DEFAULT 'available' CHECK (output_status IN ('available', 'hold')),
    standard_cost_micro INTEGER,
    cost_per_micro INTEGER NOT NULL DEFAULT 1000000,
    over_completion_pct_micro INTEGER,
    under_tolerance_pct_micro INTEGER,
    over_tolerance_pct_micro INTEGER,
    lot_overrun_pct_micro INTEGER,
    shortage_policy TEXT CHECK (
        shortage_policy = 'exception' OR shortage_policy = 'block'
        OR shortage_policy = 'negative'),
    item_class TEXT CHECK (
        item_class = 'A' OR item_class = 'B' OR item_class = 'C')
) STRICT;

CREATE INDEX item_gtin ON item (gtin) WHERE gtin IS NOT NULL;

CREATE TABLE item_code (
    code TEXT PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item,
    kind TEXT NOT NULL CHECK (
        kind = 'supplier' OR kind = 'customer' OR kind = 'old' OR kind = 'gtin'),
    partner TEXT,
    uom TEXT,
    quantity_micro INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE unit_conversion (
    item_id INTEGER NOT NULL,           -- 0: every item
    from_uom TEXT NOT NULL,
    to_uom TEXT NOT NULL,
    factor_num INTEGER NOT NULL CHECK (factor_num > 0),
    factor_den INTEGER NOT NULL CHECK (factor_den > 0),
    PRIMARY KEY (item_id, from_uom, to_uom)
) STRICT, WITHOUT ROWID;

CREATE TABLE location (
    location_id INTEGER PRIMARY KEY,
    location TEXT NOT NULL UNIQUE,
    -- 'virtual': @supplier, @production, @adjustment, @customer (BF-35)
    kind TEXT NOT NULL CHECK (
        kind = 'line_side' OR kind = 'store' OR kind = 'finished' OR kind = 'scrap'
        OR kind = 'hold' OR kind = 'rework' OR kind = 'virtual'),
    description TEXT NOT NULL DEFAULT '',
    station TEXT                        -- the one that writes it; NULL: this one
) STRICT;

CREATE TABLE work_centre (
    work_centre_id INTEGER PRIMARY KEY,
    work_centre TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    supply_location_id INTEGER REFERENCES location,
    output_location_id INTEGER REFERENCES location,
    issue_method TEXT CHECK (
        issue_method = 'backflush' OR issue_method = 'manual' OR issue_method = 'bulk'),
    labour_rate_micro INTEGER,
    overhead_rate_micro INTEGER
) STRICT;

CREATE TABLE shift (
    shift TEXT PRIMARY KEY,
    start_minute INTEGER NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
    end_minute INTEGER NOT NULL CHECK (end_minute BETWEEN 0 AND 1439),
    days INTEGER NOT NULL               -- bit 0 Monday .. bit 6 Sunday: the day the shift begins on
) STRICT, WITHOUT ROWID;

CREATE TABLE bom (
    bom_id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item,
    revision TEXT NOT NULL,
    output_quantity_micro INTEGER NOT NULL DEFAULT 1000000 CHECK (output_quantity_micro > 0),
    effective_from TEXT,
    effective_to TEXT,
    UNIQUE (item_id, revision)
) STRICT;

CREATE TABLE bom_line (
    bom_line_id INTEGER PRIMARY KEY,
    bom_id INTEGER NOT NULL REFERENCES bom,
    line TEXT NOT NULL,
    component_id INTEGER NOT NULL REFERENCES item,
    quantity_micro INTEGER NOT NULL,    -- in `uom`
    uom TEXT NOT NULL,
    basis TEXT NOT NULL CHECK (basis IN ('per_unit', 'per_order')),
    scrap_pct_micro INTEGER NOT NULL DEFAULT 0,
    scrap_mode TEXT NOT NULL DEFAULT 'additive' CHECK (scrap_mode IN ('additive', 'divisive')),
    planned_scrap TEXT CHECK (planned_scrap IN ('posted', 'planning_only')),
    operation TEXT,
    issue_method TEXT CHECK (
        issue_method = 'backflush' OR issue_method = 'manual' OR issue_method = 'bulk'),
    supply_location_id INTEGER REFERENCES location,
    mount TEXT CHECK (mount IN ('optional', 'required')),
    mount_position TEXT,
    effective_from TEXT,
    effective_to TEXT,
    role TEXT NOT NULL DEFAULT 'component' CHECK (
        role = 'component' OR role = 'by_product' OR role = 'co_product'),
    cost_share_pct_micro INTEGER,
    UNIQUE (bom_id, line)
) STRICT;

CREATE TABLE bom_substitute (
    bom_line_id INTEGER NOT NULL REFERENCES bom_line,
    substitute_id INTEGER NOT NULL REFERENCES item,
    ratio_num INTEGER NOT NULL DEFAULT 1 CHECK (ratio_num > 0),
    ratio_den INTEGER NOT NULL DEFAULT 1 CHECK (ratio_den > 0),
    priority INTEGER,
    approval TEXT NOT NULL DEFAULT 'none' CHECK (approval IN ('none', 'required')),
    choice TEXT NOT NULL DEFAULT 'scanned' CHECK (choice IN ('scanned', 'automatic')),
    PRIMARY KEY (bom_line_id, substitute_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE routing_operation (
    bom_id INTEGER NOT NULL REFERENCES bom,
    operation TEXT NOT NULL,
    position INTEGER NOT NULL,          -- order of the operations, from 1
    work_centre_id INTEGER REFERENCES work_centre,
    description TEXT NOT NULL DEFAULT '',
    setup_minutes_micro INTEGER NOT NULL DEFAULT 0,
    run_minutes_micro INTEGER NOT NULL DEFAULT 0,
    run_basis_micro INTEGER NOT NULL DEFAULT 1000000 CHECK (run_basis_micro > 0),
    backflush_point INTEGER NOT NULL CHECK (backflush_point IN (0, 1)),
    overlap INTEGER NOT NULL DEFAULT 0 CHECK (overlap IN (0, 1)),
    issue_method TEXT CHECK (
        issue_method = 'backflush' OR issue_method = 'manual' OR issue_method = 'bulk'),
    PRIMARY KEY (bom_id, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (
    badge TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (
        role = 'operator' OR role = 'supervisor' OR role = 'quality' OR role = 'auditor'),
    language TEXT,
    disabled_at TEXT,                   -- NULL: may work here; people are never deleted
    seen_at TEXT                        -- signed in or out, or proved a PIN, here last
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_pin (
    badge TEXT PRIMARY KEY REFERENCES operator,
    pin_hash TEXT NOT NULL,
    set_at TEXT NOT NULL,
    wrong INTEGER NOT NULL DEFAULT 0,   -- tries since the last right one
    locked_until TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE reason (
    code TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (
        kind = 'scrap' OR kind = 'rework' OR kind = 'extra' OR kind = 'write_off'
        OR kind = 'short_close' OR kind = 'deviation' OR kind = 'count' OR kind = 'stop'),
    description TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE TABLE loaded_row (
    table_name TEXT NOT NULL,           -- file name without .csv
    key TEXT NOT NULL,                  -- JSON array of the key cells
    content TEXT NOT NULL,              -- JSON object of the cells, as normalised
    PRIMARY KEY (table_name, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE load_proposal (
    load_proposal_id INTEGER PRIMARY KEY,
    status TEXT NOT NULL DEFAULT 'open' CHECK (
        status = 'open' OR status = 'approved' OR status = 'refused' OR status = 'replaced'),
    folder TEXT NOT NULL,
    mapping TEXT,                       -- a file in the place of the folder's own mapping.toml
    content_hash TEXT NOT NULL,         -- SHA-256 of its files' names and bytes
    summary TEXT NOT NULL,              -- JSON: rows by table, how much it touches
    diff TEXT,                          -- JSON: what it changes, while it is open
    person TEXT NOT NULL,
    proposed_at TEXT NOT NULL,
    proposed_seq INTEGER NOT NULL REFERENCES event,
    decided_by TEXT,
    decided_at TEXT,
    decided_seq INTEGER REFERENCES event,
    reason TEXT
) STRICT;

CREATE UNIQUE INDEX load_proposal_open ON load_proposal (folder) WHERE status = 'open';

CREATE TABLE lot (
    lot_id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item,
    lot TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    work_order_id INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL DEFAULT 'available' CHECK (
        status = 'available' OR status = 'hold' OR status = 'rejected'),
    expires_on TEXT,
    received_at TEXT,                   -- orders FIFO; NULL until the first receipt
    supplier TEXT,
    supplier_lot TEXT,
    UNIQUE (item_id, lot, serial, work_order_id)
) STRICT;

CREATE INDEX lot_lot ON lot (lot) WHERE lot <> '';

CREATE INDEX lot_serial ON lot (serial) WHERE serial <> '';

CREATE TABLE container (
    container_id INTEGER PRIMARY KEY,
    container TEXT NOT NULL UNIQUE,
    lot_id INTEGER NOT NULL REFERENCES lot,
    received_micro INTEGER NOT NULL     -- label quantity
) STRICT;

CREATE TABLE balance (
    balance_id INTEGER PRIMARY KEY,
    lot_id INTEGER NOT NULL REFERENCES lot,
    location_id INTEGER NOT NULL REFERENCES location,
    container_id INTEGER NOT NULL DEFAULT 0,
    quantity_micro INTEGER NOT NULL,
    arrived_at TEXT NOT NULL,           -- earliest effective_at received into it
    item_id INTEGER NOT NULL REFERENCES item,
    lot TEXT NOT NULL,                  -- lot, or the serial
    expires_on TEXT NOT NULL,           -- '9999-12-31': never
    received_at TEXT NOT NULL,
    may_go_negative INTEGER NOT NULL CHECK (may_go_negative IN (0, 1)),
    pickable INTEGER NOT NULL CHECK (pickable IN (0, 1)),  -- quantity > 0 and lot available
    UNIQUE (lot_id, location_id, container_id),
    CHECK (quantity_micro >= 0 OR may_go_negative = 1)     -- BF-19
) STRICT;

CREATE INDEX balance_pick
    ON balance (item_id, location_id, expires_on, received_at, lot, container_id, arrived_at)
    WHERE pickable = 1;

CREATE INDEX balance_held ON balance (item_id, location_id)
    WHERE pickable = 0 AND quantity_micro > 0;

CREATE INDEX balance_negative ON balance (item_id) WHERE quantity_micro < 0;

CREATE TABLE item_location (
    item_id INTEGER NOT NULL,
    location_id INTEGER NOT NULL,
    sole_lot_id INTEGER,                -- NULL: several, or none
    counted_at TEXT,                    -- when a count of it there ended last; NULL: never
    lacked_at TEXT,                     -- when a report needed more than the books have, since then
    PRIMARY KEY (item_id, location_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mount (
    position TEXT PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item,
    lot_id INTEGER NOT NULL REFERENCES lot,
    container_id INTEGER NOT NULL DEFAULT 0,
    location_id INTEGER NOT NULL REFERENCES location,
    mounted_at TEXT NOT NULL,
    -- It is drawn from although it is expired, although it is held: somebody let that pass (BF-24).
    may_expire INTEGER NOT NULL DEFAULT 0 CHECK (may_expire IN (0, 1)),
    may_be_held INTEGER NOT NULL DEFAULT 0 CHECK (may_be_held IN (0, 1)),
    -- Who approved it where it stands in for a component and that takes an approval (BF-29).
    -- By a permit with a box: each draw counts and is judged by its report (BF-24).
    approved_by TEXT CHECK (
        approved_by = 'supervisor' OR approved_by = 'matrix' OR approved_by = 'permit')
) STRICT, WITHOUT ROWID;

CREATE TABLE mount_span (
    mount_span_id INTEGER PRIMARY KEY,
    position TEXT NOT NULL,
    item_id INTEGER NOT NULL REFERENCES item,
    lot_id INTEGER NOT NULL REFERENCES lot,
    container_id INTEGER NOT NULL DEFAULT 0,
    location_id INTEGER NOT NULL REFERENCES location,
    base_micro INTEGER NOT NULL,        -- what its tolerance is a percentage of
    is_sized INTEGER NOT NULL CHECK (is_sized IN (0, 1)),  -- its label says how much it holds
    gained_micro INTEGER NOT NULL DEFAULT 0,  -- gains less losses booked, earlier stays included
    mounted_seq INTEGER NOT NULL REFERENCES event,
    mounted_at TEXT NOT NULL,
    ended_seq INTEGER REFERENCES event, -- NULL: it is still there
    ended_at TEXT,
    ended_by TEXT CHECK (
        ended_by = 'next' OR ended_by = 'empty' OR ended_by = 'aside' OR ended_by = 'unmount'
        OR ended_by = 'move' OR ended_by = 'hold'),
    left_micro INTEGER                  -- what was left in it
) STRICT;

CREATE UNIQUE INDEX mount_span_open ON mount_span (position) WHERE ended_seq IS NULL;

CREATE INDEX mount_span_lot ON mount_span (lot_id, container_id);

CREATE INDEX mount_span_aside ON mount_span (ended_seq) WHERE ended_by = 'aside';

CREATE TABLE mount_cover (
    mount_span_id INTEGER NOT NULL REFERENCES mount_span,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    before_micro INTEGER NOT NULL,      -- good and scrapped units of the order when it began
    through_micro INTEGER NOT NULL,     -- and when it ended: the units after the former, up to this
    PRIMARY KEY (mount_span_id, work_order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipt (
    reference TEXT PRIMARY KEY,
    event_seq INTEGER NOT NULL REFERENCES event,
    content TEXT NOT NULL               -- the normalised row: the same reference must say the same
) STRICT, WITHOUT ROWID;

CREATE TABLE work_order (
    work_order_id INTEGER PRIMARY KEY,
    work_order TEXT NOT NULL UNIQUE,
    item_id INTEGER NOT NULL REFERENCES item,
    bom_id INTEGER REFERENCES bom,      -- NULL: explicit lines of an item without BOM
    revision TEXT,
    quantity_micro INTEGER NOT NULL CHECK (quantity_micro > 0),
    start_at TEXT,
    due_at TEXT,
    sequence INTEGER,
    work_centre_id INTEGER REFERENCES work_centre,
    status TEXT NOT NULL CHECK (
        status = 'planned' OR status = 'released' OR status = 'started' OR status = 'hold'
        OR status = 'closed' OR status = 'cancelled'),
    lot TEXT,                           -- of the output
    replace_scrap INTEGER NOT NULL DEFAULT 0 CHECK (replace_scrap IN (0, 1)),
    erp_ref TEXT,
    output_location_id INTEGER NOT NULL REFERENCES location,
    snapshot_version INTEGER NOT NULL DEFAULT 0,  -- 0: not yet exploded (never released)
    good_micro INTEGER NOT NULL DEFAULT 0,        -- reported so far, go-live included
    scrapped_micro INTEGER NOT NULL DEFAULT 0,
    has_slots INTEGER NOT NULL DEFAULT 0 CHECK (has_slots IN (0, 1)),  -- for serials (BF-18)
    activated_at TEXT,                  -- made active here last
    process_expires_on TEXT,            -- the earliest of what its operations took (BF-39)
    changes TEXT                        -- by loads, still to be told here (BF-7): JSON
) STRICT;

CREATE INDEX work_order_open ON work_order (item_id, status, due_at)
    WHERE status IN ('released', 'started');

CREATE INDEX work_order_item ON work_order (item_id);

CREATE INDEX work_order_waiting ON work_order (status, start_at)
    WHERE status IN ('planned', 'hold');

CREATE INDEX work_order_queue ON work_order (
    coalesce(due_at, '9999'), coalesce(sequence, 9223372036854775807), work_order, status, item_id);

CREATE TABLE order_line (
    line_id INTEGER PRIMARY KEY,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    line TEXT NOT NULL,                 -- below a phantom the path: 20.10 (BF-6)
    first_line TEXT,                    -- the name upstream knows, once another took its place
    position INTEGER NOT NULL,          -- order of the lines, from 1
    component_id INTEGER NOT NULL REFERENCES item,
    basis TEXT NOT NULL CHECK (basis IN ('per_unit', 'per_order')),
    net_num INTEGER NOT NULL,
    net_den INTEGER NOT NULL CHECK (net_den > 0),
    gross_num INTEGER NOT NULL,         -- equal to net where planned scrap is planning_only
    gross_den INTEGER NOT NULL CHECK (gross_den > 0),
    scrap_pct_micro INTEGER NOT NULL DEFAULT 0,
    operation TEXT,
    operation_position INTEGER NOT NULL DEFAULT 0,  -- in order_operation; 0: due at completion
    issue_method TEXT NOT NULL CHECK (
        issue_method = 'backflush' OR issue_method = 'manual' OR issue_method = 'bulk'),
    location_id INTEGER NOT NULL REFERENCES location,
    location_rule TEXT NOT NULL CHECK (
        location_rule = 'line' OR location_rule = 'work_centre' OR location_rule = 'station'),
    mount TEXT NOT NULL CHECK (mount IN ('optional', 'required')),
    mount_position TEXT,
    erp_ref TEXT,
    decided_by TEXT NOT NULL,           -- JSON {policy: level}
    snapshot_version INTEGER NOT NULL DEFAULT 1,
    issued_micro INTEGER NOT NULL DEFAULT 0,      -- net part, posted (and go-live)
    scrapped_micro INTEGER NOT NULL DEFAULT 0,    -- planned-scrap part, posted
    owed_micro INTEGER NOT NULL DEFAULT 0,        -- net part, owed (BF-20)
    owed_scrap_micro INTEGER NOT NULL DEFAULT 0,  -- planned-scrap part, owed
    written_off_micro INTEGER NOT NULL DEFAULT 0,  -- net part, owed once and written off (BF-23)
    written_off_scrap_micro INTEGER NOT NULL DEFAULT 0,  -- planned-scrap part, likewise
    -- A version that began after reports counts from there: units reported, and what the line had
    -- been issued or owed by then.
    since_micro INTEGER NOT NULL DEFAULT 0,
    carried_micro INTEGER NOT NULL DEFAULT 0,
    carried_scrap_micro INTEGER NOT NULL DEFAULT 0,
    UNIQUE (work_order_id, position),
    UNIQUE (work_order_id, line)
) STRICT;

CREATE INDEX order_line_component ON order_line (component_id, work_order_id);

CREATE TABLE order_operation (
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    position INTEGER NOT NULL,          -- order of the operations, from 1
    operation TEXT NOT NULL,
    work_centre_id INTEGER REFERENCES work_centre,
    description TEXT NOT NULL DEFAULT '',
    setup_minutes_micro INTEGER NOT NULL DEFAULT 0,
    run_minutes_micro INTEGER NOT NULL DEFAULT 0,
    run_basis_micro INTEGER NOT NULL DEFAULT 1000000,
    labour_rate_micro INTEGER,          -- of its work centre, per hour
    overhead_rate_micro INTEGER,
    backflush_point INTEGER NOT NULL CHECK (backflush_point IN (0, 1)),
    overlap INTEGER NOT NULL CHECK (overlap IN (0, 1)),
    good_micro INTEGER NOT NULL DEFAULT 0,      -- passed it, those scrapped later included
    scrapped_micro INTEGER NOT NULL DEFAULT 0,  -- scrapped at it
    PRIMARY KEY (work_order_id, position),
    UNIQUE (work_order_id, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_output (
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    line TEXT NOT NULL,
    item_id INTEGER NOT NULL REFERENCES item,
    role TEXT NOT NULL CHECK (role IN ('by_product', 'co_product')),
    basis TEXT NOT NULL CHECK (basis IN ('per_unit', 'per_order')),
    net_num INTEGER NOT NULL,
    net_den INTEGER NOT NULL CHECK (net_den > 0),
    cost_share_pct_micro INTEGER,
    -- Received beyond what the good units bring: a reversal gives back what was recorded (BF-31).
    ahead_micro INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (work_order_id, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_line_substitute (
    line_id INTEGER NOT NULL REFERENCES order_line,
    substitute_id INTEGER NOT NULL REFERENCES item,
    ratio_num INTEGER NOT NULL,
    ratio_den INTEGER NOT NULL,
    priority INTEGER,
    approval TEXT NOT NULL,
    choice TEXT NOT NULL,
    PRIMARY KEY (line_id, substitute_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX order_line_substitute_item ON order_line_substitute (substitute_id);

CREATE TABLE unit (
    unit_id INTEGER PRIMARY KEY,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    item_id INTEGER NOT NULL REFERENCES item,
    serial TEXT NOT NULL,
    position INTEGER NOT NULL,          -- order of the file
    report_seq INTEGER REFERENCES report,  -- the report that made it; NULL: not made yet
    origin TEXT NOT NULL DEFAULT 'planned' CHECK (
        origin = 'planned' OR origin = 'named' OR origin = 'freed'),
    UNIQUE (item_id, serial)
) STRICT;

CREATE INDEX unit_serial ON unit (serial);

CREATE INDEX unit_planned ON unit (work_order_id, position) WHERE report_seq IS NULL;

CREATE INDEX unit_report ON unit (report_seq) WHERE report_seq IS NOT NULL;

CREATE INDEX unit_of_plan ON unit (work_order_id) WHERE origin = 'planned';

CREATE TABLE scan_journal (
    scan_seq INTEGER PRIMARY KEY,
    scan_id TEXT NOT NULL UNIQUE,
    received_at TEXT NOT NULL,          -- the clock's reading
    event_time TEXT,                    -- given by --at; NULL: received_at
    device TEXT NOT NULL,
    badge TEXT,                         -- given by --as
    raw BLOB NOT NULL,
    truncated INTEGER NOT NULL CHECK (truncated IN (0, 1)),
    fault TEXT,                         -- why the frame is refused whatever it says
    fault_key TEXT                      -- the key of a forbidden_key
) STRICT;

CREATE TABLE scan_outcome (
    scan_seq INTEGER PRIMARY KEY REFERENCES scan_journal,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    outcome TEXT NOT NULL,
    reason TEXT,
    message TEXT NOT NULL,
    event_seq INTEGER REFERENCES event, -- what it wrote, if anything
    concluded_at TEXT NOT NULL,
    hash TEXT NOT NULL                  -- over the one before, the journal row's and this row
) STRICT;

CREATE TABLE event (
    event_seq INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    event_time TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    scan_seq INTEGER REFERENCES scan_journal,
    person TEXT,
    second_person TEXT,
    reason TEXT,
    outbox_seq INTEGER UNIQUE,          -- contiguous from 1; NULL: not for upstream
    hash TEXT NOT NULL,                 -- SHA-256(previous hash || body)
    body TEXT NOT NULL                  -- a CloudEvents document, exactly as sent
) STRICT;

CREATE INDEX event_late ON event (event_time)
    WHERE scan_seq IS NOT NULL AND event_time <> recorded_at;

CREATE TABLE delivery (
    outbox_seq INTEGER PRIMARY KEY REFERENCES event (outbox_seq),
    status TEXT NOT NULL DEFAULT 'waiting' CHECK (
        status = 'waiting' OR status = 'delivered' OR status = 'refused' OR status = 'parked'),
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered_at TEXT,
    last_error TEXT,
    document TEXT,                      -- the receiver's number of what it made of it
    answer TEXT,                        -- the receiver's last answer, as JSON
    behind INTEGER,                     -- of a parked one: the refused posting that it waits for
    let_go INTEGER NOT NULL DEFAULT 0 CHECK (let_go IN (0, 1))  -- refused, and so it stays
) STRICT;

CREATE INDEX delivery_open ON delivery (status, outbox_seq)
    WHERE status <> 'delivered' AND let_go = 0;

CREATE INDEX delivery_let_go ON delivery (outbox_seq) WHERE let_go = 1;

CREATE TABLE upstream_state (
    upstream_state_id INTEGER PRIMARY KEY CHECK (upstream_state_id = 1),
    receiver TEXT,                      -- what it calls itself
    greeted_at TEXT,
    last_contact_at TEXT,
    watermark INTEGER NOT NULL DEFAULT 0,     -- it has everything of this epoch up to here
    pruned_below INTEGER NOT NULL DEFAULT 0,  -- delivered up to here and older than is kept: gone
    down_version INTEGER NOT NULL DEFAULT 0,  -- documents from above are applied up to here (UP-9)
    settled INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,
    parked INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE down_waiting (
    key TEXT PRIMARY KEY,               -- what it is about
    version INTEGER NOT NULL,
    document TEXT NOT NULL,             -- as it came
    outcome TEXT NOT NULL CHECK (outcome IN ('not_here', 'refused')),
    sentence TEXT                       -- why it was refused
) STRICT, WITHOUT ROWID;

CREATE TABLE upstream_stock (
    item TEXT NOT NULL,
    lot TEXT NOT NULL,                  -- '' absent, as in the two that follow
    serial TEXT NOT NULL,
    location TEXT NOT NULL,
    quantity_micro INTEGER NOT NULL,
    PRIMARY KEY (item, lot, serial, location)
) STRICT, WITHOUT ROWID;

CREATE TABLE upstream_reading (
    upstream_reading_id INTEGER PRIMARY KEY CHECK (upstream_reading_id = 1),
    as_of TEXT NOT NULL,                -- when it was true
    watermark INTEGER NOT NULL,         -- it has the postings of the epoch up to here
    epoch TEXT NOT NULL,
    pieces INTEGER NOT NULL,            -- rows of upstream_stock
    beyond TEXT NOT NULL,               -- JSON [[first, last]]: what else it has, behind gaps
    noted_at TEXT NOT NULL
) STRICT;

CREATE TRIGGER delivery_counts AFTER UPDATE OF status, let_go ON delivery
    WHEN OLD.status <> NEW.status OR OLD.let_go <> NEW.let_go
    BEGIN UPDATE upstream_state SET
        settled = settled + (NEW.status = 'delivered' OR NEW.let_go = 1)
                          - (OLD.status = 'delivered' OR OLD.let_go = 1),
        refused = refused + (NEW.status = 'refused' AND NEW.let_go = 0)
                          - (OLD.status = 'refused' AND OLD.let_go = 0),
        parked = parked + (NEW.status = 'parked' AND NEW.let_go = 0)
                        - (OLD.status = 'parked' AND OLD.let_go = 0)
        WHERE upstream_state_id = 1; END;

CREATE TRIGGER delivery_counts_parked AFTER INSERT ON delivery WHEN NEW.status = 'parked'
    BEGIN UPDATE upstream_state SET parked = parked + 1 WHERE upstream_state_id = 1; END;

CREATE TRIGGER event_queues_delivery AFTER INSERT ON event WHEN NEW.outbox_seq IS NOT NULL
    BEGIN INSERT INTO delivery (outbox_seq, status) VALUES (NEW.outbox_seq,
        iif(EXISTS (SELECT 1 FROM meta WHERE key = 'training'), 'parked', 'waiting')); END;

CREATE TRIGGER training_delivers_nothing BEFORE UPDATE OF status ON delivery
    WHEN NEW.status <> 'parked' AND EXISTS (SELECT 1 FROM meta WHERE key = 'training')
    BEGIN SELECT RAISE(ABORT, 'a training copy delivers nothing'); END;

CREATE TRIGGER training_stays_changed BEFORE UPDATE ON meta WHEN OLD.key = 'training'
    BEGIN SELECT RAISE(ABORT, 'a training copy stays one'); END;

CREATE TRIGGER training_stays_deleted BEFORE DELETE ON meta WHEN OLD.key = 'training'
    BEGIN SELECT RAISE(ABORT, 'a training copy stays one'); END;

CREATE TABLE report (
    report_seq INTEGER PRIMARY KEY REFERENCES event (event_seq),
    scan_seq INTEGER NOT NULL REFERENCES scan_journal,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    kind TEXT NOT NULL CHECK (
        kind = 'completion' OR kind = 'short_close' OR kind = 'reversal'
        OR kind = 'operation' OR kind = 'scrap' OR kind = 'rework' OR kind = 'reworked'
        OR kind = 'exchange'),
    good_micro INTEGER NOT NULL,        -- negative in a reversal; 0 of an operation
    scrapped_micro INTEGER NOT NULL DEFAULT 0,
    lot_id INTEGER REFERENCES lot,      -- produced, or in rework; NULL: serials, or nothing
    person TEXT,
    event_time TEXT NOT NULL,
    order_status_before TEXT NOT NULL,
    lot_expires_before TEXT,            -- of the produced lot, restored by the reversal
    reverses INTEGER REFERENCES report,
    movement_first INTEGER NOT NULL,    -- its movements: this one
    movement_count INTEGER NOT NULL,    -- and so many
    operation TEXT,                     -- the one reported, or scrapped at
    passed TEXT,                        -- JSON [[position, good, scrapped]]: what operations gained
    reversed_micro INTEGER,             -- of a reversal: how many units of the report it takes back
    reverses_rest INTEGER NOT NULL DEFAULT 0 CHECK (reverses_rest IN (0, 1))  -- and all that stood
) STRICT;

CREATE INDEX report_reverses ON report (reverses) WHERE reverses IS NOT NULL;

CREATE UNIQUE INDEX report_reversed ON report (reverses) WHERE reverses_rest = 1;

CREATE INDEX report_work_order ON report (work_order_id);

CREATE INDEX report_lot ON report (lot_id) WHERE lot_id IS NOT NULL;

CREATE TABLE hand_issue (
    hand_issue_id INTEGER PRIMARY KEY,
    event_seq INTEGER NOT NULL REFERENCES event,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    line_id INTEGER REFERENCES order_line,  -- NULL: an extra part
    item_id INTEGER NOT NULL REFERENCES item,
    lot_id INTEGER NOT NULL REFERENCES lot,
    container_id INTEGER NOT NULL DEFAULT 0,
    quantity_micro INTEGER NOT NULL,
    covered_micro INTEGER NOT NULL,     -- in units of the line's component (BF-29); 0: an extra part
    reason TEXT,                        -- of an extra part
    report_seq INTEGER                  -- the report whose genealogy has it; NULL: waits
) STRICT;

CREATE INDEX hand_issue_order ON hand_issue (work_order_id, line_id);

CREATE INDEX hand_issue_lot ON hand_issue (lot_id);

CREATE INDEX hand_issue_waiting ON hand_issue (work_order_id) WHERE report_seq IS NULL;

CREATE INDEX hand_issue_report ON hand_issue (report_seq) WHERE report_seq IS NOT NULL;

CREATE TABLE hand_return (
    event_seq INTEGER PRIMARY KEY REFERENCES event,
    report_seq INTEGER NOT NULL REFERENCES report
) STRICT;

CREATE INDEX hand_return_report ON hand_return (report_seq);

CREATE TABLE slot (
    lot_id INTEGER PRIMARY KEY REFERENCES lot,  -- in one parent at a time
    line_id INTEGER NOT NULL REFERENCES order_line,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    unit_id INTEGER REFERENCES unit,    -- NULL: the unit at hand has not been scanned
    scan_seq INTEGER NOT NULL REFERENCES scan_journal,
    report_seq INTEGER REFERENCES report, -- the report that built it in; NULL: not yet
    -- It was scanned although it was expired, although it was held (BF-24).
    may_expire INTEGER NOT NULL DEFAULT 0 CHECK (may_expire IN (0, 1)),
    may_be_held INTEGER NOT NULL DEFAULT 0 CHECK (may_be_held IN (0, 1))
) STRICT;

CREATE INDEX slot_open ON slot (work_order_id, unit_id) WHERE report_seq IS NULL;

CREATE INDEX slot_report ON slot (report_seq) WHERE report_seq IS NOT NULL;

CREATE TABLE exchange (
    report_seq INTEGER PRIMARY KEY REFERENCES report,
    old_lot_id INTEGER NOT NULL REFERENCES lot,
    line_id INTEGER NOT NULL REFERENCES order_line,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    unit_id INTEGER REFERENCES unit,
    scan_seq INTEGER NOT NULL REFERENCES scan_journal,
    built_in_seq INTEGER NOT NULL REFERENCES report
) STRICT;

CREATE TABLE box_report (
    item_id INTEGER NOT NULL REFERENCES item,
    box TEXT NOT NULL,
    report_seq INTEGER NOT NULL REFERENCES report,
    PRIMARY KEY (item_id, box, report_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE label_cursor (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    report_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE movement (
    movement_seq INTEGER PRIMARY KEY,
    event_seq INTEGER NOT NULL,
    line_id INTEGER,
    lot_id INTEGER NOT NULL,
    container_id INTEGER NOT NULL DEFAULT 0,
    from_location_id INTEGER NOT NULL,
    to_location_id INTEGER NOT NULL,
    quantity_micro INTEGER NOT NULL CHECK (quantity_micro > 0),
    kind TEXT NOT NULL CHECK (
        kind = 'receipt' OR kind = 'issue' OR kind = 'production' OR kind = 'scrap'
        OR kind = 'move' OR kind = 'adjustment' OR kind = 'reversal'),
    source_rule TEXT CHECK (
        source_rule = 'line' OR source_rule = 'work_centre' OR source_rule = 'station')
) STRICT;

CREATE TABLE substitution (
    movement_seq INTEGER PRIMARY KEY,
    line_id INTEGER NOT NULL,
    covered_micro INTEGER NOT NULL CHECK (covered_micro > 0)
) STRICT;

CREATE TABLE taken_back (
    movement_seq INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    quantity_micro INTEGER NOT NULL CHECK (quantity_micro >= 0),
    covered_micro INTEGER NOT NULL CHECK (covered_micro >= 0),
    PRIMARY KEY (movement_seq, event_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE edge (
    child_id INTEGER NOT NULL,          -- lot_id of what was made
    parent_id INTEGER NOT NULL,         -- lot_id of what it was made from
    report_seq INTEGER NOT NULL,
    line_id INTEGER NOT NULL,
    quantity_micro INTEGER NOT NULL,    -- negative in a reversal
    certainty TEXT NOT NULL CHECK (
        certainty = 'exact' OR certainty = 'sole' OR certainty = 'pooled'
        OR certainty = 'assumed' OR certainty = 'unknown'),
    PRIMARY KEY (child_id, parent_id, report_seq, line_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX edge_forward ON edge (parent_id, child_id, quantity_micro);

CREATE TABLE exception (
    exception_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'open' CHECK (
        status = 'open' OR status = 'resolved' OR status = 'voided'),
    severity TEXT NOT NULL CHECK (
        severity = 'stop' OR severity = 'warn' OR severity = 'info'),
    subject TEXT NOT NULL,              -- one open exception a kind and subject (BF-20)
    work_order_id INTEGER REFERENCES work_order,
    line_id INTEGER REFERENCES order_line,
    item_id INTEGER REFERENCES item,
    lot_id INTEGER REFERENCES lot,
    quantity_micro INTEGER,             -- still open
    opened_at TEXT NOT NULL,
    opened_event_seq INTEGER NOT NULL REFERENCES event,
    cause_code TEXT NOT NULL,           -- the kind and a stable word: shortage:expired
    cause TEXT,
    assigned TEXT REFERENCES operator,  -- whose it is; NULL: the owner's of its kind
    tries INTEGER NOT NULL DEFAULT 0,   -- how often it was tried again, or scanned
    tried_seq INTEGER REFERENCES event, -- the last change that did not end it (BF-22)
    retry_scan_id TEXT REFERENCES scan_journal (scan_id),  -- of a failed scan: made of it since
    resolution TEXT,
    ended_at TEXT                       -- when the event that ended it was recorded
) STRICT;

CREATE UNIQUE INDEX exception_open ON exception (kind, subject) WHERE status = 'open';

CREATE INDEX exception_ended ON exception (ended_at) WHERE ended_at IS NOT NULL;

CREATE INDEX exception_short ON exception (item_id) WHERE kind = 'shortage' AND status = 'open';

CREATE INDEX exception_groups ON exception (
    cause_code, item_id, assigned, opened_at, severity, quantity_micro) WHERE status = 'open';

CREATE INDEX exception_groups_ended ON exception (
    cause_code, item_id, assigned, opened_at, severity, quantity_micro, status)
    WHERE status <> 'open';

CREATE INDEX exception_orders ON exception (
    work_order_id, opened_at, exception_id, status, kind, severity, item_id, quantity_micro);

CREATE INDEX exception_desk ON exception (kind, opened_at, exception_id) WHERE status = 'open';

CREATE INDEX exception_history ON exception (kind, opened_at, exception_id);

CREATE INDEX exception_causes ON exception (cause_code, item_id, opened_at, exception_id)
    WHERE status = 'open';

CREATE INDEX exception_owners ON exception (assigned, opened_at, exception_id, kind)
    WHERE status = 'open';

CREATE TRIGGER exception_ends AFTER UPDATE OF status ON exception WHEN OLD.status <> NEW.status
    BEGIN UPDATE exception
             SET ended_at = CASE WHEN NEW.status <> 'open' THEN (
                 SELECT recorded_at FROM event ORDER BY event_seq DESC LIMIT 1) END
           WHERE exception_id = NEW.exception_id; END;

CREATE TABLE exception_item (
    exception_id INTEGER NOT NULL REFERENCES exception,
    event_seq INTEGER NOT NULL REFERENCES event,
    quantity_micro INTEGER NOT NULL,    -- negative: given back by a reversal
    scrap_micro INTEGER NOT NULL DEFAULT 0,  -- of it the planned-scrap part
    PRIMARY KEY (exception_id, event_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX exception_item_event ON exception_item (event_seq);

CREATE TABLE heal_queue (
    heal_queue_id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item,
    location_id INTEGER NOT NULL REFERENCES location,
    event_seq INTEGER NOT NULL REFERENCES event,  -- the change
    -- What was tried so far: owed parts up to this report, and of it up to this exception.
    report_seq INTEGER NOT NULL DEFAULT 0,
    exception_id INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE healing (
    event_seq INTEGER PRIMARY KEY REFERENCES event,
    exception_id INTEGER NOT NULL REFERENCES exception,
    report_seq INTEGER NOT NULL REFERENCES report,
    cause_seq INTEGER REFERENCES event, -- the change that mended it; NULL: a person decided
    movement_first INTEGER NOT NULL,
    movement_count INTEGER NOT NULL,
    written_micro INTEGER NOT NULL DEFAULT 0,  -- of it nothing was posted for, net
    written_scrap_micro INTEGER NOT NULL DEFAULT 0,  -- and as planned scrap
    -- What it drew on was taken back, so the part is owed again. (Where its own report is reversed,
    -- the reversal takes back the healing too, and this stays empty.)
    undone_seq INTEGER REFERENCES event
) STRICT;

CREATE INDEX healing_report ON healing (report_seq);

CREATE UNIQUE INDEX healing_undone ON healing (undone_seq) WHERE undone_seq IS NOT NULL;

CREATE TABLE unwritten (
    healing_seq INTEGER NOT NULL REFERENCES healing,
    event_seq INTEGER NOT NULL REFERENCES event,
    quantity_micro INTEGER NOT NULL,    -- for the units
    scrap_micro INTEGER NOT NULL,       -- as planned scrap
    PRIMARY KEY (healing_seq, event_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_lot (
    item_id INTEGER NOT NULL,
    lot_id INTEGER NOT NULL,
    since_seq INTEGER NOT NULL,
    PRIMARY KEY (item_id, lot_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lot_held AFTER UPDATE OF status ON lot
    WHEN OLD.status = 'available' AND NEW.status <> 'available'
    BEGIN INSERT INTO held_lot VALUES
        (NEW.item_id, NEW.lot_id, (SELECT coalesce(max(event_seq), 0) FROM event)); END;

CREATE TRIGGER lot_freed AFTER UPDATE OF status ON lot
    WHEN OLD.status <> 'available' AND NEW.status = 'available'
    BEGIN DELETE FROM held_lot WHERE item_id = NEW.item_id AND lot_id = NEW.lot_id; END;

CREATE TABLE stock_count (
    stock_count_id INTEGER PRIMARY KEY,
    location_id INTEGER NOT NULL REFERENCES location,
    started_seq INTEGER NOT NULL REFERENCES event,
    started_at TEXT NOT NULL,
    person TEXT,
    status TEXT NOT NULL DEFAULT 'open' CHECK (
        status = 'open' OR status = 'ended' OR status = 'dropped'),
    ended_seq INTEGER REFERENCES event,
    ended_at TEXT
) STRICT;

CREATE INDEX stock_count_ended ON stock_count (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE count_stock (
    stock_count_id INTEGER NOT NULL REFERENCES stock_count,
    lot_id INTEGER NOT NULL REFERENCES lot,
    container_id INTEGER NOT NULL,
    item_id INTEGER NOT NULL REFERENCES item,
    counted_micro INTEGER NOT NULL,
    book_micro INTEGER NOT NULL,        -- when it was scanned first
    movement_seq INTEGER NOT NULL,      -- the ledger's position then
    scan_seq INTEGER NOT NULL REFERENCES scan_journal,
    PRIMARY KEY (stock_count_id, lot_id, container_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_item (
    stock_count_id INTEGER NOT NULL REFERENCES stock_count,
    item_id INTEGER NOT NULL REFERENCES item,
    owed_micro INTEGER NOT NULL,        -- when it was scanned first
    in_process_micro INTEGER NOT NULL DEFAULT 0,
    expected_micro INTEGER,             -- NULL until the count has ended
    counted_micro INTEGER,
    exception_id INTEGER REFERENCES exception,  -- it waits, or waited, for approval
    posted_seq INTEGER REFERENCES event,
    PRIMARY KEY (stock_count_id, item_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX count_item_item ON count_item (item_id, stock_count_id);

CREATE INDEX count_item_exception ON count_item (exception_id) WHERE exception_id IS NOT NULL;

CREATE TABLE count_change (
    stock_count_id INTEGER NOT NULL REFERENCES stock_count,
    item_id INTEGER NOT NULL REFERENCES item,
    lot_id INTEGER NOT NULL REFERENCES lot,
    container_id INTEGER NOT NULL,
    delta_micro INTEGER NOT NULL,
    PRIMARY KEY (stock_count_id, item_id, lot_id, container_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE count_units (
    count_units_id INTEGER PRIMARY KEY,
    stock_count_id INTEGER NOT NULL REFERENCES stock_count,
    work_order_id INTEGER NOT NULL REFERENCES work_order,
    units_micro INTEGER,
    UNIQUE (stock_count_id, work_order_id)
) STRICT;

CREATE TABLE line_stop (
    line_stop_id INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    work_order_id INTEGER REFERENCES work_order,  -- the current order then
    person TEXT,
    stopped_at TEXT NOT NULL,
    stopped_seq INTEGER NOT NULL REFERENCES event,
    ended_at TEXT,
    ended_seq INTEGER REFERENCES event  -- NULL: the line stands
) STRICT;

CREATE UNIQUE INDEX line_stop_open ON line_stop (ended_seq IS NULL) WHERE ended_seq IS NULL;

CREATE TABLE material_call (
    material_call_id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,              -- the item, else the order, else ''
    item_id INTEGER REFERENCES item,    -- what the current order lacks first; NULL: nothing known
    work_order_id INTEGER REFERENCES work_order,
    location_id INTEGER REFERENCES location,  -- where it is lacking
    times INTEGER NOT NULL DEFAULT 1 CHECK (times > 0),
    person TEXT,
    called_at TEXT NOT NULL,
    called_seq INTEGER NOT NULL REFERENCES event,
    ended_at TEXT,
    ended_seq INTEGER REFERENCES event, -- NULL: nobody has brought it
    ended_by TEXT CHECK (ended_by = 'mounted' OR ended_by = 'received' OR ended_by = 'supervisor')
) STRICT;

CREATE UNIQUE INDEX material_call_open ON material_call (subject) WHERE ended_seq IS NULL;

CREATE TABLE shift_end (
    shift_end_id INTEGER PRIMARY KEY,
    event_seq INTEGER NOT NULL UNIQUE REFERENCES event,
    signature_seq INTEGER NOT NULL UNIQUE REFERENCES event,
    production_day TEXT NOT NULL,       -- YYYYMMDD (BF-33)
    shift TEXT,                         -- NULL: outside every shift
    due_at TEXT,                        -- when it was to end by shifts.csv
    began_at TEXT NOT NULL,
    ended_at TEXT NOT NULL,
    person TEXT NOT NULL,               -- who signed
    handed_over_to TEXT
) STRICT;

CREATE TABLE permit (
    permit_id INTEGER PRIMARY KEY,
    granted_seq INTEGER NOT NULL REFERENCES event,
    granted_at TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    situation TEXT NOT NULL,
    item TEXT NOT NULL,
    lot TEXT,                           -- or serial; NULL: any
    work_order TEXT,                    -- NULL: any
    until TEXT NOT NULL,                -- of events before this instant
    quantity_micro INTEGER CHECK (quantity_micro > 0),  -- NULL: by time alone
    once INTEGER NOT NULL CHECK (once IN (0, 1)),  -- its first use ends it
    reason TEXT,
    used_micro INTEGER NOT NULL DEFAULT 0 CHECK (used_micro >= 0),
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0),
    ended_seq INTEGER REFERENCES event, -- NULL: nobody has ended it
    CHECK (quantity_micro IS NULL OR used_micro <= quantity_micro)
) STRICT;

CREATE INDEX permit_standing ON permit (item, situation, until) WHERE ended_seq IS NULL;

CREATE TABLE permit_use (
    event_seq INTEGER NOT NULL REFERENCES event,  -- what was let pass by it
    permit_id INTEGER NOT NULL REFERENCES permit,
    quantity_micro INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    given_back_seq INTEGER REFERENCES event,  -- the reversal of what was let pass
    PRIMARY KEY (event_seq, permit_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
    approval_id INTEGER PRIMARY KEY,
    asked_seq INTEGER NOT NULL REFERENCES event,  -- when it was asked last
    asked_at TEXT NOT NULL,
    situation TEXT NOT NULL,
    item TEXT NOT NULL,
    item_class TEXT,
    lot TEXT NOT NULL,
    work_order TEXT NOT NULL,
    quantity TEXT NOT NULL,             -- decimal
    person TEXT NOT NULL,               -- who was asked
    said TEXT NOT NULL,
    code BLOB NOT NULL,                 -- what was scanned
    expires_at TEXT NOT NULL,           -- the end of the shift
    status TEXT NOT NULL DEFAULT 'open' CHECK (
        status = 'open' OR status = 'approved' OR status = 'refused' OR status = 'used'
        OR status = 'withdrawn'),
    answered_by TEXT,
    answered_at TEXT,
    permit_id INTEGER REFERENCES permit
) STRICT;

CREATE UNIQUE INDEX approval_open
    ON approval (situation, item, lot, work_order, quantity, person) WHERE status = 'open';

CREATE INDEX approval_answered ON approval (expires_at)
    WHERE status = 'approved' OR status = 'refused';

CREATE INDEX approval_permit ON approval (permit_id) WHERE permit_id IS NOT NULL;

CREATE TABLE station_state (
    station_state_id INTEGER PRIMARY KEY CHECK (station_state_id = 1),
    badge TEXT,                         -- who is signed in
    signed_in_at TEXT,
    work_order_id INTEGER REFERENCES work_order,  -- the current order
    -- The unit at hand, whose slots are filled (BF-18): of a serial-tracked product, or the next one.
    unit_id INTEGER REFERENCES unit,
    next_unit INTEGER NOT NULL DEFAULT 0 CHECK (next_unit IN (0, 1)),
    stock_count_id INTEGER REFERENCES stock_count,  -- the count that is open (BF-32)
    pending_verb TEXT,                  -- a command that waits for its code
    pending_argument TEXT,
    pending_quantity_micro INTEGER,     -- %QTY
    confirm_reason TEXT,                -- confirm_repeat, confirm: the same code again means yes
    confirm_code BLOB,
    confirm_until TEXT,
    recovered_code BLOB,                -- booked before the stop: asks once when seen again
    recovered_until TEXT,
    clock_in_doubt INTEGER NOT NULL DEFAULT 0 CHECK (clock_in_doubt IN (0, 1)),
    line_stop_id INTEGER REFERENCES line_stop,  -- the line stands since
    master_data_version INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE scanned_lot (
    item_id INTEGER PRIMARY KEY REFERENCES item,
    lot TEXT NOT NULL
) STRICT;

CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;

CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'event is append-only'); END;

CREATE TRIGGER epoch_no_update BEFORE UPDATE ON epoch
    BEGIN SELECT RAISE(ABORT, 'epoch is append-only'); END;

CREATE TRIGGER epoch_no_delete BEFORE DELETE ON epoch
    BEGIN SELECT RAISE(ABORT, 'epoch is append-only'); END;

CREATE TRIGGER movement_no_update BEFORE UPDATE ON movement
    BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;

CREATE TRIGGER movement_no_delete BEFORE DELETE ON movement
    BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;

CREATE TRIGGER edge_no_update BEFORE UPDATE ON edge
    BEGIN SELECT RAISE(ABORT, 'edge is append-only'); END;

CREATE TRIGGER edge_no_delete BEFORE DELETE ON edge
    BEGIN SELECT RAISE(ABORT, 'edge is append-only'); END;

CREATE TRIGGER report_no_update BEFORE UPDATE ON report
    BEGIN SELECT RAISE(ABORT, 'report is append-only'); END;

CREATE TRIGGER report_no_delete BEFORE DELETE ON report
    BEGIN SELECT RAISE(ABORT, 'report is append-only'); END;

CREATE TRIGGER taken_back_no_update BEFORE UPDATE ON taken_back
    BEGIN SELECT RAISE(ABORT, 'taken_back is append-only'); END;

CREATE TRIGGER taken_back_no_delete BEFORE DELETE ON taken_back
    BEGIN SELECT RAISE(ABORT, 'taken_back is append-only'); END;

CREATE TRIGGER scan_journal_no_update BEFORE UPDATE ON scan_journal
    BEGIN SELECT RAISE(ABORT, 'scan_journal is append-only'); END;

CREATE TRIGGER scan_journal_no_delete BEFORE DELETE ON scan_journal
    BEGIN SELECT RAISE(ABORT, 'scan_journal is append-only'); END;

CREATE TRIGGER scan_outcome_no_update BEFORE UPDATE ON scan_outcome
    BEGIN SELECT RAISE(ABORT, 'scan_outcome is append-only'); END;

CREATE TRIGGER scan_outcome_no_delete BEFORE DELETE ON scan_outcome
    BEGIN SELECT RAISE(ABORT, 'scan_outcome is append-only'); END;
