"""The report of a run: counts that must add up, as one JSON document or as metrics."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from plait.engine.counts import Tally
from plait.plan.plan import UNCONDITIONAL
from plait.problems.display import Displayed
from plait.problems.problem import Problem, as_json, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.spec import Spec
    from plait.problems.display import Rows

FORMAT_VERSION = 1
Outcome = Literal["done", "skipped", "gone", "retry", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("done", "skipped", "gone", "retry", "failed")
MAX_SAMPLE = 200
MAX_DISPLAYED = 20  # problems
MAX_KEPT = 1000  # of objects of an outcome, of files, of problems of a level


class FileEntry(Struct, frozen=True, kw_only=True):
    """A file that the run wrote; `partition` is its folder below the sink's path."""

    uri: str
    rows: int
    bytes: int
    partition: str


class RecordCounts(Struct, kw_only=True):
    """What became of the records of the objects that are done; `left_out` are those that `only` does not take."""

    read: int = 0
    written: int = 0
    dropped: int = 0
    quarantined: int = 0
    left_out: int = 0

    def add(self, fates: Mapping[str, int]) -> None:
        """Count records that were read by what became of them."""
        for fate, number in fates.items():
            self.read += number
            setattr(self, fate, getattr(self, fate) + number)


class Report(Displayed, Tally, kw_only=True):
    """The counts of a run, which take as much memory for a million objects as for a thousand.

    `objects` says how many objects were seen, and what became of them; `ignored` counts events of no new object by
    their name. Of the objects of each outcome, of the files, and of the problems of each level the first thousand are
    kept. `samples` has a value that goes with a problem, for the terminal of whoever may see it.
    """

    pipeline: str
    spec_digest: str
    counts: Counter[Outcome] = field(default_factory=Counter)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    records: RecordCounts = field(default_factory=RecordCounts)
    rows: int = 0
    batches: int = 0
    files: list[FileEntry] = field(default_factory=list)
    file_count: int = 0
    file_bytes: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problems_by_level: Counter[str] = field(default_factory=Counter)
    problems_by_code: Counter[str] = field(default_factory=Counter)
    samples: dict[Problem, str] = field(default_factory=dict)

    @property
    def objects(self) -> dict[str, int]:
        """How many objects were seen, and what became of them."""
        return {"seen": self.counts.total(), **{word: self.counts[word] for word in OUTCOMES}}

    @property
    def ok(self) -> bool:
        """Whether nothing failed and nothing must come again."""
        return not self.counts["retry"] and not self.counts["failed"]

    def add_outcomes(self, outcomes: Mapping[str, Outcome]) -> None:
        """Count what became of objects."""
        self.counts.update(outcomes.values())
        kept = Counter(self.outcomes.values())
        for uri, outcome in outcomes.items():
            if kept[outcome] < MAX_KEPT:
                kept[outcome] += 1
                self.outcomes[uri] = outcome

    def add_file(self, file: FileEntry) -> None:
        """Count a file and its rows."""
        self.rows += file.rows
        self.file_count += 1
        self.file_bytes += file.bytes
        if len(self.files) < MAX_KEPT:
            self.files.append(file)

    def with_samples(self) -> list[Problem]:
        """The problems, each with the value that goes with it as a note, for whoever may see values."""
        return [
            replace(problem, note=f"such as `{printable(self.samples[problem][:MAX_SAMPLE])}`")
            if problem in self.samples
            else problem
            for problem in self.problems
        ]

    def add_problem(self, problem: Problem) -> None:
        """Keep a problem; beyond a thousand of a level, problems are only counted by their code."""
        self.problems_by_code[problem.code] += 1
        if self.problems_by_level[problem.level] < MAX_KEPT:
            self.problems_by_level[problem.level] += 1
            self.problems.append(problem)

    def put_first(self, problems: Iterable[Problem]) -> None:
        """Keep problems of the run as a whole, however many others there are, before these."""
        first = [*problems]
        self.problems_by_code.update(problem.code for problem in first)
        self.problems[:0] = first

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Within, time counts as seconds of this phase, but for that of phases within it."""
        start = time.perf_counter() - sum(self.seconds.values())
        yield
        taken = time.perf_counter() - sum(self.seconds.values()) - start
        self.seconds[phase] = self.seconds.get(phase, 0.0) + taken

    def check(self) -> None:
        """Raise AssertionError if the numbers do not add up, so that a lost record is noticed."""
        counts = self.records
        if counts.read != counts.written + counts.dropped + counts.quarantined + counts.left_out:
            raise AssertionError(f"records do not add up: {asdict(counts)}")

    def as_json(self) -> dict[str, Any]:
        """The report as one JSON document."""
        return {
            "format_version": FORMAT_VERSION,
            "pipeline": self.pipeline,
            "spec_digest": self.spec_digest,
            "objects": self.objects,
            "ignored": self.ignored,
            "records": asdict(self.records),
            "rows": self.rows,
            "batches": self.batches,
            "files": [asdict(file) for file in self.files],
            "file_count": self.file_count,
            "file_bytes": self.file_bytes,
            "sources": {name: counts.as_json() for name, counts in self.sources.items()},
            "lookups": {name: counts.as_json() for name, counts in self.lookups.items()},
            "calls": dict(sorted(self.calls.items())),
            "seconds": {phase: round(seconds, 6) for phase, seconds in self.seconds.items()},
            "problems": as_json(self.problems),
            "problems_left_out": self.problems_left_out(problem.code for problem in self.problems),
        }

    def numbers(self) -> Iterator[tuple[str, str]]:
        """What became of objects and records, in words."""
        objects, records = self.objects, self.records
        yield "objects", total_with_parts(objects["seen"], "seen", {word: objects[word] for word in OUTCOMES})
        if self.ignored:
            yield "ignored", ", ".join(f"{count:,} {word}" for word, count in sorted(self.ignored.items()))
        fates = {name.replace("_", " "): count for name, count in asdict(records).items() if name != "read"}
        yield "records", total_with_parts(records.read, "read", fates)
        yield "rows", f"{self.rows:,}"

    def display(self) -> tuple[str, Rows, Rows]:
        """The numbers, and the first problems without values that go with them."""
        problems = [(p.level, p.code, p.message, p.help or "") for p in self.problems[:MAX_DISPLAYED]]
        more = {"problems": f"{sum(self.problems_by_code.values()):,}"} if problems else {}
        header = [("level", "problem", "message", "help")] if problems else []
        return (
            self.pipeline,
            [*self.numbers(), ("files", f"{self.file_count:,}"), *more.items()],
            [*header, *problems],
        )

    def problems_by_turn(self) -> list[tuple[int, Problem]]:
        """The problems, the first of each code before the second ones, each with its turn."""
        turns = Counter[str]()
        with_turns = []
        for problem in self.problems:
            turns[problem.code] += 1
            with_turns.append((turns[problem.code], problem))
        return sorted(with_turns, key=itemgetter(0))

    def problems_left_out(self, codes: Iterable[str]) -> dict[str, int]:
        """How many problems of each code there are beside those of these codes."""
        counts = Counter(self.problems_by_code)
        counts.subtract(codes)
        return {code: count for code, count in sorted(counts.items()) if count}


def total_with_parts(total: int, word: str, parts: Mapping[str, int]) -> str:
    """A total and its parts: the first of them always, the others where they are not 0.

    >>> total_with_parts(5, "read", {"written": 4, "dropped": 0, "quarantined": 1})
    '5 read, 4 written, 1 quarantined'
    """
    first, *_ = parts
    shown = [f"{count:,} {part}" for part, count in parts.items() if count or part == first]
    return ", ".join([f"{total:,} {word}", *shown])


def begin_report(spec: Spec) -> Report:
    """A report with all counts at zero, which warns where the sink renounces conditional writes."""
    report = Report(pipeline=spec.name, spec_digest=spec.digest)
    if not spec.sink.conditional:
        code = "unconditional-writes"
        report.add_problem(Problem(code=code, message=UNCONDITIONAL, file=spec.file, level="warning"))
    return report
