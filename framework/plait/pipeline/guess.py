"""Guess the columns of sources from the first of their records."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.answers import key_pairs, type_answers
from plait.engine.join import join
from plait.engine.lookup import distinct_keys
from plait.engine.read import cast, is_taken
from plait.engine.rows import Rows
from plait.language.build import order_of_lookups
from plait.language.spec import Column, Source
from plait.pipeline.guess_block import Guess
from plait.pipeline.guess_types import guess_type, kinds_of, remark_on
from plait.plan.plan import plan
from plait.plugin import GiveUp, KeyFailed, PlaitError, ReadFailure, Record, RecordTable
from plait.plugin.body import place_of
from plait.problems.problem import excerpt
from plait.values.conversion_error import ConversionError
from plait.values.decode import decode
from plait.values.types import FIELD_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.engine.engine import Engine
    from plait.language.spec import Spec
    from plait.plugin import Item

MOST_RECORDS = 500
MAX_NAME = 200
SURROGATE = re.compile(r"[\ud800-\udfff]")


def guess_columns(
    engine: Engine, items: Sequence[Item], declared: Spec, name: str | None = None
) -> list[Guess]:
    """Guess the columns of each source of an engine's spec that has none, and give the engine the spec with them.

    A field that a column of the `declared` spec takes keeps the name of that column. Look-ups are asked for the rows of
    `items`, each after those whose columns it needs; if only the source of a `name` is meant, no others than those.
    """
    spec, guesser = engine.spec, _Guesser(engine, declared)
    guesser.read(items)
    remaining = [spec.source(name) for name in spec.order]
    while remaining:
        source = next((s for s in remaining if not guesser.obstacle(s)), remaining[0])
        remaining.remove(source)
        is_needed = any(map(guesser.obstacle, remaining))
        guesser.ask(source, wanted=source.columns is None and name in (None, source.name), needed=is_needed)
    driver, *lookups = (guesser.complete[source.name] for source in (spec.driver, *spec.lookups))
    order = order_of_lookups(lookups)
    engine.spec = structs.replace(spec, driver=driver, lookups=tuple(lookups), order=order)
    engine.plan = plan(engine.spec)
    names = [source.name for source in (driver, *lookups) if name in (None, source.name)]
    return [guesser.guesses[name] for name in names if name in guesser.guesses]


class _Guesser:
    """The rows so far, the sources with their columns, and what was guessed of those that had none."""

    def __init__(self, engine: Engine, declared: Spec) -> None:
        self.engine, self.declared = engine, declared
        sources = (engine.spec.driver, *engine.spec.lookups)
        self.taken = {name.lower() for source in sources for name in source.output_columns}
        self.complete = dict[str, Source]()
        self.guesses = dict[str, Guess]()
        self.rows = Rows(None, [])

    def read(self, items: Sequence[Item]) -> None:
        """Make the rows of the driving objects."""
        records = _driving_records(self.engine, items)
        typed = cast(records, self._completed(self.engine.spec.driver, records))
        self.rows = Rows(typed.table, typed.record_numbers)

    def ask(self, source: Source, *, wanted: bool, needed: bool) -> None:
        """Ask a look-up, if its columns are wanted or another one may need those that it gives."""
        obstacle = self.obstacle(source)
        records: list[Record] = []
        if not obstacle and (needed or wanted):
            records = [*islice(_answers(self.engine, source, self.rows.table), MOST_RECORDS)]
        completed = self._completed(source, records)
        if obstacle and source.name in self.guesses:
            self.guesses[source.name].remarks = [obstacle]
        if needed and not obstacle:
            types = {c.name: c.type for other in self.complete.values() for c in other.columns or ()}
            pairs = key_pairs(source)
            answers = type_answers(completed, records, [(field, types[name]) for name, field in pairs])
            self.rows = join(self.rows, answers, completed).rows

    def obstacle(self, source: Source) -> str | None:
        """Why a look-up cannot be asked for the rows so far."""
        from pyarrow import types

        for name in source.needed_columns:
            if name not in self.rows.table.column_names:
                return f"not asked: no source gives `{name}`"
            kind = self.rows.table.schema.field(name).type
            if source.window and name == source.window.column and not types.is_timestamp(kind):
                return f"not asked: `{name}` is no timestamp as its source has it"
            if types.is_nested(kind):
                return f"not asked: `{name}` is no single value"
        return None

    def _completed(self, source: Source, records: Sequence[Record]) -> Source:
        """The source with its columns, which are guessed if it has none."""
        if source.columns is None:
            declared = self.declared.source(source.name).columns or ()
            names = {c.selector[0]: c.name for c in declared if len(c.selector) == 1}
            is_list = source.join is not None and source.join.shape == "list"
            guess = self.guesses[source.name] = _guess_of(
                source, records, names, set() if is_list else self.taken
            )
            source = structs.replace(source, columns=tuple(column for column, _ in guess.columns.values()))
        self.complete[source.name] = source
        return source


def _driving_records(engine: Engine, items: Sequence[Item]) -> list[Record]:
    """The first records of these objects; raises why none can be read."""
    answers = [*islice(engine.driver.read(items), MOST_RECORDS)]
    records = [answer for answer in answers if isinstance(answer, Record) and answer.fault is None]
    records = [record for record in records if is_taken(record, engine.spec.driver)]
    if records:
        return records
    for answer in answers:
        error = answer.error if isinstance(answer, ReadFailure) else answer.fault
        if isinstance(error, PlaitError) and answer.item:
            raise GiveUp(f"`{answer.item.uri}`: {error.message}", code=error.code, help=error.help)
    name, help = excerpt(engine.spec.driver.name), "`plait list` shows which objects there are"
    raise GiveUp(f"{name} has no object, so nothing tells its columns", code="nothing-to-guess", help=help)


def _answers(engine: Engine, source: Source, table: Any) -> Iterator[Record]:
    """The records that a look-up has for rows, asked for in as few calls as it allows."""
    lookup = engine.lookups.open(source)
    keys = iter(distinct_keys(table, source).values())
    while chunk := [*islice(keys, lookup.keys_per_call or MOST_RECORDS)]:
        with engine.services.on_behalf_of(source.name):
            for answer in lookup.fetch(chunk):
                yield from answer.records() if isinstance(answer, RecordTable) else (answer,)


def _guess_of(
    source: Source, records: Sequence[Record], names: Mapping[str | int, str], taken: set[str]
) -> Guess:
    """Guess the columns of a source from its records; `names` are those of fields, `taken` those of other columns."""
    guess = Guess(source.name)
    fields_of_records = [*_decoded(records, source)]
    if not fields_of_records:
        guess.remarks.append("no record can be read" if records else "no record came")
    keys = {*source.row_columns, *(right for _, right in source.join.on)} if source.join else set()
    fields = dict.fromkeys(name for fields in fields_of_records for name in fields if name not in keys)
    free = dict[str, str]()
    for name in sorted(fields, key=lambda name: name not in names and not FIELD_NAME.match(name)):
        free[name] = _column_name(names.get(name, name), source.name, taken)
        taken.add(free[name].lower())
    for name in fields:
        present = [fields[name] for fields in fields_of_records if name in fields]
        known = [value for value in present if value is not None]
        nulls, left_out = len(present) - len(known), list[str]()
        kind = None if SURROGATE.search(name) else guess_type(known, left_out)
        evidence = f"{len(present)} of {len(fields_of_records)}"
        evidence += f", {nulls} null{'s' * (nulls > 1)}" if nulls else ""
        if kind is None:
            kinds = " and ".join(f"{word} ({count})" for word, count in kinds_of(known).items())
            guess.remarks.append(f"left out: {place_of(name)}, {evidence}: no type holds {kinds}")
            continue
        remark = remark_on(kind, known)
        evidence += f"; {remark}" if remark else ""
        evidence += f"; without {', '.join(f'{name}{place}' for place in left_out)}" if left_out else ""
        new, origin = free[name], name if free[name] == name else place_of(name)
        guess.columns[new] = (Column(name=new, type=kind, origin=origin, selector=(name,)), evidence)
    columns = tuple(column for column, _ in guess.columns.values())
    body = {*structs.replace(source, columns=columns).body_fields}
    without = sum(body.isdisjoint(fields) for fields in fields_of_records) if body else 0
    if without and not source.join:
        count = f"{without} of {len(fields_of_records)} records"
        guess.remarks.append(f"{count} with none of these: bad, unless the source is `optional: true`")
    return guess


def _decoded(records: Iterable[Record], source: Source) -> Iterator[Mapping[str, Any]]:
    for record in records:
        if isinstance(record.fault, KeyFailed):
            raise record.fault.error
        try:
            if record.fault is None:
                yield decode(record.fields, source.decode)
        except ConversionError:
            continue


def _column_name(name: str, source: str, taken: set[str]) -> str:
    """A name for a column that no other column has, whatever the case."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)[:MAX_NAME]
    name = name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"
    if name.lower() in taken:
        name = re.sub(r"[^A-Za-z0-9_]", "_", f"{source}_{name}")
    number = 2
    free = name
    while free.lower() in taken:
        free, number = f"{name}_{number}", number + 1
    return free
