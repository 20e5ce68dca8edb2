"""What the servers of a sandbox hold, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plait.problems.problem import Problem


@dataclass(frozen=True, slots=True)
class MysqlTable:
    """Columns with their SQL types, and rows, in which a column may be missing; `key` is the primary key."""

    columns: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    key: str = ""

    def tuples(self) -> list[tuple[Any, ...]]:
        """The values of each row, in the order of the columns."""
        return [tuple(map(row.get, self.columns)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class DynamoTable:
    """The key attributes, with `S`, `N` or `B` for their type, and the items."""

    keys: dict[str, str]
    items: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Contents:
    """What S3, MySQL, DynamoDB, CloudWatch Logs and Secrets Manager hold.

    Objects are by URI, tables of MySQL by database and name, lines of a log group are milliseconds and text. A secret
    is the login of a user who may read MySQL, with this as its database. `warnings` are those of the seed.
    """

    buckets: set[str] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)
    mysql: dict[tuple[str, str], MysqlTable] = field(default_factory=dict)
    dynamodb: dict[str, DynamoTable] = field(default_factory=dict)
    logs: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)
