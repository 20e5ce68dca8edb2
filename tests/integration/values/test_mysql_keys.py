"""A key matches what is equal to it and nothing else, whatever MySQL takes for equal; on a real MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from integration.values.hostile import COLLATIONS, hostile_texts
from kit import fakes
from kit.connect import mysql_lookup
from kit.servers.stand_ins import log_in
from kit.stubs import Stub
from kit.tables import table
from plait.engine.answers import Answers
from plait.engine.lookup import look_up
from plait.language.spec import Join
from plait.values.types import arrow_type, parse
from plait_connectors import mysql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait_sandbox.mysql import LocalMysql


@pytest.fixture(scope="module")
def root(mysql: LocalMysql) -> Iterator[Any]:
    """A connection that may do anything, in a database of its own."""
    with log_in(mysql) as connection:
        for statement in ("CREATE OR REPLACE DATABASE k", "USE k", "SET sql_mode = '', time_zone = '+00:00'"):
            connection.query(statement)
        yield connection


NUMBER = fakes.column("n", "bigint")
SOURCE = fakes.source(NUMBER, connector=mysql.plait_connectors()[0], join=Join(on=(("k", "k"),)))


@pytest.fixture
def context(root: Any, reader: dict[str, Any]) -> Stub:
    return Stub(secrets={"db": reader}, fields=("n",))


def answers_of(context: Stub, kind: str, keys: Sequence[Any]) -> Answers:
    """What the table `t` answers to keys of a type."""
    rows = pa.table({"k": pa.array(keys, arrow_type(parse(kind)))})
    with mysql_lookup(context, "k.t") as lookup:
        answers, _ = look_up(SOURCE, lookup, rows, {"k": parse(kind)})
    assert not answers.faults
    return answers


def matches(context: Stub, kind: str, keys: Sequence[Any]) -> list[tuple[Any, int]]:
    """The key and the number of each row that keys of a type match."""
    answers = answers_of(context, kind, keys)
    (column,) = answers.keys
    return [*zip(column.to_pylist(), answers.table["n"].to_pylist(), strict=True)]


def filled(root: Any, column: str, values: Sequence[Any], *, index: str = "") -> None:
    """The table `t` with these keys, numbered; what the column cannot hold is left out."""
    with root.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE TABLE t (k {column}, n INT{index})")
        rows = [(value, n) for n, value in enumerate(values)]
        for start in range(0, len(rows), 500):
            cursor.executemany("INSERT INTO t VALUES (%s, %s)", rows[start : start + 500])


TEXTS = hostile_texts()


@pytest.mark.fault("L4", "S7")
@pytest.mark.parametrize("collation", COLLATIONS)
def test_ten_thousand_hostile_texts_match_exactly_their_rows(
    root: Any, context: Stub, collation: str
) -> None:
    """Every second text has a row; all ten thousand are asked for, in a handful of queries."""
    charset = collation.partition("_")[0]
    stored = [text for text in TEXTS[::2] if holds(charset, text)]
    filled(root, f"MEDIUMTEXT CHARACTER SET {charset} COLLATE {collation}", stored)
    assert sorted(matches(context, "string", TEXTS)) == sorted((text, n) for n, text in enumerate(stored))
    assert context.calls["mysql:Query"] <= 24


def holds(charset: str, text: str) -> bool:
    """Whether a character set of MySQL has all characters of a text."""
    if charset == "latin1":
        return text.encode("cp1252", "replace").decode("cp1252") == text
    return charset != "utf8mb3" or max(text, default="") <= "\uffff"


@pytest.mark.fault("L3", "L4")
@pytest.mark.parametrize(("column", "stored", "kind", "keys", "matched"), table("values/mysql_keys.yaml"))
def test_a_key_of_any_type_matches_what_is_equal_in_that_type(
    root: Any, context: Stub, column: str, stored: list[Any], kind: str, keys: list[Any], matched: list[Any]
) -> None:
    """What the answer has is cast to the row's type if that loses nothing, and else is no match."""
    filled(root, column, stored)
    assert sorted(key for key, _ in matches(context, kind, keys)) == sorted(matched)


@pytest.mark.fault("L4")
def test_a_key_that_only_looks_alike_is_told_apart_and_told(root: Any, context: Stub) -> None:
    """What MySQL takes for equal and plait does not is no match, and known as such."""
    filled(root, "VARCHAR(9) CHARACTER SET utf8mb4", ["Ada", "Bo", "Cy"])
    keys = ["ada", "bo ", "Cy", "Di"]
    assert matches(context, "string", keys) == [("Cy", 2)]
    assert set(answers_of(context, "string", keys).near_misses) == {("ada",), ("bo ",)}
    filled(root, "VARCHAR(9)", ["017"])
    assert set(answers_of(context, "bigint", [17, 18]).near_misses) == {(17,)}


@pytest.mark.fault("L3")
def test_null_matches_nothing(root: Any, context: Stub) -> None:
    """Neither a null of the row, which is not even asked, nor one of the table."""
    filled(root, "VARCHAR(9)", [None, "", "NULL"])
    assert (matches(context, "string", [None, None]), context.calls) == ([], {})
    assert matches(context, "string", [None, ""]) == [("", 1)]


@pytest.mark.parametrize(
    "column",
    ["BIGINT", "DECIMAL(12,2)", "DOUBLE", "DATE", "DATETIME(6)", "TIMESTAMP NULL", "TIME", "BIT(9)", "YEAR", "JSON",
     "ENUM('a')", "SET('a')", "VARBINARY(9)", "UUID", "INET6", "VARCHAR(9) CHARACTER SET ascii"],
)  # fmt: skip
def test_no_text_is_an_error_to_a_column_of_another_type(root: Any, context: Stub, column: str) -> None:
    """A text that the column cannot be is no match, and never fails its neighbours."""
    filled(root, column, [None])
    assert matches(context, "string", TEXTS[5:1000]) == []
