"""The report of a run as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.cli.printing import plural
from plait.pipeline.grouping import grouped
from plait.problems.display import aligned
from plait.problems.problem import excerpt
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.engine.counts import LookupCounts
    from plait.engine.report import Report


def report_text(report: Report, *, verbose: bool = False) -> str:
    """The numbers of a run, those of its look-ups, and its problems by kind, in colours."""
    parts = [aligned(_number_rows(report)), *count_texts(report, verbose=verbose)]
    if report.problems:
        problems = report.with_samples() if verbose else report.problems
        parts.append(full([*grouped(problems)], {}, colour=True))
    if more := report.problems_left_out(problem.code for problem in report.problems):
        counts = ", ".join(f"{count:,} of {code}" for code, count in more.items())
        parts.append(f"not shown are {counts}")
    return "\n\n".join(parts)


def count_texts(report: Report, *, verbose: bool) -> Iterator[str]:
    """What became of the keys of each look-up, and the columns that lack values; `verbose` shows some keys."""
    if report.lookups:
        rows = [(name, "; ".join(_lookup_words(counts))) for name, counts in report.lookups.items()]
        yield aligned(rows)
    for name, counts in report.lookups.items():
        if verbose and counts.examples:
            keys = (", ".join(excerpt(str(value)) for value in key) for key in counts.examples)
            yield f"{name} has these keys in another spelling: {'; '.join(keys)}"
    lacking = [
        (
            f"{name}.{column}",
            f"{counts.records:,}",
            f"{gaps.nulls:,}",
            f"{gaps.absent:,}",
            f"{gaps.defaults:,}",
        )
        for name, counts in report.sources.items()
        for column, gaps in counts.columns.items()
        if gaps.nulls
    ]
    if lacking:
        yield aligned([("column", "records", "nulls", "absent", "defaults"), *lacking])


def _lookup_words(counts: LookupCounts) -> Iterator[str]:
    """What became of keys, rows, lines and calls, each number with its unit."""
    keys = f"asked {plural(counts.keys, 'key')}, matched {counts.keys_matched:,}"
    keys += f", {counts.keys_inexact:,} in another spelling" if counts.keys_inexact else ""
    keys += f", {counts.cached:,} cached for up to {counts.cached_seconds:,.0f} s" if counts.cached else ""
    yield keys
    rows = f"joined {plural(counts.rows_matched, 'row')}"
    rows += f", {counts.rows_missing:,} without a match" if counts.rows_missing else ""
    rows += f", {counts.rows_duplicates:,} with several" if counts.rows_duplicates else ""
    yield rows
    if counts.lines:
        yield f"read {plural(counts.lines, 'line')}, {counts.unread:,} of them no record"
    yield plural(counts.calls, "call")


def _number_rows(report: Report) -> Iterable[tuple[str, str]]:
    from rich.filesize import decimal

    yield "pipeline", report.pipeline
    yield from report.numbers()
    yield "files", f"{report.file_count:,} ({decimal(report.file_bytes)})"
    if report.calls:
        yield "calls", ", ".join(f"{name} {count:,}" for name, count in sorted(report.calls.items()))
    yield "time", f"{sum(report.seconds.values()):.1f} s"
