"""The oracle knows by hand-made samples what the main job must give."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kit.oracle import COLUMNS, Expected, compare, expect, read_files
from kit.oracle_values import BadRecordError, integer, money, parse, read_csv, timestamp

AT = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
MS = int(AT.timestamp()) * 1000
HOUR_MS = 3_600_000


@dataclass
class Sample:
    objects: Mapping[str, bytes]
    stores: list[tuple[int, str | None, str | None]] = field(
        default_factory=lambda: [(17, "Centro", "Madrid")]
    )
    activity: list[dict[str, Any]] = field(
        default_factory=lambda: [{"customer_id": "c1", "last_seen": "2026-06-30T23:59:59.5Z"}]
    )
    logs: list[tuple[int, str]] = field(default_factory=list)


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


def row(data: bytes, items: bytes | None = None, **others: Any) -> dict[str, Any]:
    objects = {"transactions/t1.json": data} | ({"items/t1.csv": items} if items is not None else {})
    expected = expect(Sample(objects, **others))
    assert not expected.quarantined
    return expected.rows["transactions/t1.json"]


def refused(data: bytes, items: bytes | None = None, **others: Any) -> str:
    objects = {"transactions/t1.json": data} | ({"items/t1.csv": items} if items is not None else {})
    expected = expect(Sample(objects, **others))
    assert not expected.rows
    return expected.quarantined["transactions/t1.json"]


def test_six_strands_make_one_row() -> None:
    """Order, items, store, loyalty, score and activity stand in one row, in the order of the spec."""
    found = row(
        order(),
        b'sku,quantity,unit_price\nA,2,3.00\n"",,4.5\n',
        logs=[(MS, "[fraud] v3: transaction t1 scored 87")],
    )
    assert tuple(found) == COLUMNS
    assert found == {
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


def test_nulls_match_nothing() -> None:
    """An order of nulls is a row with an empty list and the score's default."""
    found = row(order(**dict.fromkeys(["ordered_at", "store_id", "customer_id", "total", "embedded_data"])))
    assert {c for c in found if found[c] is None} == {*COLUMNS} - {"transaction_id", "items", "fraud_score"}
    assert (found["items"], found["fraud_score"]) == ([], 0)


def test_unknown_keys_match_nothing() -> None:
    """A store and a customer that do not exist leave their columns null."""
    found = row(order(store_id=18, customer_id="c2"))
    assert (found["store_name"], found["store_city"], found["customer_last_seen"]) == (None, None, None)


@pytest.mark.parametrize(
    ("logs", "score"),
    [
        ([], 0),
        ([(MS - HOUR_MS, "transaction t1 scored 1")], 1),
        ([(MS + HOUR_MS, "transaction t1 scored 1")], 1),
        ([(MS - HOUR_MS - 1, "transaction t1 scored 1")], 0),
        ([(MS + HOUR_MS + 1, "transaction t1 scored 1")], 0),
        ([(MS + 1, "transaction t1 scored 1"), (MS, "transaction t1 scored 2")], 1),
        ([(MS, "transaction t1 scored 1"), (MS, "transaction t1 scored 2")], 2),
        ([(MS, "transaction t10 scored 1")], 0),
        ([(MS, "transaction t1 scored 1 again")], 0),
        ([(MS, "transaction t2 scored 3 transaction t1 scored 4")], 4),
    ],
)
def test_the_latest_score_within_an_hour_counts(logs: list[tuple[int, str]], score: int) -> None:
    """Both ends of the window belong to it; of two lines of one time the later in the log wins."""
    assert row(order(), logs=logs)["fraud_score"] == score


def test_keys_that_do_not_match_are_skipped() -> None:
    """Only `transactions/*.json` drives; other keys there are skipped, and other folders are not looked at."""
    keys = [
        "transactions/t1.json",
        "transactions/a/b.json",
        "transactions/x.txt",
        "transactions/",
        "items/t1.csv",
    ]
    expected = expect(Sample({key: order() if key.endswith("t1.json") else b"" for key in keys}))
    assert (set(expected.rows), expected.skipped) == ({keys[0]}, set(keys[1:4]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'{"transaction_id": "t1"',
        b'{"transaction_id": "t1", "total": NaN}',
        b'{"transaction_id": "t1", "transaction_id": "t2"}',
        b'{"transaction_id": "\xff"}',
        b'{"transaction_id": "t1", "note": "\\ud800"}',
        b"[" * 100_000,
        order(transaction_id=None),
        order(transaction_id=1),
        order(transaction_id="a/b"),
        order(transaction_id="a..b"),
        order(transaction_id="a\x07"),
        order(total="10.505"),
        order(total=True),
        order(total=10**10),
        order(store_id=17.5),
        order(store_id=2**63),
        order(customer_id=5),
        order(ordered_at=1751364000),
        order(ordered_at="yesterday"),
        order(embedded_data="e30"),
        order(embedded_data="e3 0="),
        order(embedded_data=5),
        order(embedded_data=base64.b64encode(b"{").decode()),
    ],
)
def test_bad_orders_are_quarantined(data: bytes) -> None:
    """What is no order, or has a value that does not meet its type, has no row but a reason."""
    assert refused(data)


@pytest.mark.parametrize(
    "items",
    [
        b"sku,quantity,unit_price\nA,two,3\n",
        b"sku,quantity,unit_price\nA,1.5,3\n",
        b"sku,quantity,unit_price\nA,1,3.001\n",
        b"sku,quantity,unit_price\nA,1\n",
        b"sku,quantity,unit_price\nA,1,2,3\n",
        b'sku,quantity,unit_price\nA,"",2\n',
        b'sku,quantity,unit_price\n"A,1,2\n',
        b"sku,sku,unit_price\nA,1,2\n",
        b"sku,transaction_id\nA,t2\n",
        b"sku\n\xff\n",
    ],
)
def test_a_bad_item_takes_its_order_along(items: bytes) -> None:
    """An order whose items cannot be read is quarantined."""
    assert refused(order(), items)


def test_what_lookups_bring_must_be_good_too() -> None:
    """A score that is no number, a last_seen that is no time, and two stores of one id quarantine the order."""
    assert refused(order(), logs=[(MS, "transaction t1 scored high")])
    assert refused(order(), activity=[{"customer_id": "c1", "last_seen": "soon"}])
    assert refused(order(), stores=[(17, "a", "b"), (17, "c", "d")])


@pytest.mark.parametrize("embedded", [b"null", b"{}", b'{"loyalty": null}', b'{"loyalty": {}}'])
def test_missing_loyalty_is_null(embedded: bytes) -> None:
    """Null or absent anywhere on the way is null at its end."""
    found = row(order(embedded_data=base64.b64encode(embedded).decode()))
    assert (found["loyalty_tier"], found["loyalty_points"]) == (None, None)


@pytest.mark.parametrize("items", [None, b"", b"sku,quantity,unit_price\n"])
def test_no_items_are_an_empty_list(items: bytes | None) -> None:
    """No file, an empty file and a header alone are all no match."""
    assert row(order(), items)["items"] == []


def test_csv_knows_quotes() -> None:
    """Quoted cells hold separators, quotes and line ends; unquoted empty is null."""
    data = b'\xef\xbb\xbfa,b\r\n"x,""y""\n",NA\r\n\r\n,""\r\nu"v, w'
    assert read_csv(data) == [{"a": 'x,"y"\n', "b": "NA"}, {"a": None, "b": ""}, {"a": 'u"v', "b": " w"}]
    assert read_csv(b"a,b\n1,") == [{"a": "1", "b": None}]


@pytest.mark.parametrize(("value", "number"), [(17, 17), (Decimal("17.0"), 17), ("1.7e1", 17), ("-0", 0)])
def test_integral_numbers_are_integers(value: object, number: int) -> None:
    """However it is written, an integral number is an integer."""
    assert integer(value) == number


@pytest.mark.parametrize(
    "value", ["01", "+1", " 1", "1.", "", "1e999999999999999999999", "0x1", "NaN", "١", 1.5, True]
)
def test_only_the_grammar_of_json_makes_numbers(value: object) -> None:
    """Text that JSON would not read as a number is none."""
    with pytest.raises(BadRecordError):
        integer(value)


def test_money_has_two_decimals() -> None:
    """A decimal keeps its value exactly and has scale 2; zero has no sign."""
    assert [str(money(v)) for v in (parse(b"17.5"), "17.500", 3, "-0", "1e2")] == [
        "17.50",
        "17.50",
        "3.00",
        "0.00",
        "100.00",
    ]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-07-01T10:00:00.1234567Z", AT + timedelta(microseconds=123456)),
        ("2026-07-01 10:00", AT),
        ("2026-07-01T12:00:00+02:00", AT),
        ("2026-07-01T12:00:00+0200", AT),
        ("2026-07-01T10:00:00,5", AT + timedelta(milliseconds=500)),
    ],
)
def test_times_are_utc(text: str, at: datetime) -> None:
    """No zone means UTC, another zone is converted, digits beyond the microsecond are cut."""
    found = timestamp(text)
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["2026-02-30T10:00:00Z", "2026-07-01T24:00:00Z", "0001-01-01T00:00:00+05:00", "10:00"]
)
def test_times_that_never_were_are_refused(text: str) -> None:
    """A text of the right form must also be a time."""
    with pytest.raises(BadRecordError):
        timestamp(text)


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
    expected, files = lake()
    assert compare(expected, read_files(files)) == []
    assert read_files({}) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("total", Decimal("10.5")),
        ("total", 10.5),
        ("ordered_at", AT.replace(tzinfo=None)),
        ("date", AT.date()),
        ("items", [{"sku": "A", "quantity": 2, "unit_price": Decimal(3)}]),
        ("items", None),
        ("fraud_score", False),
    ],
)
def test_each_difference_is_named(column: str, value: object) -> None:
    """A value of another type or scale differs even where Python calls it equal."""
    expected, files = lake()
    rows = [r | {column: value} if r["transaction_id"] == "t1" else r for r in read_files(files)]
    (difference,) = compare(expected, rows)
    assert difference.startswith(f"t1: {column}: ")


def test_missing_and_doubled_rows_are_named() -> None:
    """A row too few or too many is a difference, and so is a column."""
    expected, files = lake()
    rows = sorted(read_files(files), key=lambda r: str(r["transaction_id"]))
    assert compare(expected, rows[:1]) == ["t2: 1 rows expected, 0 found"]
    assert compare(expected, [*rows, rows[1]]) == ["t2: 1 rows expected, 2 found"]
    assert len(compare(expected, [rows[0], rows[1] | {"extra": 1}])) == 1


def test_zones_other_than_utc_are_the_same_time() -> None:
    """The oracle gives times in UTC whatever zone the order named."""
    assert row(order(ordered_at="2026-07-01T01:00:00+02:00"))["date"] == "2026-06-30"
    assert timestamp("2026-07-01T01:00:00+02:00") == datetime(
        2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))
    )
