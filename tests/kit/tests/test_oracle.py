"""The oracle knows by hand-made samples what the main job must give."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kit.oracle.oracle import COLUMNS, Expected, compare, expect, read_files
from kit.oracle.oracle_values import BadRecordError, integer, money, parse, read_csv, timestamp
from kit.tables import table

AT = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
CASES = table("oracle.yaml")
KEY = "transactions/t1.json"


@dataclass
class Sample:
    """One store, one customer, and whatever else a test says."""

    objects: Mapping[str, bytes]
    stores: Sequence[Any] = ((17, "Centro", "Madrid"),)
    activity: Sequence[Any] = ({"customer_id": "c1", "last_seen": "2026-06-30T23:59:59.5Z"},)
    logs: Sequence[Any] = ()


def order(**changes: Any) -> bytes:
    loyalty = base64.b64encode(b'{"loyalty": {"tier": "gold", "points": 120}}').decode()
    base = {
        "transaction_id": "t1",
        "ordered_at": "2026-07-01T10:00:00Z",
        "store_id": 17,
        "customer_id": "c1",
        "total": "10.50",
        "embedded_data": loyalty,
    }
    return json.dumps(base | changes).encode()


def expected(data: bytes | str, items: bytes | str | None = None, **others: Any) -> Expected:
    """What the oracle expects of an order with these items; `logs` count their milliseconds from its time."""
    texts = {KEY: data} | ({"items/t1.csv": items} if items is not None else {})
    objects = {key: text.encode() if isinstance(text, str) else text for key, text in texts.items()}
    logs = [(int(AT.timestamp()) * 1000 + later, line) for later, line in others.pop("logs", ())]
    return expect(Sample(objects, logs=logs, **others))


def row(data: bytes, items: bytes | str | None = None, **others: Any) -> dict[str, Any]:
    answer = expected(data, items, **others)
    assert not answer.quarantined
    return answer.rows[KEY]


def test_six_strands_make_one_row() -> None:
    """Order, items, store, loyalty, score and activity stand in one row, in the order of the spec."""
    joined = row(
        order(),
        b'sku,quantity,unit_price\nA,2,3.00\n"",,4.5\n',
        logs=[(0, "[fraud] v3: transaction t1 scored 87")],
    )
    assert tuple(joined) == COLUMNS
    assert joined == {
        "transaction_id": "t1",
        "ordered_at": AT,
        "store_id": 17,
        "customer_id": "c1",
        "total": Decimal("10.50"),
        "loyalty_tier": "gold",
        "loyalty_points": 120,
        "items": [
            {"sku": "A", "quantity": 2, "unit_price": Decimal("3.00")},
            {"sku": "", "quantity": None, "unit_price": Decimal("4.50")},
        ],
        "store_name": "Centro",
        "store_city": "Madrid",
        "customer_last_seen": datetime(2026, 6, 30, 23, 59, 59, 500000, UTC),
        "fraud_score": 87,
        "date": "2026-07-01",
    }


def test_nulls_and_unknown_keys_match_nothing() -> None:
    """An order of nulls is a row with an empty list and the score's default; unknown keys leave their columns null."""
    actual = row(order(**dict.fromkeys(["ordered_at", "store_id", "customer_id", "total", "embedded_data"])))
    assert {c for c in actual if actual[c] is None} == {*COLUMNS} - {"transaction_id", "items", "fraud_score"}
    assert (actual["items"], actual["fraud_score"]) == ([], 0)
    actual = row(order(store_id=18, customer_id="c2"))
    assert (actual["store_name"], actual["store_city"], actual["customer_last_seen"]) == (None, None, None)


@pytest.mark.parametrize("case", CASES["scores"], ids=str)
def test_the_latest_score_within_an_hour_counts(case: dict[str, Any]) -> None:
    """Both ends of the window belong to it; of two lines of one time the later in the log wins."""
    assert row(order(), logs=case["lines"])["fraud_score"] == case["score"]


def test_keys_that_do_not_match_are_skipped() -> None:
    """Only `transactions/*.json` drives; other keys there are skipped, and other folders are not looked at."""
    keys = [
        "transactions/t1.json",
        "transactions/a/b.json",
        "transactions/x.txt",
        "transactions/",
        "items/t1.csv",
    ]
    answer = expect(Sample({key: order() if key.endswith("t1.json") else b"" for key in keys}))
    assert (set(answer.rows), answer.skipped) == ({keys[0]}, set(keys[1:4]))


BAD = [
    *({"data": data} for data in CASES["bad_bytes"]),
    *({"data": order(**changes)} for changes in CASES["bad_orders"]),
    *({"data": order(), "items": items} for items in CASES["bad_items"]),
    *({"data": order(), **others} for others in CASES["bad_lookups"]),
]


@pytest.mark.parametrize("inputs", BAD, ids=lambda inputs: str(inputs)[:80])
def test_bad_orders_are_quarantined_and_so_are_those_whose_items_or_lookups_are_bad(
    inputs: dict[str, Any],
) -> None:
    """What is no order, or has or brings a value that does not meet its type, has no row but a reason."""
    answer = expected(**inputs)
    assert not answer.rows
    assert answer.quarantined[KEY]


def test_what_is_missing_on_the_way_is_null_and_no_items_are_an_empty_list() -> None:
    """Null or absent anywhere on the way; no file, an empty file and a header alone."""
    for embedded in CASES["no_loyalty"]:
        values = row(order(embedded_data=embedded))
        assert (values["loyalty_tier"], values["loyalty_points"]) == (None, None)
    assert [row(order(), items)["items"] for items in CASES["no_items"]] == [[]] * len(CASES["no_items"])


def test_values_are_read_by_the_grammar_of_json_csv_and_iso_8601() -> None:
    """Integral numbers are integers, money has two decimals, times are UTC, quoted cells hold anything."""
    assert [(value, integer(value)) for value, _ in CASES["integers"]] == [*map(tuple, CASES["integers"])]
    assert [str(money(value)) for value, _ in CASES["money"]] == [text for _, text in CASES["money"]]
    assert str(money(parse(b"17.5"))) == "17.50"
    assert [read_csv(case["text"].encode()) for case in CASES["csv"]] == [
        case["records"] for case in CASES["csv"]
    ]
    times = {text: timestamp(text) for text in CASES["times"]}
    assert times == {text: datetime.fromisoformat(utc) for text, utc in CASES["times"].items()}
    assert {time and time.tzinfo for time in times.values()} == {UTC}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read, text)
        for read, topic in ((integer, "no_integers"), (timestamp, "no_times"))
        for text in CASES[topic]
    ],
)
def test_what_only_looks_like_a_number_or_a_time_is_refused(read: Any, text: Any) -> None:
    with pytest.raises(BadRecordError):
        read(text)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    money_type = pa.decimal128(12, 2)
    item = pa.struct([("sku", pa.string()), ("quantity", pa.int32()), ("unit_price", money_type)])
    types = {
        "transaction_id": pa.string(),
        "ordered_at": pa.timestamp("us", "UTC"),
        "store_id": pa.int64(),
        "customer_id": pa.string(),
        "total": money_type,
        "loyalty_tier": pa.string(),
        "loyalty_points": pa.int64(),
        "items": pa.list_(item),
        "store_name": pa.string(),
        "store_city": pa.string(),
        "customer_last_seen": pa.timestamp("us", "UTC"),
        "fraud_score": pa.int32(),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(list(types.items()))), buffer)
    return buffer.getvalue()


def lake() -> tuple[Expected, dict[str, bytes]]:
    dated = row(order(), b"sku,quantity,unit_price\nA,2,3\n")
    undated = row(order(transaction_id="t2", ordered_at=None, total=None))
    files = {
        "extracted/transactions/date=2026-07-01/a.parquet": parquet([dated]),
        "extracted/transactions/date=__HIVE_DEFAULT_PARTITION__/b.parquet": parquet([undated]),
    }
    return Expected(rows={"1": dated, "2": undated}), files


def test_a_lake_as_expected_has_no_difference() -> None:
    """Parquet read by DuckDB gives the oracle's own values, with the partition as the last column."""
    wanted, files = lake()
    assert compare(wanted, read_files(files)) == []
    assert read_files({}) == []


DIFFERENCES = [(column, value) for column, values in CASES["differences"].items() for value in values]
DIFFERENCES += [("ordered_at", AT.replace(tzinfo=None)), ("date", AT.date())]


@pytest.mark.parametrize(("column", "value"), DIFFERENCES)
def test_each_difference_is_named(column: str, value: object) -> None:
    """A value of another type or scale differs even where Python calls it equal."""
    wanted, files = lake()
    rows = [r | {column: value} if r["transaction_id"] == "t1" else r for r in read_files(files)]
    (difference,) = compare(wanted, rows)
    assert difference.startswith(f"t1: {column}: ")


def test_missing_and_doubled_rows_are_named() -> None:
    """A row too few or too many is a difference, and so is a column."""
    wanted, files = lake()
    rows = sorted(read_files(files), key=lambda r: str(r["transaction_id"]))
    assert compare(wanted, rows[:1]) == ["t2: 1 rows expected, 0 found"]
    assert compare(wanted, [*rows, rows[1]]) == ["t2: 1 rows expected, 2 found"]
    assert len(compare(wanted, [rows[0], rows[1] | {"extra": 1}])) == 1


def test_the_date_is_that_of_utc() -> None:
    """Whatever zone the order named."""
    assert row(order(ordered_at="2026-07-01T01:00:00+02:00"))["date"] == "2026-06-30"
