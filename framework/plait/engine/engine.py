"""The one place that strings the phases together: driving objects in, files and a report out."""

from __future__ import annotations

import contextvars
import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine import quarantine
from plait.engine.answers import Answers, no_answers
from plait.engine.batch import Batch, all_bad, by_kind, check_found, in_halves, item_of, left_alone
from plait.engine.cache import Cache
from plait.engine.context import Services
from plait.engine.declare import declare, together, with_columns
from plait.engine.files import files
from plait.engine.join import Rows, join
from plait.engine.lookup import LookupStats, look_up
from plait.engine.partition import beyond, too_long
from plait.engine.read import cast
from plait.engine.report import FileEntry, LookupCounts, Report
from plait.engine.waiting import Late, late
from plait.plan.plan import plan
from plait.plugin import (
    BadRecord,
    Changed,
    GiveUp,
    Item,
    Missing,
    PlaitError,
    ReadFailure,
    Record,
    TryAgain,
    Window,
    Written,
)
from plait.problems.errors import IncompatibleTypes
from plait.problems.problem import Problem
from plait.storage.s3 import cut
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.engine.report import Outcome
    from plait.language.spec import Source, Spec
    from plait.values.types import Type

BATCH = 10_000
MAX_READS = 3
FOREIGN = "a foreign object: the pipeline does not read its bucket"
FOREIGN_HELP = "send only events of the bucket that the driving source reads"


class Engine:
    """A spec with its connectors opened; one per process, for all batches.

    `set_aside` has the files of the records that became no row, in quarantine, since it was emptied last.
    """

    def __init__(self, spec: Spec, services: Services | None = None) -> None:
        self.spec = spec
        self.plan = plan(spec)
        self.services = services or Services()
        self.report = self.new_report()
        self.waits = True
        self._lookups: dict[str, Any] = {}
        self._again: dict[str, Cache] = {}
        self._caches = {s.name: Cache(s.cache.total_seconds()) for s in spec.lookups if s.cache}
        driver = spec.driver
        open_driver, open_sink = driver.connector.driver, spec.sink.connector.sink
        assert open_driver is not None and open_sink is not None  # noqa: S101, PT018 - validated
        self.driver = open_driver(driver.options, self.services.context(driver.name, driver.fields))
        self.sink = open_sink(spec.sink.options, self.services.context("sink", None))

    def new_report(self) -> Report:
        """Start counting anew."""
        self.services.reset_counts()
        self.report = Report(pipeline=self.spec.name, spec_digest=self.spec.digest)
        self.set_aside: set[str] = set()
        self.report.lookups = {source.name: LookupCounts() for source in self.spec.lookups}
        return self.report

    def prepare(self) -> None:
        """Do what needs no event: import what connectors work with and make their clients. Nothing is called."""
        for part in (self.driver, *map(self._lookup, self.spec.lookups), self.sink):
            if hasattr(part, "prepare"):
                part.prepare()

    def find(self, window: Window | None = None) -> Iterator[Item]:
        """The driving objects that a run would take."""
        return self.driver.list(window or Window())

    def run(
        self,
        items: Iterable[Item],
        *,
        batch: int = BATCH,
        wait: bool = True,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Report:
        """Run over driving objects in batches; an object named twice is run once.

        Without `wait`, `missing: {retry_for}` means `missing: keep`.
        """
        report, self.waits = self.report, wait
        remaining = iter(items)
        while chunk := list(islice(remaining, batch)):
            report.batches += 1
            named = {item.uri: item for item in map(_normal, chunk)}
            unique = [item for uri, item in named.items() if uri not in report.outcomes]
            accepted = self._accepted(unique)
            self._until_settled(accepted)
            report.check_settled(item.uri for item in accepted)
            progress(len(chunk))
        self._account()
        return report

    def preview(self, items: Sequence[Item]) -> Any:
        """Read and join for real and write nothing; the rows as a table, what went wrong in the report."""
        unread, batches = self._made(self._accepted([_normal(item) for item in items]))
        for one in unread:
            self._not_read(one)
        for batch in batches:
            self._settle_all(batch, {})
        self._account()
        return together([batch.rows.table for batch in batches])

    def _accepted(self, items: Sequence[Item]) -> list[Item]:
        """The items that the driver reads; the others are skipped, and of another bucket not in silence."""
        self.report.outcomes.update({item.uri: "skipped" for item in items})
        accepted = []
        for item in items:
            if self.driver.accepts(item.uri):
                accepted.append(item)
            elif self._foreign(item.uri):
                self._problem(GiveUp(FOREIGN, code="foreign-bucket", help=FOREIGN_HELP), item.uri, "warning")
        return accepted

    def _foreign(self, uri: str) -> bool:
        ours = self.spec.driver.buckets
        return bool(ours) and uri.startswith("s3://") and cut(uri)[0] not in ours

    def _account(self) -> None:
        self.report.calls = self.services.calls.copy()
        for name, counts in self.report.lookups.items():
            counts.calls = self.services.calls_of(name).total()
        self.report.check()

    def _until_settled(self, items: list[Item]) -> None:
        """Run items again whose object changed between being read and being written."""
        for attempt in range(MAX_READS):
            changed = self._one_pass(items)
            if not changed:
                return
            items = [Item(uri=item.uri) for item in changed]
            if attempt == MAX_READS - 1:
                for item in items:
                    self._settle(item.uri, "retry", TryAgain(f"`{item.uri}` changes while it is read"))

    def _one_pass(self, items: list[Item]) -> list[Item]:
        if not items:
            return []
        unread, batches = self._made(items)
        for one in unread:
            self._not_read(one)
        return [item for batch in batches for item in self._put(batch)]

    def _put(self, batch: Batch) -> list[Item]:
        """Write a batch and settle its objects; those are returned that changed meanwhile."""
        with self._timed("write"):
            parts = files(batch.rows, [item_of(r) for r in batch.records], self.spec.partition_by)
            answers = list(zip(parts, self.sink.write(parts), strict=True))
        errors: dict[str, PlaitError] = {}
        for part, answer in answers:
            if isinstance(answer, PlaitError):
                errors.setdefault(part.item.uri, answer)
        errors |= self._quarantine(batch, errors)
        self._settle_all(batch, errors)
        for part, answer in answers:
            if isinstance(answer, Written) and self.report.outcomes[part.item.uri] == "done":
                entry = FileEntry(uri=answer.uri, rows=answer.rows, bytes=answer.bytes, partition=part.folder)
                self.report.files.append(entry)
                self.report.rows += answer.rows
        return [Item(uri=uri) for uri, error in errors.items() if isinstance(error, Changed)]

    def _made(self, items: Sequence[Item]) -> tuple[list[ReadFailure], list[Batch]]:
        with left_alone(len(items)):
            unread, records = self._read(items)
            self._again = {}
            return unread, [*self._batches(records)]

    def _read(self, items: Sequence[Item]) -> tuple[list[ReadFailure], list[Record]]:
        with self._timed("read"), self.services.on_behalf_of(self.spec.driver.name):
            answers = list(self.driver.read(items))
        unread = [one for one in answers if isinstance(one, ReadFailure)]
        records = [one for one in answers if isinstance(one, Record)]
        empty = {i.uri for i in items} - {u.item.uri for u in unread} - {item_of(r).uri for r in records}
        self.report.outcomes.update(dict.fromkeys(empty, "done"))
        return unread, records

    def _batches(self, records: list[Record]) -> Iterator[Batch]:
        """One batch, or several where fields found without `columns` do not fit together."""
        try:
            batch = self._typed(records)
        except IncompatibleTypes as error:
            yield from self._in_parts(by_kind(records, error), error)
            return
        counts = deepcopy(self.report.lookups)
        try:
            self._join_all(batch)
        except IncompatibleTypes as error:
            self.report.lookups = counts
            self._again = self._again or {s.name: Cache(math.inf) for s in self.spec.lookups}
            yield from self._in_parts(in_halves(records), error)
        else:
            yield batch

    def _in_parts(self, parts: list[list[Record]], error: IncompatibleTypes) -> Iterator[Batch]:
        """What records become in parts; those that cannot be parted are bad."""
        if len(parts) > 1:
            yield from chain.from_iterable(map(self._batches, parts))
            return
        yield all_bad(parts[0], error, self.spec, self.services.now())

    def _join_all(self, batch: Batch) -> None:
        for stage in self.plan.stages:
            self._stage(stage, batch)
        table = with_columns(batch.rows.table, (p.column for p in self.spec.partition_by))
        batch.rows.table = declare(table, self.plan)
        misfits = [rule(batch.rows.table, self.spec.partition_by) for rule in (beyond, too_long)]
        for number, error in (one for each in misfits for one in each.items()):
            batch.bad.setdefault(batch.rows.record[number], error)
        batch.take_out({record for record in batch.rows.record if record in batch.bad})

    def _typed(self, records: list[Record]) -> Batch:
        with self._timed("columns"):
            typed = cast(records, self.spec.driver)
            if self.spec.driver.columns is None:
                check_found(typed, self.plan)
        return Batch(records, Rows(typed.table, typed.index), self.services.now(), dict(typed.faults))

    def _stage(self, stage: Sequence[Source], batch: Batch) -> None:
        kinds: dict[str, Type | None] = {f.name: f.type for f in self.plan.fields}
        needed = (name for source in stage for name in source.needs)
        batch.rows.table = table = with_columns(batch.rows.table, needed)
        with self._timed("lookups"), ThreadPoolExecutor(len(stage)) as pool:
            context = contextvars.copy_context
            asked = [pool.submit(context().run, self._ask, source, table, kinds) for source in stage]
            answers = [future.exception() or future.result() for future in asked]
        with self._timed("join"):
            missed: dict[int, dict[str, BadRecord | None]] = {}
            for source, answer in zip(stage, answers, strict=True):
                if isinstance(answer, BaseException):
                    self._no_answer(source, answer, batch)
                else:
                    for record, bad in self._join(source, *answer, batch).items():
                        missed.setdefault(record, {})[source.name] = bad
            self._wait(missed, batch)

    def _ask(self, source: Source, table: Any, kinds: dict[str, Type | None]) -> tuple[Answers, LookupStats]:
        with self.services.on_behalf_of(source.name):
            cache = self._caches.get(source.name) or self._again.get(source.name)
            return look_up(source, self._lookup(source), table, kinds, cache, self._seconds)

    def _lookup(self, source: Source) -> Any:
        if source.name not in self._lookups:
            assert source.connector.lookup is not None  # noqa: S101 - validated
            context = self.services.context(source.name, source.fields)
            self._lookups[source.name] = source.connector.lookup(source.options, context)
        return self._lookups[source.name]

    def _seconds(self) -> float:
        """The clock of caches: it goes on while a process sleeps between invocations."""
        return self.services.now().timestamp()

    def _no_answer(self, source: Source, error: BaseException, batch: Batch) -> None:
        """A lookup that failed takes out every record: retried where that may help, never nulls."""
        if isinstance(error, IncompatibleTypes) or not isinstance(error, PlaitError):
            raise error
        for record in set(batch.rows.record):
            if isinstance(error, TryAgain):
                batch.retry[record] = error
            else:
                batch.failed[record] = error
        batch.take_out(batch.rows.record)
        batch.rows = join(batch.rows, no_answers(source), source).rows

    def _join(
        self, source: Source, answers: Answers, asked: LookupStats, batch: Batch
    ) -> dict[int, BadRecord | None]:
        """Join a look-up; the records that may have a match later, and why they are bad without one."""
        joined = join(batch.rows, answers, source)
        counts = self.report.lookups[source.name]
        counts.keys += asked.keys
        counts.cached += asked.cached
        counts.cached_seconds = max(counts.cached_seconds, asked.cached_seconds)
        counts.matched += joined.matched
        counts.missing += joined.missing
        counts.inexact += joined.inexact
        counts.duplicates += joined.duplicates
        batch.rows = joined.rows
        batch.bad.update(joined.bad)
        return joined.retry

    def _wait(self, missed: dict[int, dict[str, BadRecord | None]], batch: Batch) -> None:
        """Take out the records that wait, and those whose wait is over and that need a match."""
        for record, sources in missed.items():
            if record in batch.bad or record in batch.retry or record in batch.failed:
                continue
            wait = self.waits and late(
                item_of(batch.records[record]), map(self.spec.source, sources), batch.now
            )
            if wait:
                batch.retry[record] = wait
            elif bad := next(filter(None, sources.values()), None):
                batch.bad[record] = bad
        batch.take_out(n for n in missed if n in batch.retry or n in batch.bad)

    def _not_read(self, unread: ReadFailure) -> None:
        if isinstance(unread.error, Missing):
            self.report.outcomes[unread.item.uri] = "gone"
        else:
            outcome: Outcome = "retry" if isinstance(unread.error, TryAgain) else "failed"
            self._settle(unread.item.uri, outcome, unread.error)

    def _quarantine(self, batch: Batch, errors: dict[str, PlaitError]) -> dict[str, PlaitError]:
        """Put bad records aside, but not of objects that must come again; errors are by object."""
        lost = {item_of(batch.records[n]).uri for n in (*batch.retry, *batch.failed)} | set(errors)
        bad = {n: error for n, error in batch.bad.items() if item_of(batch.records[n]).uri not in lost}
        if self.spec.quarantine is None:
            return {item_of(batch.records[n]).uri: error for n, error in bad.items()}
        with self._timed("quarantine"):
            puts = [quarantine.put(batch.records[n], error, self.spec) for n, error in bad.items()]
            answers = self.services.objects.put(puts) if puts else []
        return {
            item_of(batch.records[n]).uri: answer
            for n, answer in zip(bad, answers, strict=True)
            if isinstance(answer, PlaitError)
        }

    def _settle_all(self, batch: Batch, errors: dict[str, PlaitError]) -> None:
        """Decide what became of each object read, and count the records of those done."""
        for number, error in batch.retry.items():
            errors.setdefault(item_of(batch.records[number]).uri, error)
        for number, error in batch.failed.items():
            errors[item_of(batch.records[number]).uri] = error
        written = set(batch.rows.record)
        counts = self.report.records
        for number, record in enumerate(batch.records):
            uri = item_of(record).uri
            failure = errors.get(uri)
            if failure is not None:
                if not isinstance(failure, Changed):
                    self._settle(uri, "retry" if isinstance(failure, TryAgain) else "failed", failure)
                continue
            self.report.outcomes[uri] = "done"
            counts.read += 1
            if number in batch.bad:
                counts.quarantined += 1
                if self.spec.quarantine:
                    self.set_aside.add(quarantine.place(record, self.spec))
                self._problem(batch.bad[number], uri, "warning")
            elif number in written:
                counts.written += 1
            else:
                counts.dropped += 1

    def _settle(self, uri: str, outcome: Outcome, error: PlaitError) -> None:
        if self.report.outcomes.get(uri) != outcome:
            self._problem(error, uri, "error")
        self.report.outcomes[uri] = outcome

    def _problem(self, error: PlaitError, uri: str, level: Any) -> None:
        told = Problem(code=error.code, message=error.bare, file=uri, help=error.help, level=level)
        self.report.add_problem(replace(told, note=error.note) if isinstance(error, Late) else told)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds = self.report.seconds
        seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - start


def _normal(item: Item) -> Item:
    """The item under the one spelling of its URI, from which the names of its files derive."""
    uri = normal_uri(item.uri)
    return item if uri == item.uri else structs.replace(item, uri=uri)
