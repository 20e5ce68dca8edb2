"""A look-up that answers with a table at once means what its rows mean one by one."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from kit import fakes
from plait.engine.answers import Answers, type_answers
from plait.language.spec import Join, Source
from plait.plugin import Record, RecordTable
from plait.values.decode import Step
from plait.values.types import parse

PAIRS = (("k", "k"),)


def source(word: str, **decode: tuple[Step, ...]) -> Source:
    """A look-up `s` of one column `v`."""
    return fakes.source(fakes.column("v", word), decode=decode, join=Join(on=PAIRS))


def answered(table: pa.Table, rule: Source) -> Answers:
    """The answers of a table of records; its rows, record by record, must give the same."""
    records = RecordTable(table=table, position=lambda row: f"row {row}")
    together, single = (
        type_answers(rule, part, [("k", parse("string"))]) for part in (records, [*records.records()])
    )
    assert as_values(together) == as_values(single)
    return together


def as_values(answers: Answers) -> Any:
    keys = [column if isinstance(column, list) else column.to_pylist() for column in answers.keys]
    faults = {key: [(at, bad.code, bad.message) for at, bad in bads] for key, bads in answers.faults.items()}
    return answers.table.to_pylist(), keys, answers.times, faults, answers.counts


def test_a_row_of_a_table_that_does_not_fit_is_bad_for_its_own_key_alone() -> None:
    table = pa.table({"k": ["a", "b", None], "v": ["1", "many", "none"]})
    answers = answered(table, source("int"))
    assert answers.table.to_pylist() == [{"v": 1}]
    ((key, [(_, bad)]),) = answers.faults.items()
    assert (key, bad.source) == (("b",), "s")
    assert bad.message.startswith("`s`, row 1: column `v`:")


def test_a_table_whose_fields_are_decoded_is_taken_row_by_row() -> None:
    table = pa.table({"k": ["a", "b"], "v": ["[1, 2]", "null"]})
    answers = answered(table, source("array<int>", v=(Step("json"),)))
    assert answers.table.to_pylist() == [{"v": [1, 2]}, {"v": None}]


def test_a_table_gives_its_rows_as_records() -> None:
    records = RecordTable(table=pa.table({"k": ["a"]}))
    assert [*records.records()] == [Record(fields={"k": "a"}, position="")]
