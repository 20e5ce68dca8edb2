"""Run the phases of a pipeline one after the other, from driving objects to files and a report."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.batch import Batch, garbage_collection_paused, item_of
from plait.engine.context import Services
from plait.engine.declare import declare
from plait.engine.join import Rows, join
from plait.engine.lookup import OpenLookups
from plait.engine.partition import folderless_rows, out_of_range_rows, split_into_files
from plait.engine.read import cast
from plait.engine.report import FileEntry, LookupCounts, Report
from plait.engine.settle import (
    accept,
    commit,
    fail_lookup,
    put_in_quarantine,
    settle,
    settle_batch,
    settle_missed,
    settle_unread,
)
from plait.plan.plan import plan
from plait.plugin import (
    BadRecord,
    Item,
    ObjectChanged,
    PlaitError,
    ReadFailure,
    Record,
    TryAgain,
    Window,
    Written,
)
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.language.spec import Source, Spec
    from plait.values.types import Type

BATCH_SIZE = 10_000
MAX_READS = 3


class Engine:
    """A spec with its connectors opened; one per process, for all batches.

    `set_aside` has the URIs of the records put into quarantine since it was emptied last.
    """

    def __init__(self, spec: Spec, services: Services | None = None) -> None:
        self.spec = spec
        self.plan = plan(spec)
        self.services = services or Services()
        self.report = self.new_report()
        self.waits = True
        self.lookups = OpenLookups(spec, self.services)
        driver, context = spec.driver, self.services.context
        self.driver = driver.open_driver(context(driver.name, driver.fields))
        self.sink = spec.sink.open(context("sink", None))

    def new_report(self) -> Report:
        """Begin a new report, with all counts at zero."""
        self.services.reset_counts()
        self.report = Report(pipeline=self.spec.name, spec_digest=self.spec.digest)
        self.set_aside: set[str] = set()
        self.report.lookups = {source.name: LookupCounts() for source in self.spec.lookups}
        return self.report

    def prepare(self) -> None:
        """Prepare connectors before the first event: import their libraries and make their clients, without a call."""
        for role in (self.driver, *map(self.lookups.open, self.spec.lookups), self.sink):
            role.prepare()

    def find(self, window: Window | None = None) -> Iterator[Item]:
        """List the driving objects that a run would take."""
        return iter(self.driver.list(window or Window()))

    def run(
        self,
        items: Iterable[Item],
        *,
        batch: int = BATCH_SIZE,
        wait: bool = True,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Report:
        """Run over driving objects in batches of a size; an object named twice is run once.

        Without `wait`, `missing: {retry_for}` means `missing: keep`.
        """
        report, self.waits = self.report, wait
        remaining = iter(items)
        while chunk := list(islice(remaining, batch)):
            report.batches += 1
            by_uri = {item.uri: item for item in map(_normal_item, chunk)}
            unseen = [item for uri, item in by_uri.items() if uri not in report.outcomes]
            accepted = accept(unseen, self.driver, self.spec, report)
            self._run_until_settled(accepted)
            report.check_settled(item.uri for item in accepted)
            progress(len(chunk))
        self._finish_report()
        return report

    def preview(self, items: Sequence[Item]) -> Any:
        """Read and join without writing; return the rows as one table, and report what went wrong."""
        accepted = accept([_normal_item(item) for item in items], self.driver, self.spec, self.report)
        batch = self._read_and_join(accepted)
        self.set_aside |= settle_batch(batch, {}, self.spec, self.report)
        self._finish_report()
        return batch.rows.table

    def _finish_report(self) -> None:
        """Add the calls made to the report, and check that its numbers add up."""
        self.report.calls = self.services.calls.copy()
        for name, counts in self.report.lookups.items():
            counts.calls = self.services.calls_of(name).total()
        self.report.check()

    def _run_until_settled(self, items: list[Item]) -> None:
        """Run items; run those again whose object changed between reading and writing."""
        for attempt in range(MAX_READS):
            changed = self._run_once(items)
            if not changed:
                return
            items = [Item(uri=item.uri) for item in changed]
            if attempt == MAX_READS - 1:
                for item in items:
                    error = TryAgain(f"`{item.uri}` changes while it is read")
                    settle(item.uri, "retry", error, self.report)

    def _run_once(self, items: list[Item]) -> list[Item]:
        """Run items from reading to writing; return those whose object changed meanwhile."""
        return self._write(self._read_and_join(items)) if items else []

    def _write(self, batch: Batch) -> list[Item]:
        """Write a batch and settle its objects; return those that changed meanwhile."""
        with self.report.timed("write"):
            items = [item_of(record) for record in batch.records]
            files = split_into_files(batch.rows, items, self.spec.partition_by)
            answers = list(zip(files, self.sink.write(files), strict=True))
        errors: dict[str, PlaitError] = {}
        for file, answer in answers:
            if isinstance(answer, PlaitError):
                errors.setdefault(file.item.uri, answer)
        errors |= put_in_quarantine(batch, errors, self.spec, self.services, self.report)
        with self.report.timed("write"):
            errors |= commit(batch, answers, errors, self.sink)
        self.set_aside |= settle_batch(batch, errors, self.spec, self.report)
        for file, answer in answers:
            if isinstance(answer, Written) and self.report.outcomes[file.item.uri] == "done":
                entry = FileEntry(uri=answer.uri, rows=answer.rows, bytes=answer.bytes, partition=file.folder)
                self.report.files.append(entry)
                self.report.rows += answer.rows
        return [Item(uri=uri) for uri, error in errors.items() if isinstance(error, ObjectChanged)]

    def _read_and_join(self, items: Sequence[Item]) -> Batch:
        with garbage_collection_paused(len(items)):
            records, empty = self._read(items)
            with self.report.timed("columns"):
                typed = cast(records, self.spec.driver)
            rows = Rows(typed.table, typed.record_numbers)
            batch = Batch(records, rows, self.services.now(), empty, dict(typed.faults))
            self._run_stages(batch)
        return batch

    def _read(self, items: Sequence[Item]) -> tuple[list[Record], list[Item]]:
        """Return the records of items and the items without any; settle those that cannot be read."""
        with self.report.timed("read"), self.services.on_behalf_of(self.spec.driver.name):
            answers = list(self.driver.read(items))
        failures = [answer for answer in answers if isinstance(answer, ReadFailure)]
        records = [answer for answer in answers if isinstance(answer, Record)]
        for failure in failures:
            settle_unread(failure, self.report)
        answered = {failure.item.uri for failure in failures} | {item_of(record).uri for record in records}
        return records, [item for item in items if item.uri not in answered]

    def _run_stages(self, batch: Batch) -> None:
        """Join all look-ups, declare the columns, and remove the records that fit no partition."""
        for stage in self.plan.stages:
            self._run_stage(stage, batch)
        batch.rows.table = declare(batch.rows.table, self.plan)
        for rule in (out_of_range_rows, folderless_rows):
            for row, error in rule(batch.rows.table, self.spec.partition_by).items():
                batch.bad.setdefault(batch.rows.record_numbers[row], error)
        batch.take_out({number for number in batch.rows.record_numbers if number in batch.bad})

    def _run_stage(self, stage: Sequence[Source], batch: Batch) -> None:
        """Ask the look-ups of a stage side by side, then join their answers in the order of the spec."""
        kinds: dict[str, Type] = {f.name: f.type for f in self.plan.fields}
        table = batch.rows.table
        with self.report.timed("lookups"), ThreadPoolExecutor(len(stage)) as pool:
            context = contextvars.copy_context
            asked = [pool.submit(context().run, self.lookups.ask, source, table, kinds) for source in stage]
            answers = [future.exception() or future.result() for future in asked]
        with self.report.timed("join"):
            missed: dict[int, dict[str, BadRecord | None]] = {}
            for source, answer in zip(stage, answers, strict=True):
                if isinstance(answer, BaseException):
                    fail_lookup(batch, source, answer)
                    continue
                joined = join(batch.rows, answer[0], source)
                self.report.lookups[source.name].add(answer[1], joined)
                batch.rows = joined.rows
                batch.bad.update(joined.bad)
                for record_number, error in joined.retry.items():
                    missed.setdefault(record_number, {})[source.name] = error
            settle_missed(batch, missed, self.spec, waits=self.waits)


def _normal_item(item: Item) -> Item:
    """The item under the one spelling of its URI, from which the names of its files derive."""
    uri = normal_uri(item.uri)
    return item if uri == item.uri else structs.replace(item, uri=uri)
