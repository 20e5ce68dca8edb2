"""Collect the problems of a file of cases, each at its place in the text."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.reader import Reader
from plait.language.schema import struct_schema
from plait.language.shape.errors import unreadable_text
from plait.language.structure import shape_problems, to_problems
from plait.problems.problem import Problem

if TYPE_CHECKING:
    import msgspec

    from plait.language.finding import Finding
    from plait.language.source_map import KeyPath, SourceMap

_cached_schema = cache(struct_schema)


class ProblemCollector:
    """Collects the problems of a file."""

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map
        self.problems: list[Problem] = []

    def add_at(self, path: KeyPath, code: str, message: str, **more: Any) -> None:
        """Add a problem of a value."""
        span = self.source_map.value_span(path)
        self.problems.append(
            Problem(code=code, message=message, file=self.source_map.file, span=span, **more)
        )

    def add_at_key(self, path: KeyPath, code: str, message: str, **more: Any) -> None:
        """Add a problem of a key, or of what is missing below it."""
        span = self.source_map.key_span(path)
        self.problems.append(
            Problem(code=code, message=message, file=self.source_map.file, span=span, **more)
        )

    def read_struct(self, cls: type[msgspec.Struct], block: Any, path: KeyPath) -> Any:
        """Read a block as a struct; None, after adding each of its problems, if there are any."""
        found = [*shape_problems(block, _cached_schema(cls))]
        if not found:
            reader = Reader()
            struct = reader.struct(cls, block, ())
            found = [unreadable_text(error, ()) for error in reader.errors]
            if not found:
                return struct
        self._add_all(found, path)
        return None

    def _add_all(self, found: list[Finding], path: KeyPath) -> None:
        placed = [replace(problem, path=(*path, *problem.path)) for problem in found]
        self.problems += to_problems(placed, self.source_map)
