"""Decide what became of each driving object and of its records, and report it.

`errors` are by the URI of a driving object throughout.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.engine import quarantine
from plait.engine.transform import item_of
from plait.plugin import GiveUp, Missing, ObjectChanged, PlaitError, Settled, TryAgain, Written
from plait.problems.problem import Problem
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plait.engine.context import Services
    from plait.engine.report import Outcome, Report
    from plait.engine.transform import Batch
    from plait.language.spec import Spec
    from plait.plugin import BadRecord, Driver, File, Item, ReadFailure, Sink

FOREIGN_BUCKET = "a foreign object: the pipeline does not read its bucket"
FOREIGN_BUCKET_HELP = "send only events of the bucket that the driving source reads"


class Outcomes(Struct):
    """What became of driving objects that are run together, by URI, and the URIs of their records in quarantine."""

    report: Report
    by_uri: dict[str, Outcome] = field(default_factory=dict)
    quarantined: set[str] = field(default_factory=set)

    def settle(self, uri: str, error: PlaitError | None) -> bool:
        """Note that an object is done, or by its error that it comes again or failed; return whether it is done.

        An object that changed is read again and has no outcome yet.
        """
        if error is None:
            self.by_uri[uri] = "done"
        elif isinstance(error, ObjectChanged):
            self.by_uri.pop(uri, None)
        else:
            self.fail(uri, error)
        return error is None

    def fail(self, uri: str, error: PlaitError) -> None:
        """Note that an object comes again or failed, and once why."""
        outcome: Outcome = "retry" if isinstance(error, TryAgain) else "failed"
        if self.by_uri.get(uri) != outcome:
            self.add_problem(error, uri, "error")
        self.by_uri[uri] = outcome

    def add_problem(
        self, error: PlaitError, uri: str, level: Any, cell: str | None = None, note: str | None = None
    ) -> None:
        """Report an error that concerns an object, without a value of its records."""
        problem = Problem(
            code=error.code,
            message=error.bare,
            file=uri,
            help=error.help,
            level=level,
            cell=cell,
            note=note or error.note,
        )
        self.report.add_problem(problem)

    def add_faults(self, error: BadRecord, uri: str) -> None:
        """Report the faults of a bad record as warnings."""
        for fault in error.faults:
            cell = f"{fault.source or ''}.{fault.column}" if fault.column else None
            self.add_problem(fault, uri, "warning", cell, error.note)

    def finish(self, items: Iterable[Item]) -> None:
        """Count the outcomes; raises AssertionError if one of the objects has none, so that its loss is noticed."""
        lost = [item.uri for item in items if item.uri not in self.by_uri]
        if lost:
            raise AssertionError(
                f"objects do not add up: {len(lost)} have no outcome, such as {lost[0][:200]}"
            )
        self.report.add_outcomes(self.by_uri)


def accept(items: Sequence[Item], driver: Driver[Any], spec: Spec, outcomes: Outcomes) -> list[Item]:
    """Return the items that the driver reads; the others are skipped, with a warning if their bucket is foreign."""
    accepted = []
    for item in items:
        if driver.accepts(item.uri):
            accepted.append(item)
            continue
        outcomes.by_uri[item.uri] = "skipped"
        if _is_foreign(item.uri, spec):
            error = GiveUp(FOREIGN_BUCKET, code="foreign-bucket", help=FOREIGN_BUCKET_HELP)
            outcomes.add_problem(error, item.uri, "warning")
    return accepted


def _is_foreign(uri: str, spec: Spec) -> bool:
    buckets = spec.driver.buckets
    return bool(buckets) and on_s3(uri) and uri.split("/")[2] not in buckets


def put_in_quarantine(
    batch: Batch, errors: dict[str, PlaitError], spec: Spec, services: Services, report: Report
) -> dict[str, PlaitError]:
    """Put bad records into quarantine, unless their object must come again; return the errors of the writes.

    Without a quarantine in the spec, the bad records are the errors of their objects.
    """
    unsettled = {batch.item(number).uri for number in (*batch.retry, *batch.failed)} | set(errors)
    bad = {number: error for number, error in batch.bad.items() if batch.item(number).uri not in unsettled}
    if spec.quarantine is None:
        return {batch.item(number).uri: error for number, error in bad.items()}
    with report.timed("quarantine"):
        puts = [quarantine.put_of(batch.records[number], error, spec) for number, error in bad.items()]
        answers = services.objects.put(puts) if puts else []
    return {
        batch.item(number).uri: answer
        for number, answer in zip(bad, answers, strict=True)
        if isinstance(answer, PlaitError)
    }


def commit(
    batch: Batch,
    answers: Iterable[tuple[File, Written | PlaitError]],
    errors: Mapping[str, PlaitError],
    sink: Sink[Any],
) -> dict[str, PlaitError]:
    """Let the sink commit the objects of a batch that are done, the empty ones too; return the errors of its answers."""
    items = {item.uri: item for item in (*batch.empty, *map(item_of, batch.records))}
    files: dict[str, list[Written]] = {}
    for file, answer in answers:
        if isinstance(answer, Written):
            files.setdefault(file.item.uri, []).append(answer)
    unfinished = {batch.item(number).uri for number in (*batch.retry, *batch.failed)} | set(errors)
    done = [uri for uri in items if uri not in unfinished]
    settled = [Settled(item=items[uri], files=tuple(files.get(uri, ()))) for uri in done]
    answered = zip(done, sink.commit(settled) if settled else (), strict=True)
    return {uri: error for uri, error in answered if error is not None}


def settle_batch(batch: Batch, errors: dict[str, PlaitError], spec: Spec, outcomes: Outcomes) -> None:
    """Note what became of each object of a batch, and count its look-ups and the records of the objects that are done.

    The errors of the batch's records are added to `errors`.
    """
    report = outcomes.report
    report.add_counts(batch)
    for number, error in batch.retry.items():
        errors.setdefault(batch.item(number).uri, error)
    for number, error in batch.failed.items():
        errors[batch.item(number).uri] = error
    for item in batch.empty:
        outcomes.settle(item.uri, errors.get(item.uri))
    written = set(batch.rows.record_numbers)
    fates: Counter[str] = Counter()
    for number, record in enumerate(batch.records):
        uri = item_of(record).uri
        if not outcomes.settle(uri, errors.get(uri)):
            continue
        fates[fate := batch.fate(number, written)] += 1
        if fate == "quarantined":
            if spec.quarantine:
                outcomes.quarantined.add(quarantine.record_uri(record, spec))
            outcomes.add_faults(batch.bad[number], uri)
    report.records.add(fates)


def settle_unread(failure: ReadFailure, outcomes: Outcomes) -> None:
    """Note what became of an object that could not be read."""
    if isinstance(failure.error, Missing):
        outcomes.by_uri[failure.item.uri] = "gone"
    else:
        outcomes.fail(failure.item.uri, failure.error)
