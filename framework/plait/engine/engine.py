"""Run the phases of a pipeline one after the other, from driving objects to files and a report."""

from __future__ import annotations

import contextvars
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.absence import Unjudged
from plait.engine.context import Services
from plait.engine.counts import LookupCounts
from plait.engine.lookup import OpenLookups
from plait.engine.partition import split_into_files
from plait.engine.parts import Held, take_part
from plait.engine.report import FileEntry, Report, begin_report
from plait.engine.settle import (
    Outcomes,
    accept,
    commit,
    errors_of,
    put_in_quarantine,
    settle_batch,
    settle_unread,
)
from plait.engine.transform import Answered, Batch, item_of, transform
from plait.plan.plan import plan
from plait.plugin import (
    GiveUp,
    Item,
    ObjectChanged,
    PlaitError,
    ReadFailure,
    Record,
    TryAgain,
    Window,
    Written,
)
from plait.values.memory import garbage_collection_paused, room_for_batch
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.engine.absence import Nearest
    from plait.engine.transform import Answer
    from plait.language.spec import Source, Spec
    from plait.values.types import Type

BATCH_SIZE = 10_000
MAX_READS = 3


class Engine:
    """A spec with its connectors opened; one per process, for all batches.

    `nearest` finds the word that a mistyped one means; a function has none, whose log shows no field of a record.
    """

    nearest: Nearest | None = None

    def __init__(self, spec: Spec, services: Services | None = None) -> None:
        self.spec = spec
        self.plan = plan(spec)
        self.services = services or Services()
        self.services.is_conditional = spec.sink.conditional
        self.report = self.new_report()
        self.unjudged = Unjudged()
        self.waits = True
        self.lookups = OpenLookups(spec, self.services)
        driver, context = spec.driver, self.services.context
        self.driver = driver.open_driver(context(driver.name, driver.fields, driver.body_fields))
        self.sink = spec.sink.open(context("sink", None))

    def new_report(self) -> Report:
        """Begin a new report, with all counts at zero."""
        self.services.reset_counts()
        self.report = begin_report(self.spec)
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
        progress: Callable[[Outcomes], None] = lambda _outcomes: None,
    ) -> Report:
        """Run over driving objects, so many at a time at most, of which `progress` gets what became of them.

        An object named twice among those is run once. Without `wait`, `missing: {retry_for}` means `missing: keep`.
        """
        self.waits = wait
        remaining = iter(items)
        with self.services.ended_by_interrupt():
            while chunk := list(islice(remaining, batch)):
                progress(self._run_chunk(chunk))
        self._finish_report()
        return self.report

    def preview(self, items: Sequence[Item], most: int | None = None) -> tuple[Any, Outcomes]:
        """Read and join without writing; the rows as one table, and what would become of the objects.

        With `most`, no more records are read, and objects that were not reached have no outcome.
        """
        import pyarrow as pa

        outcomes, accepted = self._accept(items)
        tables = []
        for batch in self._batches(accepted, outcomes, most):
            settle_batch(batch, errors_of(batch), outcomes)
            tables.append(batch.rows.table)
        outcomes.finish(item for item in accepted if most is None or item.uri in outcomes.by_uri)
        self._finish_report()
        return pa.concat_tables(tables), outcomes

    def _accept(self, items: Iterable[Item]) -> tuple[Outcomes, list[Item]]:
        by_uri = {item.uri: item for item in map(_normal_item, items)}
        outcomes = Outcomes(self.report)
        return outcomes, accept([*by_uri.values()], self.driver, self.spec, outcomes)

    def _finish_report(self) -> None:
        """Add the calls made to the report, and what is never there; check that its numbers add up."""
        self.unjudged.finish(self)
        self.report.calls = self.services.calls.copy()
        for name, counts in self.report.lookups.items():
            counts.calls = self.services.calls_of(name).total()
        self.report.check()

    def _run_chunk(self, chunk: Sequence[Item]) -> Outcomes:
        """Run objects; run those again that changed between reading and writing."""
        outcomes, accepted = self._accept(chunk)
        items = accepted
        for _ in range(MAX_READS):
            batches = self._batches(items, outcomes) if items else ()
            items = [*chain.from_iterable(map(partial(self._write, outcomes=outcomes), batches))]
        for item in items:
            outcomes.fail(item.uri, TryAgain(f"`{item.uri}` changes while it is read"))
        outcomes.finish(accepted)
        return outcomes

    def _batches(self, items: Sequence[Item], outcomes: Outcomes, most: int | None = None) -> Iterator[Batch]:
        """Read and join the records of objects, so many at most; settle the objects that cannot be read."""
        answers, answered = islice(self.driver.read(items), most), set[str]()
        following: list[Answered] | None = []
        held: Held | None = None
        unfinished = set[str]()  # the object whose records go on
        while following is not None:
            with garbage_collection_paused():
                with self.report.timed("read"), self.services.on_behalf_of(self.spec.driver.name):
                    fields, room = self.spec.driver.fields, room_for_batch()
                    part = take_part(answers, following, fields, room, alone=held is not None)
                following = part.following
                for answer in part.answers:
                    if isinstance(answer, ReadFailure):
                        settle_unread(answer, outcomes)
                is_first = not answered
                answered |= _uris_of(part.answers, answered - unfinished if unfinished else answered)
                unfinished = {item_of(part.answers[-1]).uri} if part.goes_on else set()
                is_last = following is None and most is None
                empty = [item for item in items if item.uri not in answered] if is_last else []
                if not (part.answers or empty or is_first):
                    return
                if part.goes_on and most is None and not held:
                    held = Held(item_of(part.answers[0]))
                if held and held.error:
                    part.answers.clear()
                batch = self._transform(part.answers)
                batch.empty = empty
            self.report.batches += 1
            self.report.add_counts(batch)
            self.unjudged.add_counts(batch)
            if held:
                held.add(batch, self.spec)
                if part.goes_on:
                    continue
                batch = held.batch(batch)
            yield batch
            held = None
            del batch

    def _transform(self, part: list[Answered]) -> Batch:
        """Make a batch of the records of a part, which is emptied, so that each record's values go once they are typed."""
        with self.report.timed("transform"):
            batch = transform(_records_of(part), self._ask, self.plan, self.services.now(), waits=self.waits)
            batch.note_positions(self.driver.position_word)
            return batch

    def _ask(self, stage: Sequence[Source], table: Any) -> Sequence[Answer]:
        """Ask the look-ups of a stage side by side."""
        kinds: dict[str, Type] = {f.name: f.type for f in self.plan.fields}
        with self.report.timed("lookups"), ThreadPoolExecutor(len(stage)) as pool:
            context = contextvars.copy_context
            asked = [pool.submit(context().run, self.lookups.ask, source, table, kinds) for source in stage]
            return [future.exception() or future.result() for future in asked]

    def _write(self, batch: Batch, outcomes: Outcomes) -> list[Item]:
        """Write a batch and settle its objects; return those that changed meanwhile."""
        errors = errors_of(batch, self.spec)
        with self.report.timed("write"):
            items = [item_of(record) for record in batch.records]
            files = split_into_files(batch.rows, items, self.spec.partition_by)
            files += batch.held.files() if batch.held else []
            files = [file for file in files if file.item.uri not in errors] if errors else files
            answers = list(zip(files, self.sink.write(files), strict=True))
        for file, answer in answers:
            if isinstance(answer, PlaitError):
                errors.setdefault(file.item.uri, answer)
        errors |= put_in_quarantine(batch, errors, self.spec, self.services, self.report)
        with self.report.timed("write"):
            errors |= commit(batch, answers, errors, self.sink)
        settle_batch(batch, errors, outcomes)
        for file, answer in answers:
            if isinstance(answer, Written) and outcomes.by_uri.get(file.item.uri) == "done":
                entry = FileEntry(uri=answer.uri, rows=answer.rows, bytes=answer.bytes, partition=file.folder)
                self.report.add_file(entry)
        return [Item(uri=uri) for uri, error in errors.items() if isinstance(error, ObjectChanged)]


def _uris_of(part: Sequence[Answered], answered: set[str]) -> set[str]:
    """The objects of a part; raises GiveUp if one was answered in an earlier part already."""
    uris = {item_of(answer).uri for answer in part}
    if apart := uris & answered:
        raise GiveUp(f"the driver gave the records of `{min(apart)[:200]}` apart", code="broken-connector")
    return uris


def _records_of(part: list[Answered]) -> list[Record]:
    records = [answer for answer in part if isinstance(answer, Record)]
    part.clear()
    return records


def _normal_item(item: Item) -> Item:
    """The item under the one spelling of its URI, from which the names of its files derive."""
    uri = normal_uri(item.uri)
    return item if uri == item.uri else structs.replace(item, uri=uri)
