"""What MariaDB itself counted: connections, SELECT statements and rows sent."""

import time
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

# A session's counts are added when it ends, a moment after its client has left.
SETTLING = 60
_SESSIONS = """
    SELECT COUNT(*) FROM information_schema.processlist
    WHERE user NOT IN (SUBSTRING_INDEX(CURRENT_USER(), '@', 1), 'system user')
"""

_QUERY = """
    SELECT COALESCE(SUM(total_connections), 0), COALESCE(SUM(select_commands), 0), COALESCE(SUM(rows_sent), 0)
    FROM information_schema.user_statistics
    WHERE CASE WHEN %(user)s IS NULL THEN user <> SUBSTRING_INDEX(CURRENT_USER(), '@', 1) ELSE user = %(user)s END
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Totals since counting began; a difference of two says what happened between them."""

    connections: int
    selects: int
    rows_sent: int

    def __sub__(self, earlier: Self) -> "Counts":
        return Counts(*(a - b for a, b in zip(astuple(self), astuple(earlier), strict=True)))


def counts(admin: "Connection[Any]", user: str | None = None) -> Counts:
    """Return the totals of `user`, by default of everybody but the asking user; the first call starts counting."""
    with admin.cursor() as cursor:
        cursor.execute("SET GLOBAL userstat = 1")
        for _ in range(SETTLING):
            cursor.execute(_SESSIONS)
            if cursor.fetchone() == (0,):
                break
            time.sleep(0.05)
        return _read(cursor, user)


def _read(cursor: "Cursor", user: str | None) -> Counts:
    cursor.execute(_QUERY, {"user": user})
    row = cursor.fetchone()
    assert row is not None
    return Counts(*map(int, row))
