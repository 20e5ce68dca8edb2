"""What checks look at: a complete spec, the document that it was built of, and the row that its sources make."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plait.problems.suggest import help_for
from plait.values.types import Type

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath, SourceMap
    from plait.language.spec import Source, Spec

LIST = Type("array", fields=(("element", Type("struct")),))


@dataclass(frozen=True)
class Subject:
    """A complete spec, and where it is written."""

    spec: Spec
    source_map: SourceMap

    @cached_property
    def sources(self) -> list[Source]:
        """All sources, in the order in which they are written."""
        return [self.spec.source(name) for name in self.source_map.value["sources"]]

    @cached_property
    def row(self) -> Row:
        """The row that the sources make."""
        row = Row(
            open=self.spec.driver.columns == (), unset=tuple(f"${{{name}}}" for name in self.spec.unset)
        )
        for source in self.sources:
            columns = {column.name: column.type for column in source.columns or ()}
            row.open = row.open or (source.columns is None and not is_list(source))
            row.inside |= dict.fromkeys(columns, source.name) if is_list(source) else {}
            for name, kind in ({source.name: LIST} if is_list(source) else columns).items():
                row.types.setdefault(name, kind)
                row.givers.setdefault(name, source.name)
        return row

    def block(self, source: Source) -> dict[str, Any]:
        """The block of a source as it is written."""
        block: dict[str, Any] = self.source_map.value["sources"][source.name]
        return block

    def writes(self, path: KeyPath) -> bool:
        """Whether the document has this key."""
        return path in self.source_map.key_spans

    def line(self, path: KeyPath) -> int:
        """The line on which the key of a path stands."""
        return self.source_map.key_span(path).line


@dataclass(slots=True)
class Row:
    """The columns of the row.

    `types` has the type of each column, `givers` the source that gives it; `inside` the list that holds a column of a
    look-up under `as: list`. The row is `open` if a source does not tell its columns: then it may have any other too.
    A name with a parameter that has no value yet, as in `unset`, may be any.
    """

    types: dict[str, Type] = field(default_factory=dict)
    givers: dict[str, str] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    open: bool = False
    unset: tuple[str, ...] = ()

    def lacks(self, name: str) -> bool:
        """Whether no column can have this name."""
        is_open = self.open or any(reference in name for reference in self.unset)
        return not is_open and name not in self.types

    def help_for_column(self, name: str, without: str | None = None) -> str:
        """What to write for an unknown column; never a column of the source `without`."""
        others = [column for column in self.types if self.givers[column] != without]
        if name.rpartition(".")[2] in others:
            return f"did you mean `{name.rpartition('.')[2]}`?"
        if name in self.inside:
            holder = self.inside[name]
            return f"`{name[:40]}` is inside the list `{holder}`: use another column, or `as: columns` there"
        return help_for(name, others, "column", None)


def path_of(source: Source) -> KeyPath:
    """Where the block of a source stands."""
    return ("sources", source.name)


def is_list(source: Source) -> bool:
    """Whether the matches of a source become one list."""
    return bool(source.join and source.join.shape == "list")


def describe(kind: Type) -> str:
    """Name a type in a message."""
    return "a list" if kind is LIST else f"`{kind}`"
