"""What checks look at: a complete spec, the document that it was built of, and the row that its sources make."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from plait.language.build import known_fields
from plait.language.finding import Finding
from plait.language.parameters import put_in
from plait.problems.suggest import help_for
from plait.values.types import Type

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath, SourceMap
    from plait.language.spec import Source, Spec
    from plait.problems.problem import Level, Span

LIST = Type("array", fields=(("element", Type("struct")),))


@dataclass(frozen=True)
class Subject:
    """A complete spec, and where it is written."""

    spec: Spec
    source_map: SourceMap

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document, with the values of parameters put in."""
        return put_in(self.source_map.value, self.spec.parameters)

    @cached_property
    def sources(self) -> list[Source]:
        """All sources, in the order in which they are written."""
        return [self.spec.source(name) for name in self.document["sources"]]

    @cached_property
    def row(self) -> Row:
        """The row that the sources make."""
        return _row_of(self)

    def block(self, source: Source) -> dict[str, Any]:
        """The block of a source as it is written."""
        block: dict[str, Any] = self.document["sources"][source.name]
        return block

    def writes(self, path: KeyPath) -> bool:
        """Whether the document has this key."""
        return path in self.source_map.key_spans

    def line(self, path: KeyPath) -> int:
        """The line on which the key of a path stands."""
        return self.source_map.key_span(path).line

    def span(self, path: KeyPath, at: Literal["key", "value"] = "value", part: str | None = None) -> Span:
        """Where a key, a value or a part of its text stands."""
        return Finding(path, "", at=at, part=part).span(self.source_map)


def path_of(source: Source) -> KeyPath:
    """Where the block of a source stands."""
    return ("sources", source.name)


@dataclass(slots=True)
class Row:
    """The columns of the row.

    `types` has the type of each column, `givers` the source that gives it; `inside` the list
    that holds a column of a look-up under `as: list`. The row is `open` if a source does not tell its columns: then it may
    have any other column too.
    """

    types: dict[str, Type] = field(default_factory=dict)
    givers: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    open: bool = False

    def lacks(self, name: str) -> bool:
        """Whether no column can have this name."""
        return not self.open and name not in self.types and "${" not in name

    def help_for_column(self, name: str, without: str | None = None) -> str:
        """What to write for an unknown column; never a column of the source `without`."""
        others = [column for column in self.types if self.givers[column] != without]
        if "." in name and name.rpartition(".")[2] in others:
            return f"did you mean `{name.rpartition('.')[2]}`?"
        if name in self.inside:
            holder = self.inside[name]
            return f"`{name[:40]}` is inside the list `{holder}`: use another column, or `as: columns` there"
        return help_for(name, others, "column", None)


def _row_of(subject: Subject) -> Row:
    row = Row(open=subject.spec.driver.columns == ())
    for source in subject.sources:
        given = columns_given(source)
        row.open = row.open or given is None
        for name, kind in (given or {}).items():
            row.types.setdefault(name, kind)
            row.givers.setdefault(name, source.name)
        if is_list(source):
            row.inside.update(dict.fromkeys((column.name for column in source.columns or ()), source.name))
    return row


def columns_given(source: Source) -> dict[str, Type] | None:
    """The columns that a source gives to the row, with their types; None if the spec does not tell."""
    if is_list(source):
        return {source.name: LIST}
    return None if source.columns is None else {column.name: column.type for column in source.columns}


def is_list(source: Source) -> bool:
    """Whether the matches of a source become one list."""
    return bool(source.join and source.join.shape == "list")


def level_of_unknown_field(source: Source) -> Level:
    """An unknown field is a warning for records that stand in the spec or in files: they may have it another day."""
    return "warning" if source.role.offline else "error"


def describe(kind: Type) -> str:
    """Name a type in a message."""
    return "a list" if kind is LIST else f"`{kind}`"


__all__ = ["LIST", "Row", "Subject", "columns_given", "describe", "is_list", "known_fields", "path_of"]
