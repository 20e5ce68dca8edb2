"""How many rows, how long a key, how slow a server `mysql` takes, on a real MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kit.stand_ins import log_in
from kit.stubs import Stub
from plait.plugin import Key, TryAgain
from plait_connectors import mysql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.mysql import LocalMysql

SETUP = """
CREATE OR REPLACE DATABASE queries CHARACTER SET utf8mb4;
CREATE TABLE queries.texts (k MEDIUMTEXT, n INT);
INSERT INTO queries.texts VALUES ('a', 1), ('b', 2), ('b', 3), ('c', 4), ('c', 5), ('c', 6), ('d', 7);
CREATE TABLE queries.floats (k INT, f FLOAT, g FLOAT(7,3), n INT);
INSERT INTO queries.floats VALUES (1, 16777217, 1234.567, 5), (2, 0.1, 1, NULL), (3, NULL, NULL, NULL),
  (4, 3.4028234e38, NULL, NULL), (5, 1.17549435e-38, NULL, NULL), (6, 8388609, NULL, NULL), (7, 1e-45, NULL, NULL);
CREATE VIEW queries.slow AS SELECT 1 AS k, SLEEP(9) AS v;
"""


@pytest.fixture(scope="module")
def secret(mysql: LocalMysql, reader: dict[str, Any]) -> dict[str, Any]:
    """The secret of a server with these tables."""
    with log_in(mysql) as root:
        for statement in filter(str.strip, SETUP.split(";\n")):
            root.query(statement)
    return reader


@pytest.fixture
def ask(secret: dict[str, Any]) -> Iterator[Any]:
    """Fetch keys of a table; the number of queries it took stands in `ask.context`."""
    made = []

    def fetch(table: str, *keys: Any, fields: tuple[str, ...] | None = None, **options: Any) -> list[Any]:
        fetch.context = Stub(fields=fields, secrets={"db": secret})  # type: ignore[attr-defined]
        fetch.context.seconds = fetch.seconds  # type: ignore[attr-defined]
        options = {"secret": "db", "table": f"queries.{table}", **options}
        made.append(mysql.MySQLLookup(mysql.MySQLOptions(**options), fetch.context))  # type: ignore[attr-defined]
        return made[-1].fetch([Key(fields={"k": key}) for key in keys])

    fetch.seconds = 30.0  # type: ignore[attr-defined]
    yield fetch
    for lookup in made:
        lookup.close()


def test_a_key_with_too_many_rows_is_a_fault_of_its_own(ask: Any) -> None:
    """The keys beside it get their rows, however many there are together."""
    found = ask("texts", "a", "b", "c", "d", max_rows=2)
    assert sorted(r.fields["n"] for r in found if r.fault is None) == [1, 2, 3, 7]
    (bad,) = (r for r in found if r.fault)
    assert bad.fields == {"k": "c"}
    assert (bad.fault.message, bad.fault.help) == ("more than 2 rows for one key", "raise `max_rows`")


def test_a_key_that_no_text_column_holds_is_a_fault_of_its_own(ask: Any) -> None:
    """65,535 bytes are the longest VARCHAR; a longer key is never sent."""
    bad, good = ask("texts", "é" * 32_768, "a")
    assert bad.fault.message == "a key of more than 65,535 bytes"
    assert good.fields["n"] == 1
    assert ask("texts", "é" * 32_767) == []


def test_long_keys_are_several_statements(ask: Any) -> None:
    """No statement is larger than a server takes by default, escapes included."""
    assert [r.fields["n"] for r in ask("texts", *("'" * (65_000 + n) for n in range(40)), "a")] == [1]
    assert ask.context.calls["mysql:Query"] == 5


@pytest.mark.fault("M5")
def test_a_slow_query_is_stopped_by_the_server_and_left_for_later(ask: Any) -> None:
    """It is not tried again at once, and the help says what makes it quick."""
    ask.seconds = 1.2
    with pytest.raises(TryAgain, match="too long") as caught:
        ask("slow", 1)
    assert caught.value.help == "give the table an index of the columns that the join is on"
    assert ask.context.calls["mysql:Query"] == 1


@pytest.mark.fault("M6")
def test_a_float_keeps_what_the_server_would_round_away(ask: Any) -> None:
    """FLOAT is asked for anew in full, once; columns beside it and FLOAT of a fixed scale are as they are."""
    found = ask("floats", *range(1, 8))
    values = [16777216.0, 0.1, None, 3.4028235e38, 1.1754944e-38, 8388609.0, 1e-45]
    assert [r.fields["f"] for r in found] == values
    assert found[0].fields == {"k": 1, "f": 16777216.0, "g": 1234.567, "n": 5}
    assert ask.context.calls["mysql:Query"] == 2
    (found,) = ask("floats", 1, fields=("f", "n"))
    assert found.fields == {"f": 16777216.0, "n": 5, "k": 1}
