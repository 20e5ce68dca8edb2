"""Every file of the corpora gives its rows or bad records, alone and among all the others."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from kit import fakes
from kit.connect import csv_lookup, json_driver
from kit.paths import DATA
from plait.engine.lookup import look_up
from plait.engine.read import cast
from plait.language.spec import Join, Source
from plait.plugin import BadRecord, Item, Record
from plait.values.types import Type, parse
from plait_connectors import csv as csv_connector
from plait_connectors import json as json_connector
from plait_connectors._csv_options import Delimiter

FOLDER = DATA / "corpus"
Outcome = dict[str, Any] | tuple[str, str]


def manifest(name: str) -> dict[str, Any]:
    """What the files of a corpus should become, by their name."""
    outcomes: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return outcomes


JSON: dict[str, Any] = {
    f"{folder}/{name}": expected
    for folder, files in manifest("json").items()
    for name, expected in files.items()
}
CSV = manifest("csv")
FAULTS = manifest("faults")


def marked(names: dict[str, Any]) -> list[Any]:
    """The files as parameters, each marked with the fault of FAULTS.md that the first beginning of its name has."""
    faults = {name: next(id for start, id in FAULTS.items() if name.startswith(start)) for name in names}
    return [pytest.param(name, marks=pytest.mark.fault(fault), id=name) for name, fault in faults.items()]


def source(module: Any, columns: dict[str, str], **more: Any) -> Source:
    """A source `s` of these columns."""
    typed = [fakes.column(name, word) for name, word in columns.items()]
    return fakes.source(*typed, connector=module.plait_connectors()[0], **more)


def converted(value: Any, kind: Type) -> Any:
    """A value of the manifest as its type has it."""
    by_word: dict[str, Any] = {
        "decimal": Decimal,
        "date": date.fromisoformat,
        "timestamp": datetime.fromisoformat,
    }
    return value if value is None else by_word.get(kind.word, lambda same: same)(value)


def is_same(actual: Any, expected: Any) -> bool:
    """Whether two values are equal, the sign of zero included."""
    return bool(actual == expected) and str(actual).startswith("-") == str(expected).startswith("-")


def json_outcomes(names: list[str], word: str) -> list[Outcome]:
    """Read these files together; for each the row, or the code and the sentence why not."""
    driver = json_driver(f"{FOLDER}/json/*/*.json")
    records = [*driver.read([Item(uri=f"{FOLDER}/json/{name}.json") for name in names])]
    typed = cast([r for r in records if isinstance(r, Record)], source(json_connector, {"a": word}))
    rows: dict[int, Outcome] = dict(zip(typed.record_numbers, typed.table.to_pylist(), strict=True))
    rows |= {n: (fault.code, fault.message) for n, fault in typed.faults.items()}
    return [rows[n] for n in range(len(names))]


@pytest.mark.parametrize("name", marked(JSON))
def test_a_json_file_is_the_row_or_the_bad_record_that_the_manifest_says(name: str) -> None:
    expected = JSON[name]
    word = expected.get("type", "string")
    outcome = json_outcomes([name], word)[0]
    if "bad" in expected:
        assert isinstance(outcome, tuple), outcome
        assert outcome[0] == expected.get("code", "bad-record")
        assert expected["bad"] in outcome[1]
    else:
        assert isinstance(outcome, dict), outcome
        assert is_same(outcome["a"], converted(expected["value"], parse(word)))


@pytest.mark.parametrize("word", sorted({expected.get("type", "string") for expected in JSON.values()}))
def test_all_json_files_together_give_what_each_gives_alone(word: str) -> None:
    """Row, code and message are the same, whatever the type of the column."""
    assert repr(json_outcomes([*JSON], word)) == repr([json_outcomes([name], word)[0] for name in JSON])


def csv_outcomes(
    names: tuple[str, ...], word: str, delimiter: str
) -> dict[str, tuple[list[Any], list[BadRecord]]]:
    """Look these files up together; for each its rows, and what is bad."""
    lookup = csv_lookup(f"{FOLDER}/csv/{{id}}.csv", "a", "b", delimiter=Delimiter(delimiter))
    join = Join(on=(("id", "id"),), shape="list")
    looked_up = source(csv_connector, {"a": "string", "b": word}, options=lookup.options, join=join)
    answers, _ = look_up(looked_up, lookup, pa.table({"id": names}), {"id": parse("string")})
    outcomes: dict[str, tuple[list[Any], list[BadRecord]]] = {name: ([], []) for name in names}
    for name, row in zip(answers.keys[0].to_pylist(), answers.table.to_pylist(), strict=True):
        outcomes[name][0].append([row["a"], row["b"]])
    for (name,), faults in answers.faults.items():
        outcomes[name][1].extend(error for _, error in faults)
    return outcomes


@pytest.mark.parametrize("name", marked(CSV))
def test_a_csv_file_is_the_rows_and_bad_records_that_the_manifest_says(name: str) -> None:
    manifested = CSV[name]
    word, delimiter = manifested.get("type", "string"), manifested.get("delimiter", ",")
    rows, faults = csv_outcomes((name,), word, delimiter)[name]
    records = [record for record in manifested["records"] if isinstance(record, list)]
    expected = [[a, converted(b, parse(word))] for a, b in records]
    assert len(rows) == len(expected)
    for row, expected_row in zip(rows, expected, strict=True):
        assert all(is_same(*values) for values in zip(row, expected_row, strict=True)), row
    sentences = [record for record in manifested["records"] if isinstance(record, str)]
    assert len(faults) == len(sentences)
    for sentence, fault in zip(sentences, faults, strict=True):
        assert sentence in fault.message


@pytest.mark.parametrize(
    ("word", "delimiter"), sorted({(t.get("type", "string"), t.get("delimiter", ",")) for t in CSV.values()})
)
def test_all_csv_files_together_give_what_each_gives_alone(word: str, delimiter: str) -> None:
    """Rows, codes and messages are the same, whatever the delimiter and the type of a column."""
    alone = {name: csv_outcomes((name,), word, delimiter)[name] for name in CSV}
    assert repr(csv_outcomes(tuple(CSV), word, delimiter)) == repr(alone)


@pytest.mark.parametrize(("names", "folder"), [(JSON, "json"), (CSV, "csv")])
def test_the_manifest_names_each_file_of_a_corpus(names: dict[str, Any], folder: str) -> None:
    files = (path for path in (FOLDER / folder).rglob("*") if path.is_file())
    assert sorted(names) == sorted(p.relative_to(FOLDER / folder).with_suffix("").as_posix() for p in files)
