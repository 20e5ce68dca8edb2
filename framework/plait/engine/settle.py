"""Decide the outcome of each record and each driving object: waiting, bad or done.

`errors` are by the URI of a driving object throughout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plait.engine import quarantine
from plait.engine.answers import no_answers
from plait.engine.batch import item_of
from plait.engine.join import join
from plait.engine.waiting import Late, why_late
from plait.plugin import GiveUp, Missing, ObjectChanged, PlaitError, Settled, TryAgain, Written
from plait.problems.problem import Problem
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plait.engine.batch import Batch
    from plait.engine.context import Services
    from plait.engine.report import Outcome, Report
    from plait.language.spec import Source, Spec
    from plait.plugin import BadRecord, Driver, File, Item, ReadFailure, Sink

FOREIGN_BUCKET = "a foreign object: the pipeline does not read its bucket"
FOREIGN_BUCKET_HELP = "send only events of the bucket that the driving source reads"


def accept(items: Sequence[Item], driver: Driver[Any], spec: Spec, report: Report) -> list[Item]:
    """Return the items that the driver reads; report the others as skipped, with a warning if their bucket is foreign."""
    report.outcomes.update({item.uri: "skipped" for item in items})
    accepted = []
    for item in items:
        if driver.accepts(item.uri):
            accepted.append(item)
        elif _is_foreign(item.uri, spec):
            error = GiveUp(FOREIGN_BUCKET, code="foreign-bucket", help=FOREIGN_BUCKET_HELP)
            add_problem(report, error, item.uri, "warning")
    return accepted


def _is_foreign(uri: str, spec: Spec) -> bool:
    buckets = spec.driver.buckets
    return bool(buckets) and on_s3(uri) and uri.split("/")[2] not in buckets


def fail_lookup(batch: Batch, source: Source, error: BaseException) -> None:
    """Remove every record of a batch after a look-up failed, so that none is joined to nulls; retry if that may help.

    Raises the error itself if it is no error of a connector.
    """
    if not isinstance(error, PlaitError):
        raise error
    for record_number in set(batch.rows.record_numbers):
        if isinstance(error, TryAgain):
            batch.retry[record_number] = error
        else:
            batch.failed[record_number] = error
    batch.take_out(batch.rows.record_numbers)
    batch.rows = join(batch.rows, no_answers(source), source).rows


def settle_missed(
    batch: Batch, missed: dict[int, dict[str, BadRecord | None]], spec: Spec, *, waits: bool
) -> None:
    """Remove the records that wait for a match, and those whose wait is over although they need one.

    `missed` has, by record number, the names of the look-ups without a match and why the record is bad without it.
    """
    for record_number, sources in missed.items():
        if record_number in batch.bad or record_number in batch.retry or record_number in batch.failed:
            continue
        item = item_of(batch.records[record_number])
        wait = waits and why_late(item, map(spec.source, sources), batch.now)
        if wait:
            batch.retry[record_number] = wait
        elif error := next(filter(None, sources.values()), None):
            batch.bad[record_number] = error
    batch.take_out(number for number in missed if number in batch.retry or number in batch.bad)


def put_in_quarantine(
    batch: Batch, errors: dict[str, PlaitError], spec: Spec, services: Services, report: Report
) -> dict[str, PlaitError]:
    """Put bad records into quarantine, unless their object must come again; return the errors of the writes.

    Without a quarantine in the spec, the bad records are the errors of their objects.
    """
    unsettled = {batch.uri_of(number) for number in (*batch.retry, *batch.failed)} | set(errors)
    bad = {number: error for number, error in batch.bad.items() if batch.uri_of(number) not in unsettled}
    if spec.quarantine is None:
        return {batch.uri_of(number): error for number, error in bad.items()}
    with report.timed("quarantine"):
        puts = [quarantine.put_of(batch.records[number], error, spec) for number, error in bad.items()]
        answers = services.objects.put(puts) if puts else []
    return {
        batch.uri_of(number): answer
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
    unfinished = {batch.uri_of(number) for number in (*batch.retry, *batch.failed)} | set(errors)
    done = [uri for uri in items if uri not in unfinished]
    settled = [Settled(item=items[uri], files=tuple(files.get(uri, ()))) for uri in done]
    answered = zip(done, sink.commit(settled) if settled else (), strict=True)
    return {uri: error for uri, error in answered if error is not None}


def settle_batch(batch: Batch, errors: dict[str, PlaitError], spec: Spec, report: Report) -> set[str]:
    """Report what became of each object of a batch, and count the records of those done.

    The errors of the batch's records are added to `errors`. Returns the URIs of the bad records in quarantine.
    """
    for number, error in batch.retry.items():
        errors.setdefault(batch.uri_of(number), error)
    for number, error in batch.failed.items():
        errors[batch.uri_of(number)] = error
    for item in batch.empty:
        _settle_object(item.uri, errors.get(item.uri), report)
    written = set(batch.rows.record_numbers)
    counts = report.records
    quarantined = set()
    for number, record in enumerate(batch.records):
        uri = item_of(record).uri
        if not _settle_object(uri, errors.get(uri), report):
            continue
        counts.read += 1
        if number in batch.bad:
            counts.quarantined += 1
            if spec.quarantine:
                quarantined.add(quarantine.record_uri(record, spec))
            add_problem(report, batch.bad[number], uri, "warning")
        elif number in written:
            counts.written += 1
        else:
            counts.dropped += 1
    return quarantined


def _settle_object(uri: str, error: PlaitError | None, report: Report) -> bool:
    """Report the outcome of an object and return whether it is done; one that changed is read again and has none yet."""
    if error is None:
        report.outcomes[uri] = "done"
    elif not isinstance(error, ObjectChanged):
        _settle_failure(uri, error, report)
    return error is None


def settle_unread(failure: ReadFailure, report: Report) -> None:
    """Report what became of an object that could not be read."""
    if isinstance(failure.error, Missing):
        report.outcomes[failure.item.uri] = "gone"
    else:
        _settle_failure(failure.item.uri, failure.error, report)


def _settle_failure(uri: str, error: PlaitError, report: Report) -> None:
    """Report an object that comes again or failed, by the kind of the error."""
    settle(uri, "retry" if isinstance(error, TryAgain) else "failed", error, report)


def settle(uri: str, outcome: Outcome, error: PlaitError, report: Report) -> None:
    """Report an outcome of an object other than done, and why, unless it has that outcome already."""
    if report.outcomes.get(uri) != outcome:
        add_problem(report, error, uri, "error")
    report.outcomes[uri] = outcome


def add_problem(report: Report, error: PlaitError, uri: str, level: Any) -> None:
    """Report an error that concerns an object, without a value of its records."""
    problem = Problem(code=error.code, message=error.bare, file=uri, help=error.help, level=level)
    report.add_problem(replace(problem, note=error.note) if isinstance(error, Late) else problem)
