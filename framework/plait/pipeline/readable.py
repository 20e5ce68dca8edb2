"""What can be read by people: the rows that the sink of a pipeline holds, in whole, in part, and by SQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.plan.plan import Plan


class Readable(ABC):
    """Has a plan whose sink is read."""

    @abstractmethod
    def plan(self) -> Plan:
        """Tell what a run will do; nothing is read."""

    def table(self, columns: Sequence[str] | None = None, where: Any = None) -> Any:
        """What the sink holds, as a `pyarrow.Table` with the columns and types of the plan, partitions included.

        `where` names what columns are: `{"day": "2026-07-01", "tier": ["gold", None]}`; or it is an expression of
        pyarrow: `pyarrow.compute.field("day") >= date(2026, 7, 1)`. Files of other partitions are not read.
        A column that a file lacks is null.
        """
        from plait.pipeline.reading import open_lake

        return open_lake(self.plan()).table(columns, where)

    def read(self, columns: Sequence[str] | None = None, where: Any = None) -> Any:
        """What the sink holds, as a `pandas.DataFrame` whose columns have the exact types of Arrow; see `table`."""
        from plait.pipeline.reading import to_frame

        return to_frame(self.table(columns, where))

    def query(self, sql: str, workgroup: str = "primary", results: str | None = None) -> Any:
        """The answer to a query of SQL, as a `pandas.DataFrame` with the types of Arrow.

        Athena is asked where the sink has a table; its files go to a prefix of their own below `results`, which without one lies
        beside the sink, and are removed; its rows come in no order. Elsewhere it is DuckDB, which knows the lake by the pipeline's name.
        """
        from plait.pipeline.query import query
        from plait.pipeline.reading import to_frame

        return to_frame(query(self.plan(), sql, workgroup, results))
