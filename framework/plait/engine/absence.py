"""Tell what is never there: a column that no record has, a look-up that matches no key, a pattern that fits no line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.engine.counts import ColumnCounts, LookupCounts, SourceCounts, Tally
from plait.problems.problem import Problem, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plait.engine.report import Report
    from plait.language.spec import Column, Source, Spec

    Nearest = Callable[[str, Iterable[str]], str | None]

FEWEST = 20  # of fewer records, keys or lines nothing is concluded


class Unjudged(Tally):
    """The counts that are too few yet to tell what is never there, from one run of an engine to the next."""

    def finish(self, report: Report, spec: Spec, nearest: Nearest, unread_lines: Mapping[str, str]) -> None:
        """Put into a report what is never there, and a count for each column; `unread_lines` has a line of each log."""
        for source in (spec.driver, *spec.lookups):
            columns = report.sources.setdefault(source.name, SourceCounts()).columns
            for column in source.columns or ():
                columns.setdefault(column.name, ColumnCounts())
        never_there = [*self.judge(spec, nearest)]
        report.put_first(problem for _, problem in never_there)
        for name, problem in never_there:
            if problem.code == "no-line-fits":
                report.samples[problem] = unread_lines.get(name, "")

    def judge(self, spec: Spec, nearest: Nearest, fewest: int = FEWEST) -> Iterator[tuple[str, Problem]]:
        """Yield each warning with the name of its source; what there was enough of begins anew.

        `nearest` finds the field that the records have and that a column most likely means.
        """
        for source in (spec.driver, *spec.lookups):
            counts = self.sources.get(source.name, SourceCounts())
            if counts.records >= fewest:
                del self.sources[source.name]
                for problem in absent_columns(source, counts, nearest):
                    yield source.name, problem
        for source in spec.lookups:
            lookup_counts = self.lookups.get(source.name, LookupCounts())
            if max(lookup_counts.keys, lookup_counts.lines) >= fewest:
                del self.lookups[source.name]
                if warning := _fruitless(source, lookup_counts, fewest):
                    yield source.name, warning


def absent_columns(source: Source, counts: SourceCounts, nearest: Nearest) -> Iterator[Problem]:
    """A warning for each column of a source that none of its records has."""
    for column in source.columns or ():
        if column.name in counts.columns and counts.columns[column.name].absent == counts.records:
            yield _absent(column, source, counts, nearest)


def meant(column: Column, names: set[str], nearest: Nearest) -> str | None:
    """The name among those beside a column's place that was most likely meant."""
    steps = [step for step in column.selector if isinstance(step, str) and step not in names]
    return next(filter(None, (nearest(step, names) for step in reversed(steps))), None)


def _absent(column: Column, source: Source, counts: SourceCounts, nearest: Nearest) -> Problem:
    near = meant(column, counts.names.get(column.name, set()), nearest)
    message = f"column `{column.name}`: none of {counts.records:,} records of `{source.name}` has {excerpt(column.origin)}"
    help = (
        f"did you mean {excerpt(near)}?"
        if near
        else "take the column out, or say by `from` where its value is"
    )
    return _warning("absent-column", message, help)


def _fruitless(source: Source, counts: LookupCounts, fewest: int) -> Problem | None:
    """Why a look-up gives nothing, if that is so."""
    if counts.lines >= fewest and counts.unread == counts.lines:
        message = f"none of {counts.lines:,} lines of `{source.name}` is a record"
        return _warning(
            "no-line-fits", message, "write `pattern`, `regex` or `format` as a line of the log is"
        )
    if counts.keys < fewest or counts.keys_matched:
        return None
    message = f"`{source.name}` has none of {counts.keys:,} keys that were asked"
    pairs = source.join.pairs_text if source.join else ""
    help = (
        f"compare the values on both sides of `on: {pairs}`" if pairs else "look whether its files are there"
    )
    if counts.keys_inexact:
        help = f"{counts.keys_inexact:,} of them are there in another spelling: `plait preview -v` shows some"
    return _warning("nothing-matches", message, help)


def _warning(code: str, message: str, help: str) -> Problem:
    return Problem(code=code, message=message, help=help, level="warning")
