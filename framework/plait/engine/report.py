"""The report of a run: counts that must add up, as one JSON document or as metrics."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field
from msgspec.structs import asdict

from plait.problems.problem import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.engine.join import Joined
    from plait.engine.lookup import LookupStats
    from plait.problems.problem import Problem

FORMAT_VERSION = 1
Outcome = Literal["done", "skipped", "gone", "retry", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("done", "skipped", "gone", "retry", "failed")
MAX_PROBLEMS = 1000
NAMESPACE = "plait"  # CloudWatch namespace of the metrics
DIMENSION = "Pipeline"
RECORD_COUNTS = ("read", "written", "dropped", "quarantined")


class FileEntry(Struct, frozen=True, kw_only=True):
    """A file that the run wrote; `partition` is its folder below the sink's path."""

    uri: str
    rows: int
    bytes: int
    partition: str


class LookupCounts(Struct, kw_only=True):
    """The keys that a run asked of a lookup, and the answers; `matched`, `missing` and `duplicates` count rows.

    Of the rows missing a match, `inexact` have a key that the source knows in another spelling: another case,
    accents, spaces, or another way to write a number.
    Of the distinct `keys` of each batch `cached` were answered by a cache; `cached_seconds` is the age of the
    oldest of these answers. Answers that do not fit together are asked for once more, and then are cached likewise.
    """

    keys: int = 0
    matched: int = 0
    missing: int = 0
    inexact: int = 0
    duplicates: int = 0
    calls: int = 0
    cached: int = 0
    cached_seconds: float = 0.0

    def add(self, asked: LookupStats, joined: Joined) -> None:
        """Add the keys that a batch asked, and the counts of its join."""
        self.keys += asked.keys
        self.cached += asked.cached
        self.cached_seconds = max(self.cached_seconds, asked.cached_seconds)
        self.matched += joined.matched
        self.missing += joined.missing
        self.inexact += joined.inexact
        self.duplicates += joined.duplicates


class RecordCounts(Struct, kw_only=True):
    """What became of the records of the objects that are done."""

    read: int = 0
    written: int = 0
    dropped: int = 0
    quarantined: int = 0


class Report(Struct, kw_only=True):
    """The counts of a run.

    `outcomes` says for each object what became of it; `ignored` counts events of no new object by their name.
    """

    pipeline: str
    spec_digest: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)
    records: RecordCounts = field(default_factory=RecordCounts)
    rows: int = 0
    batches: int = 0
    files: list[FileEntry] = field(default_factory=list)
    lookups: dict[str, LookupCounts] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problems_by_level: Counter[str] = field(default_factory=Counter)

    @property
    def objects(self) -> dict[str, int]:
        """How many objects were seen, and what became of them."""
        counts = Counter(self.outcomes.values())
        return {"seen": len(self.outcomes), **{word: counts[word] for word in OUTCOMES}}

    @property
    def ok(self) -> bool:
        """Whether nothing failed and nothing must come again."""
        return not {"retry", "failed"} & set(self.outcomes.values())

    def add_problem(self, problem: Problem) -> None:
        """Keep a problem; beyond a thousand of a level, problems are only counted by their outcome."""
        if self.problems_by_level[problem.level] < MAX_PROBLEMS:
            self.problems_by_level[problem.level] += 1
            self.problems.append(problem)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Within, time counts as seconds of this phase."""
        start = time.perf_counter()
        yield
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - start

    def check(self) -> None:
        """Raise AssertionError if the numbers do not add up, so that a lost record is noticed."""
        counts = self.records
        if counts.read != counts.written + counts.dropped + counts.quarantined:
            raise AssertionError(f"records do not add up: {asdict(counts)}")

    def check_settled(self, uris: Iterable[str]) -> None:
        """Raise AssertionError if an object that was to be read has no outcome, so that its loss is noticed."""
        lost = [uri for uri in uris if self.outcomes[uri] == "skipped"]
        if lost:
            raise AssertionError(
                f"objects do not add up: {len(lost)} have no outcome, such as {lost[0][:200]}"
            )

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
            "lookups": {name: asdict(counts) for name, counts in self.lookups.items()},
            "calls": dict(sorted(self.calls.items())),
            "seconds": {phase: round(seconds, 6) for phase, seconds in self.seconds.items()},
            "problems": as_json(self.problems),
        }


def metrics(report: Report, seconds: float, at: float) -> dict[str, Any]:
    """The counts of a report as a line of CloudWatch's embedded metric format, which costs no call.

    `seconds` is how long the invocation took, `at` its time in seconds since 1970.
    """
    counts = {f"Objects{word.title()}": report.objects[word] for word in OUTCOMES}
    counts |= {f"Records{word.title()}": getattr(report.records, word) for word in RECORD_COUNTS}
    counts |= {"Rows": report.rows, "Files": len(report.files)}
    units = [{"Name": name, "Unit": "Count"} for name in counts] + [{"Name": "Seconds", "Unit": "Seconds"}]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]},
        DIMENSION: report.pipeline,
        **counts,
        "Seconds": round(seconds, 6),
    }
