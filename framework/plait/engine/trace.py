"""Run records of one object, write nothing, and keep what each row was made of.

Each record gets its number in a field of its own, and each source one more column for it: so the rows that the engine
makes tell by themselves which records they were made of.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.engine import Engine
from plait.engine.join import matches_of
from plait.engine.settle import errors_of, settle_batch, settle_unread
from plait.language.spec import Column
from plait.plugin import Item, ReadFailure, Record, RecordTable
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plait.engine.report import Outcome
    from plait.engine.transform import Answer, Batch
    from plait.language.spec import Source
    from plait.plugin import Key, Lookup

NUMBER = "$number"  # no field is likely to have the name, and no column of a spec can


def number_column(source: Source) -> str:
    """The column with the number of the record that this source gave."""
    return f"{NUMBER} {source.name}"


class NumberingLookup:
    """A look-up that keeps its records, and gives each its number; `is_real` says that nothing stands in for it."""

    def __init__(self, lookup: Lookup[Any], *, is_real: bool) -> None:
        self.lookup, self.is_real, self.keys_per_call = lookup, is_real, lookup.keys_per_call
        self.records: list[Record] = []

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record | RecordTable]:
        """Yield what the look-up answers, with numbers."""
        import pyarrow as pa

        for answer in self.lookup.fetch(keys):
            first = len(self.records)
            if isinstance(answer, RecordTable):
                self.records += answer.records()
                numbers = pa.array(range(first, len(self.records)), pa.int64())
                yield structs.replace(answer, table=answer.table.append_column(NUMBER, numbers))
            else:
                self.records.append(answer)
                yield _numbered(answer, first)


class TracingEngine(Engine):
    """An engine beside another, with its driver and look-ups.

    After `trace`, `records` are the driving records, `batch` is what became of them (None if the object gave none
    because it is gone, say), and `asked` has for each look-up the table of the rows that it was asked for, and its answer.
    """

    def __init__(self, engine: Engine) -> None:
        driver, *lookups = map(_with_number, (engine.spec.driver, *engine.spec.lookups))
        super().__init__(structs.replace(engine.spec, driver=driver, lookups=(*lookups,)), engine.services)
        self.driver = engine.driver
        self.records: list[Record] = []
        self.batch: Batch | None = None
        self.asked: dict[str, tuple[Any, Answer]] = {}
        self.numbering: dict[str, NumberingLookup] = {}
        for source in engine.spec.lookups:
            is_real = source.name not in engine.lookups.opened
            numbering = NumberingLookup(engine.lookups.open(source), is_real=is_real)
            self.lookups.opened[source.name] = self.numbering[source.name] = numbering  # type: ignore[assignment]

    def trace(self, uri: str, takes: Callable[[Record], bool], most: int) -> Outcome:
        """Run the first records of an object that are taken, so many at most; return what would become of it."""
        outcomes, items = self._accept([Item(uri=uri)])
        with self.services.on_behalf_of(self.spec.driver.name):
            answers = self.driver.read(items) if items else ()
            taken = [*islice((a for a in answers if isinstance(a, ReadFailure) or takes(a)), most)]
        for answer in taken:
            if isinstance(answer, ReadFailure):
                settle_unread(answer, outcomes)
            else:
                self.records.append(answer)
        if items and not outcomes.by_uri:
            batch = self._transform([_numbered(record, n) for n, record in enumerate(self.records)])
            batch.empty, self.batch = [] if self.records else items, batch
            self.report.add_counts(batch)
            settle_batch(batch, errors_of(batch, self.spec), outcomes)
        outcomes.finish(items)
        self._finish_report()
        (outcome,) = outcomes.by_uri.values()
        return outcome

    def record(self, source: Source, number: int) -> Record:
        """A record as its source gave it."""
        return (self.numbering[source.name].records if source.join else self.records)[number]

    def matches(self, source: Source, table: Any) -> list[Record]:
        """The records of a look-up that match the row of a table, whichever of them the join takes."""
        answers = self.asked[source.name][1][0]  # type: ignore[index]
        numbers = answers.table.column(number_column(source))
        return [self.record(source, numbers[n].as_py()) for n in matches_of(table, answers, source)[0]]

    def _ask(self, stage: Sequence[Source], table: Any) -> Sequence[Answer]:
        answers = super()._ask(stage, table)
        self.asked |= {source.name: (table, answer) for source, answer in zip(stage, answers, strict=True)}
        return answers


def _numbered(record: Record, number: int) -> Record:
    return structs.replace(record, fields={**record.fields, NUMBER: number})


def _with_number(source: Source) -> Source:
    column = Column(name=number_column(source), type=Type("bigint"), origin=NUMBER, selector=(NUMBER,))
    return structs.replace(source, columns=(*(source.columns or ()), column))
