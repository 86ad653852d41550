"""The queue of orders as the supervisor's desk pages through it: what is due first comes first.

Orders without a due time come last, and those without a sequence after those with one. An index
has that order and all that is asked of an order that is left out, so a page reads few rows and a
text is looked for in the index. Called by `usecases.desk_orders`.
"""

from typing import Final

NEVER: Final = "9999"
"""Sorts after every instant."""
LAST: Final = 9223372036854775807

_DUE: Final = "coalesce(work_order.due_at, '9999')"
_SEQUENCE: Final = "coalesce(work_order.sequence, 9223372036854775807)"

_WHICH: Final = f"""
    (:open IS NULL OR work_order.status IN ('released', 'started', 'hold'))
    AND (:late IS NULL OR ({_DUE} < :now
         AND work_order.status IN ('planned', 'released', 'started', 'hold')))
    AND (:text IS NULL OR work_order.work_order LIKE :text ESCAPE '\\'
         OR work_order.item_id IN (
             SELECT item_id FROM item
             WHERE item.item LIKE :text ESCAPE '\\' OR item.description LIKE :text ESCAPE '\\'))"""  # noqa: S608

ORDERS: Final = f"""
SELECT work_order.work_order, item.item, item.description, item.uom, work_order.quantity_micro,
       work_order.good_micro, work_order.scrapped_micro, work_order.replace_scrap,
       work_order.status, work_order.sequence, work_order.due_at,
       (SELECT count(*) FROM exception
        WHERE exception.work_order_id = work_order.work_order_id AND exception.status = 'open'),
       (SELECT count(*) FROM exception
        WHERE exception.work_order_id = work_order.work_order_id AND exception.status = 'open'
          AND exception.severity = 'stop')
FROM work_order INDEXED BY work_order_queue
CROSS JOIN item ON item.item_id = work_order.item_id
WHERE ({_DUE}, {_SEQUENCE}, work_order.work_order) > (:due, :sequence, :work_order) AND {_WHICH}
ORDER BY {_DUE}, {_SEQUENCE}, work_order.work_order
"""  # noqa: S608

ORDER_COUNT: Final = f"""
SELECT count(*) FROM work_order INDEXED BY work_order_queue WHERE {_WHICH}
"""  # noqa: S608
