"""Derive the columns of the row from the drafts of sources: their types, and which source gives each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.language.drafts.columns import IDENTIFIER
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.language.drafts.sources import SourceDraft
    from plait.problems.problem import Level

LIST = Type("array", fields=(("element", Type("struct")),))


@dataclass(slots=True)
class Row:
    """The columns of the row, as far as the drafts of the sources tell.

    `types` has the type of each column, None if unknown; `givers` the source that gives it; `inside` the list that
    holds a column of a look-up under `as: list`. `unreadable` are names whose columns could not be read.
    The row is `open` if a source does not declare its columns: then it may have any other column too. `has_driver` is
    whether one source is known to drive, `complete` whether each source could be read without a problem.
    """

    types: dict[str, Type | None] = field(default_factory=dict)
    givers: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    open: bool = False
    has_driver: bool = False
    complete: bool = True

    def lacks(self, name: str) -> bool:
        """Whether no column can have this name. A name whose column could not be read is not lacking."""
        if self.open or name in self.types or name in self.unreadable or "${" in name:
            return False
        misspelt = (other for other in self.unreadable if not IDENTIFIER.match(other))
        return not any(edited_once(name, other) for other in misspelt)

    def leaves_type_open(self, name: str) -> bool:
        """Whether the spec does not declare the type of a column."""
        return self.complete and self.types.get(name) is None

    def source_to_declare(self, name: str) -> str:
        """The source in which to declare a column, for a message."""
        return excerpt(self.givers[name]) if name in self.givers else "its source"


def row_of(drafts: Sequence[SourceDraft], unreadable: Iterable[str]) -> Row:
    """The row that these sources make; `unreadable` are keys that stand where nothing could be read."""
    has_columns = any(draft.role == "driver" and draft.columns != {} for draft in drafts)
    row = Row(unreadable=set(unreadable), open=not has_columns, complete=has_columns)
    for draft in drafts:
        given = given_columns(draft)
        row.has_driver = row.has_driver or draft.role == "driver"
        row.complete = row.complete and draft.complete
        if given is None:
            row.open = True
        for name, kind in (given or {}).items():
            row.types.setdefault(name, kind)
            row.givers.setdefault(name, draft.name)
        row.unreadable |= {name for name, column in (draft.columns or {}).items() if column is None}
        if draft.shape == "list":
            row.inside.update(dict.fromkeys(draft.columns or (), draft.name))
    return row


def given_columns(draft: SourceDraft) -> dict[str, Type | None] | None:
    """The columns that a source gives to the row, with their types; None if the spec does not tell."""
    if draft.shape == "list":
        return {draft.name: LIST}
    declared = {name: column.type if column else None for name, column in (draft.columns or {}).items()}
    if draft.shape is None:
        return dict.fromkeys((*declared, draft.name)) if draft.columns is not None else None
    if draft.columns is not None:
        return declared
    if draft.options is None or (known := known_fields(draft)) is None:
        return None
    keys = {field_name for _, field_name in draft.on} | set(row_columns(draft))
    return dict.fromkeys(name for name in known if name not in keys)


def known_fields(draft: SourceDraft) -> tuple[str, ...] | None:
    """The fields of a source's records, if its options alone tell them."""
    if draft.connector is None or draft.options is None:
        return None
    known = draft.connector.known_fields(draft.options)
    return tuple(dict.fromkeys((*known, *row_columns(draft)))) if known else None


def level_of_unknown_field(draft: SourceDraft) -> Level:
    """An unknown field is a warning for records that stand in the spec or in files: they may have it another day."""
    return "warning" if draft.connector is not None and draft.connector.offline else "error"


def row_columns(draft: SourceDraft) -> Sequence[str]:
    """The columns of the row that the options of a look-up name."""
    if draft.connector is None or draft.options is None or draft.role != "lookup":
        return ()
    return draft.connector.row_columns(draft.options)


def column_help(name: str, row: Row, without: str | None = None) -> str:
    """Say what to write for an unknown column; never a column of the source `without`."""
    others = [column for column in row.types if row.givers[column] != without]
    if "." in name and name.rpartition(".")[2] in others:
        return f"did you mean `{name.rpartition('.')[2]}`?"
    if name in row.inside:
        return f"`{name[:40]}` is inside the list `{row.inside[name]}`: use another column, or `as: columns` there"
    return help_for(name, others, "column", None)


def describe(kind: Any) -> str:
    """Name a type in a message."""
    return "a list" if kind is LIST else f"`{kind}`"
