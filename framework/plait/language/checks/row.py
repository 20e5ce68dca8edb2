"""What the blocks tell of the row: its columns, their types, and which source gives each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.language.build.columns import NAME
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.build.sources import SourceDraft
    from plait.problems.problem import Level

LIST = Type("array", fields=(("element", Type("struct")),))


@dataclass(slots=True)
class Row:
    """The columns of the row, each with its type as far as that is known, and the source that gives it.

    It is `open` where a source takes fields as it finds them: then nothing can be said about other names. It is
    `driven` where one source is known to drive, and `whole` where each source could be read to its end.
    """

    types: dict[str, Type | None] = field(default_factory=dict)
    givers: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    open: bool = False
    driven: bool = False
    whole: bool = True

    def lacks(self, name: str) -> bool:
        """Whether no column can have this name; one that was refused elsewhere is not told again."""
        if self.open or name in self.types or name in self.refused or "${" in name:
            return False
        return not any(not NAME.match(one) and edited_once(name, one) for one in self.refused)

    def leaves_open(self, name: str) -> bool:
        """Whether the spec does not declare the type of a column."""
        return self.whole and self.types.get(name) is None

    def where(self, name: str) -> str:
        """The source in which to declare a column."""
        return excerpt(self.givers[name]) if name in self.givers else "its source"


def row_of(blocks: Sequence[SourceDraft], lost: Iterable[str]) -> Row:
    """The row that these sources make; `lost` are names that stand where nothing could be read."""
    begun = any(block.role == "driver" and block.columns != {} for block in blocks)
    row = Row(refused=set(lost), open=not begun, whole=begun)
    for block in blocks:
        given = gives(block)
        row.driven = row.driven or block.role == "driver"
        row.whole = row.whole and block.whole
        if given is None:
            row.open = True
        for name, kind in (given or {}).items():
            row.types.setdefault(name, kind)
            row.givers.setdefault(name, block.name)
        row.refused |= {name for name, column in (block.columns or {}).items() if column is None}
        if block.shape == "list":
            row.inside.update(dict.fromkeys(block.columns or (), block.name))
    return row


def gives(block: SourceDraft) -> dict[str, Type | None] | None:
    """The columns that a source brings, with their types; None where the spec does not tell."""
    listed: dict[str, Type | None] = {block.name: LIST}
    if block.shape == "list":
        return listed
    written = {name: column.type if column else None for name, column in (block.columns or {}).items()}
    if block.shape is None:
        return dict.fromkeys((*written, block.name)) if block.columns is not None else None
    if block.columns is not None:
        return written
    if block.options is None or (known := known_fields(block)) is None:
        return None
    keys = {right for _, right in block.on} | set(row_columns(block))
    return dict.fromkeys(name for name in known if name not in keys)


def known_fields(block: SourceDraft) -> tuple[str, ...] | None:
    """The fields of a source's records, where the options alone tell them."""
    if block.connector is None or block.options is None:
        return None
    known = block.connector.known_fields(block.options)
    return tuple(dict.fromkeys((*known, *row_columns(block)))) if known else None


def level_of(block: SourceDraft) -> Level:
    """How bad it is to ask for an unknown field: rows that stand in the spec or in files may lack one today."""
    return "warning" if block.connector is not None and block.connector.offline else "error"


def row_columns(block: SourceDraft) -> Sequence[str]:
    """The columns of the row that a lookup's options name."""
    if block.connector is None or block.options is None or block.role != "lookup":
        return ()
    return block.connector.row_columns(block.options)


def column_help(name: str, row: Row, without: str | None = None) -> str:
    """What to write for an unknown column; never a column of the source `without`."""
    others = [column for column in row.types if row.givers[column] != without]
    if "." in name and name.rpartition(".")[2] in others:
        return f"did you mean `{name.rpartition('.')[2]}`?"
    if name in row.inside:
        return f"`{name[:40]}` is inside the list `{row.inside[name]}`: use another column, or `as: columns` there"
    return help_for(name, others, "column", None)


def near_column(name: str, row: Row) -> str | None:
    """The column that was likely meant."""
    return nearest(name, row.types)


def describe(kind: Any) -> str:
    """What a type is called in a message."""
    return "a list" if kind is LIST else f"`{kind}`"
