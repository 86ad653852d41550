"""The counts as the supervisor's desk pages through them (BF-32). Called by `usecases.desk_counts`.

The newest count first, its items in the order of the master data: a page begins in the key of
`count_item` and sorts no more than one count. What waits is found by the exceptions that are open.
"""

from typing import Final

_ROWS: Final = """
SELECT stock_count.stock_count_id, count_item.item_id, stock_count.status, location.location,
       item.item, item.description, item.uom, item.item_class,
       stock_count.started_at, stock_count.ended_at, coalesce(operator.name, stock_count.person),
       count_item.expected_micro, count_item.counted_micro, count_item.owed_micro,
       count_item.in_process_micro, count_item.posted_seq IS NOT NULL,
       count_item.exception_id, exception.status, exception.resolution,
       item.standard_cost_micro, item.cost_per_micro
FROM {origin}
CROSS JOIN stock_count ON stock_count.stock_count_id = count_item.stock_count_id
JOIN location ON location.location_id = stock_count.location_id
JOIN item ON item.item_id = count_item.item_id
LEFT JOIN exception ON exception.exception_id = count_item.exception_id
LEFT JOIN operator ON operator.badge = stock_count.person
WHERE count_item.stock_count_id <= :count
  AND (count_item.stock_count_id < :count OR count_item.item_id > :item_id)
  AND (:text IS NULL
       OR item.item LIKE :text ESCAPE '\\' OR item.description LIKE :text ESCAPE '\\'
       OR location.location LIKE :text ESCAPE '\\' OR operator.name LIKE :text ESCAPE '\\'
       OR stock_count.person LIKE :text ESCAPE '\\')
ORDER BY count_item.stock_count_id DESC, count_item.item_id
"""

COUNTS: Final = _ROWS.format(origin="count_item")
"""All that was ever counted."""

TO_DO: Final = _ROWS.format(
    origin="""(
    SELECT count_item.stock_count_id, count_item.item_id, count_item.expected_micro,
           count_item.counted_micro, count_item.owed_micro, count_item.in_process_micro,
           count_item.posted_seq, count_item.exception_id
      FROM exception CROSS JOIN count_item ON count_item.exception_id = exception.exception_id
     WHERE exception.kind = 'count_variance' AND exception.status = 'open'
    UNION
    SELECT count_item.stock_count_id, count_item.item_id, count_item.expected_micro,
           count_item.counted_micro, count_item.owed_micro, count_item.in_process_micro,
           count_item.posted_seq, count_item.exception_id
      FROM station_state CROSS JOIN count_item
           ON count_item.stock_count_id = station_state.stock_count_id) AS count_item"""
)
"""What is being counted, and what somebody has to decide on."""

TOTAL: Final = "SELECT count(*) FROM count_item"

ITEM: Final = "SELECT description, uom FROM item WHERE item = :item"
