"""Make rows of records: cast them, join what the look-ups answer, and give them the declared columns; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.engine.answers import no_answers
from plait.engine.join import join
from plait.engine.partition import folderless_rows, hidden_rows
from plait.engine.read import cast
from plait.engine.rows import Rows, without
from plait.plugin import Item, KeyFailed, PlaitError, ReadFailure, Record, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime, timedelta

    import pyarrow as pa

    from plait.engine.answers import Answers
    from plait.engine.counts import LookupCounts, SourceCounts
    from plait.engine.join import Joined
    from plait.engine.parts import Held
    from plait.language.spec import Source
    from plait.plan.plan import Plan
    from plait.plugin import BadRecord

    Answer = tuple[Answers, LookupCounts] | BaseException
    # Asks the look-ups of a stage for the rows of a table: an answer for each, or why there is none.
    Ask = Callable[[Sequence[Source], Any], Sequence[Answer]]


Answered = Record | ReadFailure  # what a driver answers for an object


class Batch(Struct):
    """Driving records with their rows.

    `empty` are the objects without a record. `bad`, `retry` and `failed` are by record number: why a record is put into
    quarantine, comes again, or fails; `left_out` are those that `only` does not take. `lookups` are the counts of each
    look-up, `sources` those of each source's records, by its name. `position_word` is that of the driver. A batch that ends
    an object which took several has what is `held` of it, and no other records.
    """

    records: list[Record]
    rows: Rows
    empty: Sequence[Item] = ()
    bad: dict[int, BadRecord] = field(default_factory=dict)
    retry: dict[int, PlaitError] = field(default_factory=dict)
    failed: dict[int, PlaitError] = field(default_factory=dict)
    left_out: set[int] = field(default_factory=set)
    lookups: dict[str, LookupCounts] = field(default_factory=dict)
    sources: dict[str, SourceCounts] = field(default_factory=dict)
    position_word: str = ""
    held: Held | None = None

    def take_out(self, record_numbers: Iterable[int]) -> None:
        """Remove all rows of these records."""
        self.rows = without(self.rows, set(record_numbers))

    def add_fault(self, record_number: int, error: BadRecord) -> None:
        """Note why a record is bad, beside what else is wrong with it."""
        first = self.bad.get(record_number)
        self.bad[record_number] = first.beside(error) if first else error

    def errors_like(self, error: PlaitError) -> dict[int, PlaitError]:
        """Where the errors are kept by which a record comes again, or fails, as by this one."""
        return self.retry if isinstance(error, TryAgain) else self.failed

    def fate(self, record_number: int, written: Collection[int]) -> str:
        """What became of a record of an object that is done, if those that are `written` have rows."""
        if record_number in self.bad:
            return "quarantined"
        if record_number in written:
            return "written"
        return "left_out" if record_number in self.left_out else "dropped"

    def note_positions(self, word: str) -> None:
        """Let each bad record's error say which record of its object it is, in the word of the driver."""
        self.position_word = word
        for number, error in self.bad.items():
            if position := self.records[number].position:
                self.bad[number] = error.beside()  # several records may have the error of one key
                self.bad[number].note = f"{word} {position}"

    def item(self, record_number: int) -> Item:
        """The driving object of a record."""
        return item_of(self.records[record_number])


def item_of(record: Answered) -> Item:
    """The driving object of a record, or of why there is none."""
    assert record.item is not None  # noqa: S101 - a driver names the item of each record
    return record.item


def transform(records: list[Record], ask: Ask, plan: Plan, now: datetime, *, waits: bool = True) -> Batch:
    """Make a batch of records; with `waits`, records may wait for a match that is late at the time `now`.

    The batch keeps the raw bytes of its records only where a quarantine may need them.
    """
    quarantine = plan.spec.quarantine
    typed = cast(records, plan.spec.driver)
    with_raw, no_fields = bool(quarantine and quarantine.payload), dict[str, Any]()
    records = [  # without their fields, which the rows have by now
        Record(fields=no_fields, item=r.item, position=r.position, raw=r.raw if with_raw else b"")
        for r in records
    ]
    rows = Rows(typed.table, typed.record_numbers)
    batch = Batch(records, rows, bad=dict(typed.faults), left_out=typed.left_out)
    batch.sources[plan.spec.driver.name] = typed.counts
    del typed
    for stage in plan.stages:
        _join_stage(batch, stage, ask(stage, batch.rows.table), now if waits else None)
    batch.rows.table = _declare(batch.rows.table, plan)
    for row, error in folderless_rows(batch.rows.table, plan.spec.partition_by).items():
        batch.add_fault(batch.rows.record_numbers[row], error)
    batch.take_out({number for number in batch.rows.record_numbers if number in batch.bad})
    if plan.projection is not None:
        hidden = hidden_rows(batch.rows.table, plan.spec.partition_by, plan.projection, now)
        for row, error in hidden.items():
            batch.add_fault(batch.rows.record_numbers[row], error)
        batch.take_out({batch.rows.record_numbers[row] for row in hidden})
    return batch


def _join_stage(
    batch: Batch, stage: Sequence[Source], answers: Sequence[Answer], now: datetime | None
) -> None:
    """Join the answers of a stage in the order of the spec; remove the records that wait, and those that may not."""
    missed: dict[int, list[tuple[Source, BadRecord | None]]] = {}
    bad_rows: list[
        Rows
    ] = []  # of records that a look-up made bad, whose faults in the next ones are noted too
    for source, answer in zip(stage, answers, strict=True):
        if isinstance(answer, BaseException):
            _fail(batch, source, answer)
            continue
        for rows in bad_rows:
            _note_bad(batch, join(rows, answer[0], source))
        joined, rows = join(batch.rows, answer[0], source), batch.rows
        batch.rows, batch.lookups[source.name] = joined.rows, answer[1]
        batch.sources[source.name] = answer[0].counts
        answer[1].add_join(joined)
        _note_bad(batch, joined)
        if joined.bad:
            bad_rows.append(without(rows, {*rows.record_numbers} - joined.bad.keys()))
        for record_number, error in joined.retry.items():
            missed.setdefault(record_number, []).append((source, error))
    for record_number, errors in missed.items():
        _settle_missed(batch, record_number, errors, now)
    batch.take_out(number for number in missed if number in batch.retry or number in batch.bad)


def _note_bad(batch: Batch, joined: Joined) -> None:
    for record_number, error in joined.bad.items():
        if isinstance(error, KeyFailed):
            batch.errors_like(error.error).setdefault(record_number, error.error)
        else:
            batch.add_fault(record_number, error)


def _settle_missed(
    batch: Batch,
    record_number: int,
    errors: Sequence[tuple[Source, BadRecord | None]],
    now: datetime | None,
) -> None:
    """Let a record wait for what it missed; once the wait is over, note its faults."""
    if record_number in batch.retry or record_number in batch.failed:
        return
    wait = now and why_late(batch.item(record_number), (source for source, _ in errors), now)
    if not wait:
        for _, error in errors:
            if error:
                batch.add_fault(record_number, error)
    elif record_number not in batch.bad:
        batch.retry[record_number] = wait


def _fail(batch: Batch, source: Source, error: BaseException) -> None:
    """Remove every record of a batch after a look-up failed, so that none is joined to nulls; retry if that may help.

    Raises the error itself if it is no error of a connector.
    """
    if not isinstance(error, PlaitError):
        raise error
    error.note = error.note or f"in the look-up `{source.name}`"
    batch.errors_like(error).update(dict.fromkeys(batch.rows.record_numbers, error))
    batch.take_out(batch.rows.record_numbers)
    batch.rows = join(batch.rows, no_answers(source), source).rows


def _declare(table: Any, plan: Plan) -> Any:
    """Give joined rows the schema of the plan: its columns in order, their types and nullability."""
    import pyarrow as pa

    fields = [field.arrow() for field in plan.fields]
    columns = [_with_type(table.column(field.name), field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _with_type(column: pa.ChunkedArray, arrow_type: pa.DataType) -> pa.ChunkedArray:
    """Change the nullability of a column's nested fields; checks for nulls and shares the buffers."""
    import pyarrow as pa

    if column.type == arrow_type:
        return column
    return pa.chunked_array([chunk.view(arrow_type) for chunk in column.chunks], arrow_type)


class Late(TryAgain):
    """The object must come again: a look-up has no match and its `retry_for` has not passed.

    `note` says until when the object waits.
    """

    code = "not-there-yet"

    def __init__(self, sources: Sequence[str], until: datetime) -> None:
        names = ", ".join(f"`{name}`" for name in sources)
        verb = "has" if len(sources) == 1 else "have"
        help = "`plait run --no-wait`, in Python `run(no_wait=True)`, takes it as it is"
        super().__init__(f"{names} {verb} no match yet", help=help)
        self.note = f"waited for until {until:%Y-%m-%dT%H:%M:%SZ}"


def wait_ends(item: Item, source: Source) -> datetime | None:
    """When an object stops waiting for a look-up; None if it does not wait, or its age is unknown."""
    limit = source.join.retry_for if source.join else None
    return _later(item.modified, limit) if item.modified and limit else None


def why_late(item: Item, sources: Iterable[Source], now: datetime) -> Late | None:
    """The error by which an object without a match in these look-ups comes again; None if its wait is over."""
    ends = {source.name: end for source in sources if (end := wait_ends(item, source)) and now < end}
    return Late([*ends], max(ends.values())) if ends else None


def _later(moment: datetime, duration: timedelta) -> datetime:
    """A time plus a duration, at most the last time that a datetime can be."""
    last = moment.max.replace(tzinfo=moment.tzinfo)
    return moment + duration if last - moment > duration else last
