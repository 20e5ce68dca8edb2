"""How many rows, how long a key, how slow a server `mysql` takes, on a real MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kit.connect import mysql_lookup
from kit.servers.stand_ins import log_in, run_sql
from kit.stubs import Stub
from plait.plugin import Key, TryAgain

if TYPE_CHECKING:
    from plait_sandbox.mysql import LocalMysql


@pytest.fixture(scope="module", autouse=True)
def _tables(mysql: LocalMysql) -> None:
    with log_in(mysql) as root:
        run_sql(root, "queries.sql")


@pytest.fixture
def context(reader: dict[str, Any]) -> Stub:
    return Stub(secrets={"db": reader})


def ask(context: Stub, table: str, *keys: Any, **options: Any) -> list[Any]:
    """Fetch keys of a table."""
    with mysql_lookup(context, f"queries.{table}", **options) as lookup:
        return list(lookup.fetch([Key(fields={"k": key}) for key in keys]))


def test_a_key_with_too_many_rows_is_a_fault_of_its_own(context: Stub) -> None:
    """The keys beside it get their rows, however many there are together."""
    records = ask(context, "texts", "a", "b", "c", "d", max_rows=2)
    assert sorted(r.fields["n"] for r in records if r.fault is None) == [1, 2, 3, 7]
    (bad,) = (r for r in records if r.fault)
    assert bad.fields == {"k": "c"}
    assert (bad.fault.message, bad.fault.help) == ("more than 2 rows for one key", "raise `max_rows`")


def test_a_key_that_no_text_column_holds_is_a_fault_of_its_own(context: Stub) -> None:
    """65,535 bytes are the longest VARCHAR; a longer key is never sent."""
    bad, good = ask(context, "texts", "é" * 32_768, "a")
    assert bad.fault.message == "a key of more than 65,535 bytes"
    assert good.fields["n"] == 1
    assert ask(context, "texts", "é" * 32_767) == []


def test_long_keys_are_several_statements(context: Stub) -> None:
    """No statement is larger than a server takes by default, escapes included."""
    records = ask(context, "texts", *("'" * (65_000 + n) for n in range(40)), "a")
    assert [record.fields["n"] for record in records] == [1]
    assert context.calls["mysql:Query"] == 5


@pytest.mark.fault("M5")
def test_a_slow_query_is_stopped_by_the_server_and_left_for_later(context: Stub) -> None:
    """It is not tried again at once, and the help says what makes it quick."""
    context.seconds = 1.2
    with pytest.raises(TryAgain, match="too long") as caught:
        ask(context, "slow", 1)
    assert caught.value.help == "give the table an index of the columns that the join is on"
    assert context.calls["mysql:Query"] == 1


@pytest.mark.fault("M6")
def test_a_float_keeps_what_the_server_would_round_away(context: Stub) -> None:
    """FLOAT is asked for anew in full, once; columns beside it and FLOAT of a fixed scale are as they are."""
    records = ask(context, "floats", *range(1, 8))
    values = [16777216.0, 0.1, None, 3.4028235e38, 1.1754944e-38, 8388609.0, 1e-45]
    assert [record.fields["f"] for record in records] == values
    assert records[0].fields == {"k": 1, "f": 16777216.0, "g": 1234.567, "n": 5}
    assert context.calls["mysql:Query"] == 2
    context.fields = ("f", "n")
    (record,) = ask(context, "floats", 1)
    assert record.fields == {"f": 16777216.0, "n": 5, "k": 1}
