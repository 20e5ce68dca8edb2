"""A key matches what is equal to it and nothing else, whatever MySQL takes for equal; on a real MariaDB."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from integration.values.hostile import COLLATIONS, hostile_texts
from kit.stand_ins import log_in
from kit.stubs import Stub
from plait.engine.lookup import look_up
from plait.language.spec import Column, Join, Source
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


@pytest.fixture
def asked(root: Any, reader: dict[str, Any]) -> Iterator[Any]:
    """The key and the number of each row that keys of a type match, and the context with its counts."""
    made: list[mysql.MySQLLookup] = []

    def ask(kind: str, keys: Sequence[Any], table: str = "t") -> tuple[list[tuple[Any, int]], Stub]:
        stub = Stub(secrets={"db": reader}, fields=("n",))
        made.append(mysql.MySQLLookup(mysql.MySQLOptions(secret="db", table=f"k.{table}"), stub))
        rows = pa.table({"k": pa.array(keys, arrow_type(parse(kind)))})
        answers, _ = look_up(SOURCE, made[-1], rows, {"k": parse(kind)})
        assert not answers.faults
        stub.near_misses = {key for (key,) in answers.near_misses}  # type: ignore[attr-defined]
        (column,) = answers.keys
        return [*zip(column.to_pylist(), answers.table["n"].to_pylist(), strict=True)], stub

    yield ask
    for lookup in made:
        lookup.close()


(CONNECTOR,) = mysql.plait_connectors()
NUMBER = Column(name="n", type=parse("bigint"), origin="n", selector=("n",))
SOURCE = Source(
    name="s", connector=CONNECTOR, options=None, columns=(NUMBER,), decode={}, join=Join(on=(("k", "k"),))
)


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
def test_ten_thousand_hostile_texts_match_exactly_their_rows(root: Any, asked: Any, collation: str) -> None:
    """Every second text has a row; all ten thousand are asked for, in a handful of queries."""
    charset = collation.partition("_")[0]
    stored = [text for text in TEXTS[::2] if holds(charset, text)]
    filled(root, f"MEDIUMTEXT CHARACTER SET {charset} COLLATE {collation}", stored)
    found, stub = asked("string", TEXTS)
    assert sorted(found) == sorted((text, n) for n, text in enumerate(stored))
    assert stub.calls["mysql:Query"] <= 24


def holds(charset: str, text: str) -> bool:
    """Whether a character set of MySQL has all characters of a text."""
    if charset == "latin1":
        return text.encode("cp1252", "replace").decode("cp1252") == text
    return charset != "utf8mb3" or max(text, default="") <= "\uffff"


TWINS = ["a", "A", "á", "a\u0301", "ａ", "a ", " a", "a\0"]
TIMES = [datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC)]


@pytest.mark.fault("L3", "L4")
@pytest.mark.parametrize(
    ("column", "stored", "kind", "keys", "matched"),
    [
        ("VARCHAR(9) CHARACTER SET utf8mb4", TWINS, "string", TWINS, TWINS),
        ("CHAR(9)", ["a", "b"], "string", ["a", "a ", "A"], ["a"]),
        ("VARCHAR(9)", ["17", "017", "17 ", "17.0", "1.7e1", "17a"], "bigint", [17], [17] * 3),
        ("BIGINT", [17, 0], "string", ["17", "017", " 17", "17.0", "17abc", "abc", ""], ["17"]),
        ("BIGINT", [2**53, 2**53 + 1], "bigint", [2**53 + 1], [2**53 + 1]),
        ("BIGINT", [2**53, 2**53 + 1], "string", [str(2**53 + 1)], [str(2**53 + 1)]),
        ("BIGINT UNSIGNED", [2**64 - 1], "decimal(20,0)", [Decimal(2**64 - 1)], [Decimal(2**64 - 1)]),
        ("DECIMAL(12,2)", ["7.00", "7.10"], "decimal(9,3)", [Decimal("7.000"), Decimal("7.100")], [Decimal("7.000"), Decimal("7.100")]),
        ("DECIMAL(12,2)", ["7.00", "7.10"], "bigint", [7], [7]),
        ("DECIMAL(12,2)", ["7.00"], "string", ["7.00", "7"], []),
        ("DATE", ["2026-07-01", "0000-00-00"], "date", [date(2026, 7, 1)], [date(2026, 7, 1)]),
        ("DATE", ["2026-07-01"], "timestamp", [datetime(2026, 7, 1, tzinfo=UTC), TIMES[0]], [datetime(2026, 7, 1, tzinfo=UTC)]),
        ("VARCHAR(30)", ["2026-07-01", "2026-07-1"], "date", [date(2026, 7, 1)], [date(2026, 7, 1)]),
        ("DATETIME(6)", ["2026-07-01 12:00:00.000000", "2026-07-01 12:00:00.000001"], "timestamp", TIMES, TIMES),
        ("TIMESTAMP(6)", ["2026-07-01 12:00:00.000000", "2026-07-01 12:00:00.000001"], "timestamp", TIMES, TIMES),
        ("DATETIME", ["2026-07-01 00:00:00"], "date", [date(2026, 7, 1)], []),
        ("BOOLEAN", [0, 1, 2], "boolean", [True, False], [False, True]),
        ("BIT(1)", [0, 1], "boolean", [True], [True]),
        ("VARCHAR(9)", ["true", "1"], "boolean", [True], []),
        ("VARBINARY(9)", [b"a", b"A", b"a\0", b"\xff"], "binary", [b"a", b"\xff"], [b"a", b"\xff"]),
        ("BINARY(2)", [b"a"], "binary", [b"a", b"a\0"], [b"a\0"]),
        ("VARBINARY(9)", [b"a"], "string", ["a"], []),
        ("ENUM('a', 'b')", ["a"], "string", ["a", "A", "1"], ["a"]),
        ("DOUBLE", [0.1, 0.5], "double", [0.1, 0.5], [0.1, 0.5]),
    ],
)  # fmt: skip
def test_a_key_of_any_type_matches_what_is_equal_in_that_type(
    root: Any, asked: Any, column: str, stored: list[Any], kind: str, keys: list[Any], matched: list[Any]
) -> None:
    """What the answer has is cast to the row's type if that loses nothing, and else is no match."""
    filled(root, column, stored)
    assert sorted(key for key, _ in asked(kind, keys)[0]) == sorted(matched)


@pytest.mark.fault("L4")
def test_a_key_that_only_looks_alike_is_told_apart_and_told(root: Any, asked: Any) -> None:
    """What MySQL takes for equal and plait does not is no match, and known as such."""
    filled(root, "VARCHAR(9) CHARACTER SET utf8mb4", ["Ada", "Bo", "Cy"])
    found, stub = asked("string", ["ada", "bo ", "Cy", "Di"])
    assert found == [("Cy", 2)]
    assert stub.near_misses == {"ada", "bo "}
    filled(root, "VARCHAR(9)", ["017"])
    assert asked("bigint", [17, 18])[1].near_misses == {17}


@pytest.mark.fault("L3")
def test_null_matches_nothing(root: Any, asked: Any) -> None:
    """Neither a null of the row, which is not even asked, nor one of the table."""
    filled(root, "VARCHAR(9)", [None, "", "NULL"])
    found, stub = asked("string", [None, None])
    assert (found, stub.calls) == ([], {})
    assert asked("string", [None, ""])[0] == [("", 1)]


@pytest.mark.parametrize(
    "column",
    ["BIGINT", "DECIMAL(12,2)", "DOUBLE", "DATE", "DATETIME(6)", "TIMESTAMP NULL", "TIME", "BIT(9)", "YEAR", "JSON",
     "ENUM('a')", "SET('a')", "VARBINARY(9)", "UUID", "INET6", "VARCHAR(9) CHARACTER SET ascii"],
)  # fmt: skip
def test_no_text_is_an_error_to_a_column_of_another_type(root: Any, asked: Any, column: str) -> None:
    """A text that the column cannot be is no match, and never fails its neighbours."""
    filled(root, column, [None])
    assert asked("string", TEXTS[5:1000])[0] == []
