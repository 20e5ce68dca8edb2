"""A key of every type, asked of every connector: what it finds, and where it cannot be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from integration.values.kinds import KEYS, KeyKind
from kit import fakes
from kit.connect import context, create_table, csv_lookup, dynamodb_lookup, logs_lookup, mysql_lookup
from kit.servers.logs import Logs
from kit.servers.stand_ins import log_in
from kit.stubs import Stub
from plait.engine.answers import Answers
from plait.engine.lookup import look_up
from plait.language.spec import Join, TimeWindow
from plait.plugin.registry import connector
from plait.values.types import arrow_type, parse
from plait_connectors.memory import MemoryOptions, MemoryRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.mysql import LocalMysql

pytestmark = [
    pytest.mark.fault("L3", "L4"),
    pytest.mark.parametrize("kind", KEYS, ids=lambda kind: kind.type),
]
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def asked(word: str, lookup: Any, kind: KeyKind, options: Any = None, *, field: str = "k") -> Answers:
    """What a look-up answers to a row of the key, joined on a field, its numbers `n` typed."""
    window = TimeWindow(column="at", before=MINUTE, after=MINUTE) if word == "cloudwatch_logs" else None
    source = fakes.source(
        fakes.column("n", "bigint"),
        connector=connector(word),
        options=options,
        join=Join(on=(("key", field),)),
        window=window,
    )
    table = pa.table(
        {
            "key": pa.array([kind.value], arrow_type(parse(kind.type))),
            "at": pa.array([NOON], arrow_type(parse("timestamp"))),
        }
    )
    return look_up(source, lookup, table, {"key": parse(kind.type)})[0]


def numbers(answers: Answers) -> list[int]:
    """The numbers found; nothing was bad."""
    assert not answers.faults
    return sorted(answers.table["n"].to_pylist())


def test_rows_in_the_spec_match_by_value(kind: KeyKind) -> None:
    """Texts that are the full text of the key, and the value itself."""
    rows: list[dict[str, Any]] = [{"k": text, "n": n} for n, text in enumerate((*kind.equal, *kind.other))]
    rows += [{"k": kind.value, "n": 100}, {"k": None, "n": 101}, {"k": [], "n": 102}, {"n": 103}]
    lookup = MemoryRows(MemoryOptions(rows=rows), context())
    assert numbers(asked("memory", lookup, kind)) == [*range(len(kind.equal)), 100]


def test_a_path_has_one_spelling(tmp_path: Path, kind: KeyKind) -> None:
    """That of the value in the row's type."""
    for n, text in enumerate(dict.fromkeys((kind.path, *kind.equal, *kind.other))):
        if text:
            (tmp_path / f"{text}.csv").write_text(f"n\n{n}\n")
    lookup = csv_lookup(f"{tmp_path}/{{key}}.csv")
    answers = asked("csv", lookup, kind, lookup.options, field="key")
    if kind.path is None:
        assert [error.message for bad in answers.faults.values() for _, error in bad] == [
            "`s`: binary cannot fill a path"
        ]
    else:
        assert numbers(answers) == [0]


@pytest.fixture(scope="module")
def logs() -> Iterator[Logs]:
    """A log group `keys` in which each text has its line."""
    texts = [text for kind in KEYS for text in (*kind.equal, *kind.other)]
    with Logs() as server:
        stamp = int(NOON.timestamp()) * 1000
        server.put("keys", *((stamp, f"key {text} is {n}") for n, text in enumerate(texts)))
        yield server


def test_a_line_matches_by_the_full_text_of_the_key(logs: Logs, kind: KeyKind) -> None:
    texts = [text for other_kind in KEYS for text in (*other_kind.equal, *other_kind.other)]
    lookup = logs_lookup(Stub(endpoint=logs.endpoint), "keys", "key {k} is {n}")
    matched = {texts[n] for n in numbers(asked("cloudwatch_logs", lookup, kind))}
    assert set(kind.equal) <= matched
    assert not matched & set(kind.other)


def test_a_text_column_of_mysql_matches_by_the_full_text_of_the_key(
    mysql: LocalMysql, reader: dict[str, Any], kind: KeyKind
) -> None:
    texts = (*kind.equal, *kind.other)
    with log_in(mysql) as root:
        root.query("CREATE DATABASE IF NOT EXISTS keytypes")
        root.query("CREATE OR REPLACE TABLE keytypes.t (k VARCHAR(40) CHARACTER SET utf8mb4, n INT)")
        root.cursor().executemany(
            "INSERT INTO keytypes.t VALUES (%s, %s)", [(t, n) for n, t in enumerate(texts)]
        )
    with mysql_lookup(Stub(secrets={"db": reader}, fields=("n",)), "keytypes.t") as lookup:
        assert numbers(asked("mysql", lookup, kind)) == [*range(kind.in_mysql)]


def test_an_item_has_its_key_in_one_type(aws: LocalAws, kind: KeyKind) -> None:
    """Of what DynamoDB has keys for: text, numbers and bytes; any other is a bad record that says so."""
    client = Stub(endpoint=aws.endpoint).client("dynamodb")
    ((letter, value),) = (kind.attribute or {"S": "x"}).items()
    table = f"keys-{kind.type.partition('(')[0]}"
    create_table(client, table, k=letter)
    client.put_item(TableName=table, Item={"k": {letter: value}, "n": {"N": "0"}})
    answers = asked("dynamodb", dynamodb_lookup(Stub(endpoint=aws.endpoint), table), kind)
    if kind.attribute is None:
        (error,) = (error for bad in answers.faults.values() for _, error in bad)
        assert error.help == "declare the column joined on `k` as string, bigint, decimal or binary"
    else:
        assert numbers(answers) == [0]
