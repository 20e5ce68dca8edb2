"""Every kind of value of every connector is, as each type, the value or the bad record that the table says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integration.values import sources
from integration.values.cells import Kind, same, source_of, verdicts
from integration.values.kinds import KINDS as TABLES
from plait.plugin import Record
from plait.values.decode import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.mysql import LocalMysql


def texts(written: Callable[[str], Any] = str) -> list[Kind]:
    """The texts as a source has them."""
    return [
        replace(kind, name=f"text {kind.source!r}", source=written(kind.source)) for kind in TABLES["text"]
    ]


def refused(name: str) -> list[Kind]:
    """Bytes that are no record, whatever the type."""
    return [replace(kind, code="bad-record") for kind in TABLES[name]]


WRITTEN: dict[str, Callable[[str], Any]] = {
    "json": json.dumps,
    "csv": sources.csv_line,
    "mysql": sources.mysql_text,
    "dynamodb": lambda text: {"S": text},
}
KINDS: dict[str, list[Kind]] = {
    word: [*texts(WRITTEN.get(word, str)), *TABLES[word]]
    for word in ("json", "csv", "memory", "mysql", "dynamodb")
}
KINDS["json"] += refused("no_json")
KINDS["csv"] += refused("no_csv")
KINDS["cloudwatch_logs"] = [
    kind for kind in texts() if kind.source and not any(map(str.isspace, kind.source))
]
FAULTS = {"mysql": "M6", "dynamodb": "D5", "csv": "C4", "json": "J8"}


def fault(word: str, kind: Kind) -> list[pytest.MarkDecorator]:
    """The fault of the table of faults that a kind is part of."""
    id = "M7" if word == "mysql" and " in " in kind.name else FAULTS.get(word)
    return [pytest.mark.fault(id)] if id and not kind.name.startswith("text") else []


CELLS = [
    pytest.param(word, n, id=f"{word}: {kind.name}", marks=fault(word, kind))
    for word, kinds in KINDS.items()
    for n, kind in enumerate(kinds)
]


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory, mysql: LocalMysql, reader: dict[str, Any], aws: LocalAws
) -> dict[str, list[Record]]:
    """What each connector gives for each of its kinds, from the real server or its stand-in."""
    folder = tmp_path_factory.mktemp("files")
    return {
        "json": sources.json_records(KINDS["json"], folder),
        "csv": sources.csv_records(KINDS["csv"], folder),
        "memory": sources.memory_records(KINDS["memory"]),
        "mysql": sources.mysql_records(KINDS["mysql"], mysql, reader),
        "dynamodb": sources.dynamodb_records(KINDS["dynamodb"], aws.endpoint),
        "cloudwatch_logs": sources.log_records(KINDS["cloudwatch_logs"], aws.endpoint),
    }


@pytest.mark.parametrize(("word", "n"), CELLS)
def test_a_value_is_as_each_type_what_the_table_says(
    records: dict[str, list[Record]], word: str, n: int
) -> None:
    """Alone, and among two hundred others."""
    kind, record = KINDS[word][n], records[word][n]
    actual = {name: [*verdicts(record, source_of(word, name))] for name in kind.words}
    expected = {name: [kind.fits.get(name, kind.code)] * 2 for name in kind.words}
    assert {name: verdict for name, verdict in actual.items() if not same(verdict, expected[name])} == {}, (
        expected
    )


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS["json"] if isinstance(kind.source, str)], ids=lambda kind: kind.name
)
def test_the_step_json_gives_what_a_file_gives(kind: Kind) -> None:
    """Value and verdict of a document within a field are those of a file's field."""
    record = Record(fields={"v": kind.source})
    actual = {name: [*verdicts(record, source_of("memory", name, Step("json")))] for name in kind.words}
    expected = {name: [kind.fits.get(name, kind.code)] * 2 for name in kind.words}
    assert {name: verdict for name, verdict in actual.items() if not same(verdict, expected[name])} == {}, (
        expected
    )
