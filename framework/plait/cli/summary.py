"""A report as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from plait.cli.common import aligned, plural
from plait.engine.report import OUTCOMES, LookupCounts
from plait.problems.problem import Problem
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.engine.report import Report


def summary(report: Report, *, colour: bool) -> str:
    """The numbers of a run, what its look-ups answered, and its problems by kind."""
    parts = [aligned(_numbers(report))]
    if report.lookups:
        names = [field.name for field in fields(LookupCounts)]
        counts = [(name, *(f"{n:,.0f}" for n in astuple(one))) for name, one in report.lookups.items()]
        parts.append(aligned([("lookup", *names), *counts]))
    if report.problems:
        parts.append(full(_grouped(report.problems), {}, colour))
    return "\n\n".join(parts)


def _numbers(report: Report) -> Iterable[tuple[str, str]]:
    objects, records = report.objects, report.records
    yield "pipeline", report.pipeline
    yield "objects", listed(objects["seen"], "seen", {word: objects[word] for word in OUTCOMES})
    if report.ignored:
        yield "ignored", ", ".join(f"{count:,} {word}" for word, count in sorted(report.ignored.items()))
    gone = {"written": records.written, "dropped": records.dropped, "quarantined": records.quarantined}
    yield "records", listed(records.read, "read", gone)
    yield "rows", f"{report.rows:,}"
    yield "files", f"{len(report.files):,} ({size(sum(file.bytes for file in report.files))})"
    if report.calls:
        yield "calls", ", ".join(f"{name} {count:,}" for name, count in sorted(report.calls.items()))
    yield "time", f"{sum(report.seconds.values()):.1f} s"


def listed(number: int, word: str, parts: dict[str, int]) -> str:
    """What was there, then its first part always and the others where they are not nothing."""
    first, *_ = parts
    shown = [f"{count:,} {part}" for part, count in parts.items() if count or part == first]
    return ", ".join([f"{number:,} {word}", *shown])


def size(number: float) -> str:
    """A number of bytes as people read it.

    >>> size(1536)
    '1.5 KiB'
    """
    if number < 1024:
        return plural(int(number), "byte")
    units = ["KiB", "MiB", "GiB", "TiB"]
    number /= 1024
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{number:.1f} {units[0]}"


def _grouped(problems: Sequence[Problem]) -> Iterable[Problem]:
    """One problem for all that say the same, at the first of its objects, errors first."""
    kinds = Counter((p.level, p.code, p.message, p.help) for p in problems)
    for (level, code, message, help), count in sorted(kinds.items(), key=lambda kind: (kind[0][0], -kind[1])):
        same = [p for p in problems if (p.level, p.code, p.message, p.help) == (level, code, message, help)]
        first, last = same[0], max((p.note for p in same if p.note), default="the first is shown")
        note = first.note if count == 1 else f"{count:,} times; {last}"
        yield Problem(code=code, message=message, file=first.file, help=help, note=note, level=level)
