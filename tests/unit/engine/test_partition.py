"""Partition folders are functions of the row alone, to the ends of their rules: lengths, years, zones, signs.

The folders of each function and zone are in `tests/data/cases/partitions.test.yaml`.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import mmh3
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plait.engine.partition import FORMATS, bucket, encode, folderless_rows, folders
from plait.language.forms import Partition
from plait.values.driver_path import HIVE_NULL

UTC_TIME = pa.timestamp("us", tz="UTC")
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
FUNCTIONS = st.sampled_from(["date", "month", "hour", "bucket", "column"])


def by(function: Any, column: str = "c", zone: str = "UTC", name: str = "p") -> Partition:
    """A partition, `p` unless it is named."""
    return Partition(name=name, function=function, column=column, zone=zone, buckets=16)


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        (34, 2017239379),
        (Decimal("14.20"), -500754589),
        (date(2017, 11, 16), -653330422),
        (datetime(2017, 11, 16, 22, 31, 8, tzinfo=UTC), -2047944441),
        ("iceberg", 1210000089),
    ],
)
def test_buckets_are_those_of_iceberg(value: Any, hashed: int) -> None:
    """The hash values are the test vectors of the Iceberg specification, appendix B."""
    assert bucket(value, 1000) == (hashed & 0x7FFFFFFF) % 1000


ZONES = ("UTC", "Europe/Madrid", "Asia/Kathmandu", "America/St_Johns")
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)) | st.datetimes(
    datetime(1972, 1, 1), datetime(2030, 1, 1)
)
edges = st.builds(
    lambda day, second: day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=second),
    moments,
    st.integers(-1, 1),
)


@given(
    st.lists(st.none() | moments | edges, max_size=6),
    FUNCTIONS,
    st.sampled_from(ZONES),
)
def test_the_folder_of_a_moment_does_not_depend_on_the_other_rows(
    values: list[Any], function: Any, zone: str
) -> None:
    """Many rows are placed by the hour where that is enough, each as it is alone."""
    times, parts = pa.table({"c": pa.array(values, UTC_TIME)}), [by(function, zone=zone)]
    assert folders(times, parts) == [folders(times.slice(row, 1), parts)[0] for row in range(len(values))]


@given(
    st.datetimes(max_value=datetime(1, 1, 3)) | st.datetimes(min_value=datetime(9999, 12, 29)),
    FUNCTIONS,
    st.timezones().map(str),
)
def test_a_moment_at_the_edge_of_time_has_a_folder_or_is_a_bad_record(
    moment: datetime, function: Any, zone: str
) -> None:
    """In the years 1 and 9999: where a zone's clock has the moment, its folder; else it is told before there is one."""
    part, table = by(function, zone=zone), pa.table({"c": pa.array([moment], UTC_TIME)})
    try:
        moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    except OverflowError:
        assert [*folderless_rows(table, [part])] == ([0] if function in FORMATS else [])
    else:
        assert folderless_rows(table, [part]) == {}
    if not folderless_rows(table, [part]):
        assert folders(table, [part])[0].startswith("p=")


def test_rows_that_are_not_parted_lie_in_the_sink_itself() -> None:
    assert folders(pa.table({"c": [1, 2]}), []) == ["", ""]


def test_each_partition_is_a_folder_within_that_before_it() -> None:
    table = pa.table({"a": ["x", "y"], "b": [1, None]})
    parts = [by("column", "a", name="day"), by("column", "b")]
    assert folders(table, parts) == ["day=x/p=1/", "day=y/p=__HIVE_DEFAULT_PARTITION__/"]


@pytest.mark.parametrize("many", [1, 100])
def test_a_bucket_is_a_folder_of_its_number(many: int) -> None:
    """However many rows there are."""
    assert folders(pa.table({"c": ["iceberg"] * many}), [by("bucket")]) == [f"p={1210000089 % 16}/"] * many


@pytest.mark.parametrize("many", [1, 100])
def test_the_zone_of_the_machine_moves_no_row(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    table = pa.table({"c": pa.array([datetime(2026, 7, 1, 16, 30, tzinfo=UTC)] * many, UTC_TIME)})
    folder_of_rows = folders(table, [by("hour"), by("date", zone="Europe/Madrid")])
    monkeypatch.undo()
    time.tzset()
    assert folder_of_rows == ["p=2026-07-01-16/p=2026-07-01/"] * many


def test_a_folder_escapes_what_hive_escapes_and_nothing_else() -> None:
    escaped = "".join(map(chr, range(1, 32))) + "\x7f\"#%'*/:=?\\{[]^"
    assert encode(escaped) == "".join(f"%{ord(character):02X}" for character in escaped)
    plain = "Señor 東京 München . .. +&$!(),-;<>@_`|~}"
    assert encode(plain) == plain


def test_no_folder_has_the_end_that_spark_passes_over() -> None:
    """Hadoop's word for a file that is being copied."""
    assert [encode(text) for text in ("a._COPYING_", "._COPYING_x")] == ["a._COPYING%5F", "._COPYING_x"]


@pytest.mark.parametrize(
    ("text", "what"), [("", "an empty text"), ("a\0", "a NUL"), (HIVE_NULL, "Hive's word for null")]
)
def test_a_text_that_no_folder_gives_back_is_a_bad_record(text: str, what: str) -> None:
    bad = folderless_rows(pa.table({"c": ["x", text]}), [by("column")])
    assert [*bad] == [1]
    assert bad[1].message == f"partition `p`: {what} is no name of a folder"


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_folder_may_have_255_bytes_and_none_more(letter: str) -> None:
    """What is longer is told with a way out, and counts with the name of the partition and the `=`."""
    size = len(letter.encode())
    longest = letter * (253 // size) + "x" * (253 % size)
    table = pa.table({"c": [longest, f"{longest}x", "x", f"{longest}x"]})
    assert len(folders(table, [by("column")])[0].rstrip("/").encode()) == 255
    bad = folderless_rows(table, [by("column")])
    assert [*bad] == [1, 3]
    why = "partition `p`: its folder would have a name of more than 255 bytes"
    assert (bad[1].message, bad[1].code, bad[1].help) == (why, "bad-value", "part by `bucket(n, c)`")


def test_a_long_name_of_a_partition_leaves_less_room() -> None:
    part = by("column", name="p" * 200)
    assert [*folderless_rows(pa.table({"c": ["x" * 54, "x" * 55]}), [part])] == [1]


def test_a_long_text_has_a_bucket() -> None:
    assert folderless_rows(pa.table({"c": ["x" * 1000]}), [by("bucket")]) == {}


def test_a_moment_without_a_date_in_one_zone_is_told_whatever_the_others_say() -> None:
    """Nulls, and the dates of columns without a time, have no zone."""
    table = pa.table({"c": pa.array([None, LAST], UTC_TIME), "d": [date(9999, 12, 31)] * 2})
    parts = [by("date"), by("date", "d", "Asia/Tokyo"), by("date", zone="Asia/Tokyo")]
    bad = folderless_rows(table, parts)
    assert [*bad] == [1]
    why = "partition `p`: in Asia/Tokyo it is no moment of the years 1 to 9999"
    assert (bad[1].message, bad[1].code, bad[1].help) == (why, "bad-value", "part by the date in UTC")


@given(st.integers(-(2**63), 2**63 - 1))
@example(-1)
def test_the_bucket_of_a_number_is_that_of_its_eight_bytes(value: int) -> None:
    """As in Iceberg, whose ints, dates (days) and timestamps (microseconds) are all hashed as longs."""
    assert bucket(value, 1000) == hashed(value.to_bytes(8, "little", signed=True))


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC))
def test_the_bucket_of_a_moment_is_that_of_its_microseconds_and_of_a_day_its_days(moment: datetime) -> None:
    apart = moment - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (apart.days * 86_400 + apart.seconds) * 1_000_000 + apart.microseconds
    assert bucket(moment, 1000) == bucket(moment.replace(tzinfo=None), 1000) == bucket(micros, 1000)
    assert bucket(moment.date(), 1000) == bucket(apart.days, 1000)


@given(st.integers(-(10**38) + 1, 10**38 - 1), st.integers(0, 38))
@example(-128, 0)
@example(-129, 2)
@example(127, 0)
@example(128, 2)
@example(0, 0)
def test_the_bucket_of_a_decimal_is_that_of_the_fewest_bytes_that_hold_it(unscaled: int, scale: int) -> None:
    """Its digits without the point, the highest byte first."""
    size = next(n for n in range(1, 18) if -(1 << 8 * n - 1) <= unscaled < 1 << 8 * n - 1)
    value = Decimal(f"{unscaled}E-{scale}")
    assert bucket(value, 1000) == hashed(unscaled.to_bytes(size, "big", signed=True))


def hashed(data: bytes) -> int:
    """The bucket of these bytes among a thousand."""
    return int(mmh3.hash(data) & 0x7FFFFFFF) % 1000
