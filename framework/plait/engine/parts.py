"""Cut what a driver answers into parts that memory holds, and put together what becomes of an object that takes several."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.engine import quarantine
from plait.engine.partition import file_name, split_into_files
from plait.engine.report import MAX_KEPT
from plait.engine.rows import Rows
from plait.engine.settle import errors_of
from plait.engine.transform import Batch, item_of
from plait.plugin import File, GiveUp, Item, ObjectChanged, PlaitError, ReadFailure
from plait.values.memory import room_for_bad_records
from plait.values.strict_json import size_of_document

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from plait.engine.transform import Answered
    from plait.language.spec import Spec
    from plait.plugin import BadRecord

BAD_HELP = "look at some lines of it: most likely it is of another form than the spec says"


class Part(Struct, frozen=True):
    """Answers of a driver for whole objects, or for one object that `goes_on`, and those that follow: None at the end."""

    answers: list[Answered]
    following: list[Answered] | None
    goes_on: bool = False


def take_part(
    answers: Iterator[Answered],
    part: list[Answered],
    fields: Collection[str] | None,
    room: int,
    *,
    alone: bool = False,
) -> Part:
    """What a driver answers until its `fields` fill the room; `alone` ends it with the object that it begins with.

    An object that does not fit behind others is for the next part, and one that does not fit by itself goes on in the
    next. Answers follow only where they have to tell that an object is whole.
    """
    size = sum(_size(answer, fields) for answer in part)
    for answer in answers:
        if (alone and part) or size >= room:
            uri = item_of(answer).uri
            if item_of(part[-1]).uri != uri:
                return Part(part, [answer])
            if size >= room:
                first = next(n for n, earlier in enumerate(part) if item_of(earlier).uri == uri)
                if first == 0:
                    return Part(part, [answer], goes_on=True)
                return Part(part[:first], [*part[first:], answer])
        part.append(answer)
        size += _size(answer, fields)
        if size >= room and (isinstance(answer, ReadFailure) or not answer.position):
            return Part(part, [])
    return Part(part, None)


def _size(answer: Answered, fields: Collection[str] | None) -> int:
    """About how many bytes of memory an answer takes, by its raw bytes or else by the size of its object."""
    if isinstance(answer, ReadFailure):
        return 0
    return size_of_document(answer.raw, fields) if answer.raw else item_of(answer).size or 0


class Held(Struct):
    """What batches made of an object that takes several; nothing of it is stored before its last record is read.

    `tables` are its rows by folder, `bad` its first bad records, `quarantined` the texts of all, of so many bytes.
    """

    item: Item
    tables: dict[str, list[Any]] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)
    quarantined: list[bytes] = field(default_factory=list)
    size: int = 0
    error: PlaitError | None = None

    def add(self, batch: Batch, spec: Spec) -> None:
        """Add a batch of a part of the object; none of it is kept once the object cannot be done."""
        uri = self.item.uri
        self.error = self.error or errors_of(batch, spec).get(uri)
        if any(item_of(record).etag != self.item.etag for record in batch.records[:1]):
            self.error = ObjectChanged(f"`{uri}` changed while it was read")
        self.bad += [*batch.bad.values()][: MAX_KEPT - len(self.bad)]
        if spec.quarantine and not self.error:
            text = quarantine.lines_of(((batch.records[n], error) for n, error in batch.bad.items()), spec)
            self.quarantined.append(text)
            self.size += len(text)
            if self.size > room_for_bad_records():
                message = f"the bad records of `{uri}` take more than {room_for_bad_records():,} bytes"
                self.error = GiveUp(message, code="too-many-bad-records", help=BAD_HELP)
        if self.error:
            self.tables.clear()
            self.quarantined.clear()
            return
        written = set(batch.rows.record_numbers)
        self.fates.update(batch.fate(number, written) for number in range(len(batch.records)))
        for file in split_into_files(batch.rows, [self.item] * len(batch.records), spec.partition_by):
            self.tables.setdefault(file.folder, []).append(file.table)

    def batch(self, last: Batch) -> Batch:
        """The batch that ends the object, of the last one, whose records were added."""
        rows = Rows(last.rows.table.slice(0, 0), [])
        empty = [*last.empty, self.item]
        return Batch([], rows, empty, position_word=last.position_word, held=self)

    def files(self) -> list[File]:
        """The files of the object, each with its rows in their order."""
        import pyarrow as pa

        return [
            File(table=pa.concat_tables(tables), folder=folder, name=file_name(self.item.uri), item=self.item)
            for folder, tables in self.tables.items()
        ]
