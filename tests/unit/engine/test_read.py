"""Records cast together are what each becomes alone: rows, nulls, faults and their order."""

from __future__ import annotations

from itertools import compress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import fakes
from kit.documents import examples, json_documents, spoiled
from kit.fakes import column
from plait.engine.read import MAX_FURTHER_FAULTS, TypedRecords, cast
from plait.language.spec import Column, Source
from plait.plugin import BadRecord, Item, Record
from plait.values import arrow_casts
from plait.values.decode import Step
from plait.values.types import parse
from plait_connectors import json as json_connector


def source(*columns: Column, **decode: tuple[Step, ...]) -> Source:
    """A driving source of these columns."""
    return fakes.source(*columns, decode=decode)


def record(data: bytes) -> Record:
    """What `json` makes of the bytes of an object."""
    try:
        return Record(fields=json_connector.parse(data), item=Item(uri="x", etag="e"), raw=data)
    except BadRecord as fault:
        return Record(fields={}, item=Item(uri="x"), raw=data, fault=fault)


def cast_from(many: int, records: list[Record], read_from: Source) -> TypedRecords:
    """The records cast, where so many are cast column by column."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrow_casts, "MANY", many)
        return cast(records, read_from)


def as_text(typed: TypedRecords) -> Any:
    """The types, rows, record numbers, fields and faults of typed records."""
    faults = {n: (fault.code, fault.message, fault.help) for n, fault in typed.faults.items()}
    return repr((typed.table.schema, typed.table.to_pylist(), typed.record_numbers, typed.fields, faults))


WORDS = (
    "string",
    "int",
    "decimal(12,2)",
    "double",
    "timestamp",
    "boolean",
    "array<int>",
    "struct<a:int,b:string>",
)
words = st.sampled_from(WORDS)
columns = st.builds(
    lambda of_a, of_b, of_x, default: (
        column("a", of_a),
        column("b", of_b, required=True),
        column("c", "int", "c", default=default),
        column("x", of_x, "a", "b"),
        column("y", "string", "b", "a", "c"),
        column("z", "int", "c", 0),
        column("e", "string", "e", "a"),
        Column(name="uri", type=parse("string"), origin="$object", selector=("$object",)),
        Column(name="at", type=parse("timestamp"), origin="$modified", selector=("$modified",)),
    ),
    words,
    words,
    words,
    st.sampled_from([None, 7]),
)
steps = st.sampled_from([(), (Step("base64"), Step("json")), (Step("json"),), (Step("epoch", "s"),)])
chosen = st.builds(
    lambda all_columns, choices: [*compress(all_columns, choices)],
    columns,
    st.lists(st.booleans(), min_size=9, max_size=9),
)


@pytest.mark.fault("J9", "J10", "J11")
@given(st.lists(spoiled(json_documents), max_size=8), chosen, st.fixed_dictionaries({"d": steps, "a": steps}))
@examples(2, most=2_000)
def test_records_cast_by_column_are_what_each_becomes_by_itself(
    documents: list[bytes], chosen: list[Column], decode: dict[str, tuple[Step, ...]]
) -> None:
    """The table, which record each row is, the decoded fields, and the first fault of each record are the same, in order."""
    records, read_from = [record(data) for data in documents], source(*chosen, **decode)
    assert as_text(cast_from(0, records, read_from)) == as_text(cast_from(1_000_000, records, read_from))


@given(
    st.lists(
        st.sampled_from([b'{"a": 1, "b": 2}', b'{"b": "x"}', b"{", b'{"a": "x", "b": 2.5}']), max_size=40
    )
)
def test_the_first_fault_of_a_record_is_told_whatever_its_neighbours(documents: list[bytes]) -> None:
    """A column that has to be walked through, and one that has not, in either order."""
    records = [record(data) for data in documents]
    read_from = source(column("a", "int"), column("b", "bigint", required=True))
    assert as_text(cast_from(0, records, read_from)) == as_text(cast_from(1_000_000, records, read_from))


@given(st.lists(st.sampled_from(["1", "x", None, 7, [1]]), min_size=6, max_size=6))
def test_the_faults_of_a_record_are_those_that_it_has_by_each_column_alone(values: list[Any]) -> None:
    """In the order of the columns, beside a record without a fault."""
    names = [f"c{number}" for number in range(6)]
    columns = tuple(column(name, "int", required=number % 2 == 0) for number, name in enumerate(names))
    rows = [dict(zip(names, values, strict=True)), dict.fromkeys(names, 1)]

    def faults(of: tuple[Column, ...]) -> list[tuple[str, str | None, str]]:
        typed = cast([Record(fields=row) for row in rows], source(*of))
        return [(f.code, f.column, f.message) for f in typed.faults[0].faults] if 0 in typed.faults else []

    assert faults(columns) == [fault for alone in columns for fault in faults((alone,))]


def test_faults_of_a_batch_take_no_more_memory_than_some_fifty_thousand() -> None:
    """Each bad record tells its first fault, and whether it has more than are kept."""
    names = [f"c{number}" for number in range(40)]
    records = [Record(fields=dict.fromkeys(names, "x")) for _ in range(1500)]
    typed = cast(records, source(*(column(name, "int") for name in names)))
    numbers = [len(fault.faults) for fault in typed.faults.values()]
    assert len(numbers) == 1500
    assert sum(numbers) == MAX_FURTHER_FAULTS + 1500
    assert all(fault.has_more == (len(fault.faults) < 40) for fault in typed.faults.values())
