"""What Python and notebooks show of an object: a title, and tables of text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence

from plait.problems.problem import printable

Rows = Sequence[Sequence[str]]
MAX_CELL = 300  # characters


class Displayed:
    """Shows itself in Python and in notebooks by what its `display` gives."""

    __slots__ = ()

    @abstractmethod
    def display(self) -> tuple[str, Rows, Rows]:
        """A title, rows of a name and a text, and a table whose first row is its header, or nothing."""

    def __repr__(self) -> str:
        title, *tables = self.display()
        return "\n\n".join([printable(title), *(aligned(rows) for rows in tables if rows)])

    def _repr_html_(self) -> str:
        from html import escape

        title, pairs, table = self.display()
        rows = (
            [_row(pair, "td") for pair in pairs],
            [_row(row, "td" if n else "th") for n, row in enumerate(table)],
        )
        tables = (f"<table>{''.join(part)}</table>" for part in rows if part)
        return f"<p><b>{escape(printable(title))}</b></p>{''.join(tables)}"


def _row(cells: Sequence[str], tag: str) -> str:
    from html import escape

    texts = (escape(printable(cell[:MAX_CELL])) + "…" * (len(cell) > MAX_CELL) for cell in cells)
    left = "style='text-align: left'"
    return f"<tr>{''.join(f'<{tag} {left}>{text}</{tag}>' for text in texts)}</tr>"


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Rows of text as lines, each column as wide as its longest cell."""
    lines = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)) for line in lines)
    return "\n".join(f"{indent}{line}".rstrip() for line in padded)
