"""What is wrong at a place of a document, before it is a problem with lines and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plait.problems.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Level, Span


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at a key or a value, or at a `part` of the value's text.

    A check leaves out `code` and `level`, which are its own, unless a finding differs. `also_at` are other values of
    which the same is true; the note names their lines.
    """

    path: KeyPath
    message: str
    help: str | None = None
    note: str | None = None
    at: Literal["key", "value"] = "value"
    part: str | None = None
    code: str = ""
    level: Level | None = None
    also_at: tuple[KeyPath, ...] = ()

    def problem(self, source_map: SourceMap) -> Problem:
        """The problem, where the text has its place."""
        span = self.span(source_map)
        lines = sorted({source_map.value_span(path).line for path in self.also_at} - {span.line})
        also_at = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
        return Problem(
            code=self.code,
            message=self.message,
            file=source_map.file,
            span=span,
            help=self.help,
            note=self.note or also_at,
            level=self.level or "error",
        )

    def span(self, source_map: SourceMap) -> Span:
        """Where the key, the value or the part stands."""
        if not self.path:
            return source_map.first_key
        if self.at == "key":
            return source_map.key_span(self.path)
        span = source_map.value_span(self.path)
        return source_map.part_span(span, self.part) if self.part else span


def one_a_place(problems: Iterable[Problem]) -> list[Problem]:
    """The first problem of each place, an error before a warning."""
    by_span: dict[Span | None, Problem] = {}
    for problem in sorted(problems, key=lambda problem: problem.level != "error"):
        by_span.setdefault(problem.span, problem)
    return [*by_span.values()]
