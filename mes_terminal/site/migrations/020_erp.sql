-- What became of each posting in the ERP behind the site (UP-3, UP-4, UP-7, UP-8). A posting that
-- the site accepted gets its row when the bridge first sees it.

CREATE TABLE erp_delivery (
    inbox_id BIGINT PRIMARY KEY REFERENCES posting (posting_id),
    lane TEXT NOT NULL,                 -- its partition key: order is kept within it
    -- not_accepted: the site itself refused it; looked at again. waiting, sending: not in the ERP,
    -- or nobody knows. refused: others wait behind it. posted: in the ERP's stock; its order's
    -- plan is still to be kept. done. let_go: given up by a person, or taken back before it went.
    status TEXT NOT NULL CHECK (status IN (
        'not_accepted', 'waiting', 'sending', 'refused', 'posted', 'done', 'let_go')),
    behind BIGINT,                      -- the refused posting that this one waits for (UP-3)
    carries TEXT,                       -- the report whose material its document holds
    reference TEXT,                     -- our key in the ERP
    document TEXT,                      -- the ERP's number
    reason TEXT,
    last_error TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    tried_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX erp_delivery_open ON erp_delivery (inbox_id)
    WHERE status NOT IN ('done', 'let_go');
CREATE INDEX erp_delivery_ready ON erp_delivery (inbox_id)
    WHERE status IN ('waiting', 'sending') AND behind IS NULL;
CREATE INDEX erp_delivery_behind ON erp_delivery (behind) WHERE behind IS NOT NULL;
CREATE INDEX erp_delivery_carries ON erp_delivery (carries, inbox_id) WHERE carries IS NOT NULL;
