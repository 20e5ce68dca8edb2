"""What a preview gives: rows, and the report of what was read for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.problems.display import Displayed
from plait.values.json_value import cell_text

if TYPE_CHECKING:
    from plait.engine.report import Report
    from plait.problems.display import Rows


class Preview(Displayed, Struct, frozen=True):
    """The rows of a preview as an Arrow table, the report of what was read for it, and the block of the columns that were guessed."""

    table: Any
    report: Report
    guessed: str

    def to_pandas(self) -> Any:
        """The rows as a DataFrame whose columns have the exact types of Arrow, as `read` gives them."""
        from plait.pipeline.reading import to_frame

        return to_frame(self.table)

    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows as mappings."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def display(self) -> tuple[str, Rows, Rows]:
        """The rows, as JSON has their values."""
        rows = self.table.to_pylist(maps_as_pydicts="strict")
        texts = ([cell_text(value) for value in row.values()] for row in rows)
        numbers = {**dict(self.report.numbers()), "rows": f"{self.table.num_rows:,}"}
        return self.report.pipeline, [*numbers.items()], [self.table.column_names, *texts]
