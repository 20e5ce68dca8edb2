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
    """What became of driving objects that are run together, and how many of their records are bad, by URI."""

    report: Report
    by_uri: dict[str, Outcome] = field(default_factory=dict)
    quarantined: Counter[str] = field(default_factory=Counter)

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

    def add_problem(self, error: PlaitError, uri: str, level: Any) -> None:
        """Report an error that concerns an object, all faults of a bad record, without a value of its records."""
        for fault in error.faults:
            problem = Problem(
                code=fault.code,
                message=fault.bare,
                file=uri,
                help=fault.help,
                level=level,
                cell=fault.cell,
                note=error.note,
            )
            self.report.add_problem(problem)

    def add_bad(self, uri: str, number: int, errors: Iterable[BadRecord]) -> None:
        """Count bad records of an object, and report the faults of the first as warnings."""
        self.quarantined[uri] += number
        for error in errors:
            self.add_problem(error, uri, "warning")

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


def errors_of(batch: Batch, spec: Spec | None = None) -> dict[str, PlaitError]:
    """Why objects of a batch are not done, by URI: the first error of their records.

    A bad record is the error of its object if the `spec` has no quarantine.
    """
    errors: dict[str, PlaitError] = {}
    is_failing = spec is not None and spec.quarantine is None
    for errors_of_records in (batch.bad if is_failing else {}, batch.retry, batch.failed):
        errors |= {batch.item(number).uri: error for number, error in reversed(errors_of_records.items())}
    if batch.held and batch.held.error:
        errors[batch.held.item.uri] = batch.held.error
    return errors


def put_in_quarantine(
    batch: Batch, errors: dict[str, PlaitError], spec: Spec, services: Services, report: Report
) -> dict[str, PlaitError]:
    """Put bad records into quarantine, unless their object is not done; return the errors of the writes."""
    if spec.quarantine is None:
        return {}
    with report.timed("quarantine"):
        puts = [*quarantine.puts_of(batch, errors, spec)]
        answers = services.objects.put(puts) if puts else []
    return {
        put.source.uri: answer
        for put, answer in zip(puts, answers, strict=True)
        if put.source and isinstance(answer, PlaitError)
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
    done = [uri for uri in items if uri not in errors]
    settled = [Settled(item=items[uri], files=tuple(files.get(uri, ()))) for uri in done]
    answered = zip(done, sink.commit(settled) if settled else (), strict=True)
    return {uri: error for uri, error in answered if error is not None}


def settle_batch(batch: Batch, errors: Mapping[str, PlaitError], outcomes: Outcomes) -> None:
    """Note what became of each object of a batch, and count the records of the objects that are done."""
    for item in batch.empty:
        outcomes.settle(item.uri, errors.get(item.uri))
    if (held := batch.held) and outcomes.by_uri.get(held.item.uri) == "done":
        outcomes.report.records.add(held.fates)
        outcomes.add_bad(held.item.uri, held.fates["quarantined"], held.bad)
    written = set(batch.rows.record_numbers)
    fates: Counter[str] = Counter()
    for number, record in enumerate(batch.records):
        uri = item_of(record).uri
        if not outcomes.settle(uri, errors.get(uri)):
            continue
        fates[fate := batch.fate(number, written)] += 1
        if fate == "quarantined":
            outcomes.add_bad(uri, 1, (batch.bad[number],))
    outcomes.report.records.add(fates)


def settle_unread(failure: ReadFailure, outcomes: Outcomes) -> None:
    """Note what became of an object that could not be read."""
    if isinstance(failure.error, Missing):
        outcomes.by_uri[failure.item.uri] = "gone"
    else:
        outcomes.fail(failure.item.uri, failure.error)
