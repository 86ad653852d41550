"""People as the supervisor's desk pages through them; never a PIN or its hash.

Called by `usecases.desk_people`.
"""

from typing import Final

_FOUND: Final = """(:enabled IS NULL OR operator.disabled_at IS NULL)
  AND (:text IS NULL
       OR operator.badge LIKE :text ESCAPE '\\' OR operator.name LIKE :text ESCAPE '\\'
       OR operator.role LIKE :text ESCAPE '\\')"""

PEOPLE: Final = f"""
SELECT operator.badge, operator.name, operator.role, operator.language, pin.badge IS NOT NULL,
       pin.locked_until, operator.disabled_at, operator.seen_at
FROM operator LEFT JOIN operator_pin AS pin ON pin.badge = operator.badge
WHERE operator.badge > :after AND {_FOUND}
ORDER BY operator.badge
"""  # noqa: S608

TOTAL: Final = f"SELECT count(*) FROM operator WHERE {_FOUND}"  # noqa: S608
