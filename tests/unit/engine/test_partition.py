"""Partition folders are functions of the row alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plait
from plait.engine import partition
from plait.engine.partition import FORMATS, beyond, bucket, encode, folders
from plait.language.spec import Partition

MOMENT = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)


def folder(value: Any, kind: pa.DataType, partition: Partition) -> str:
    """The folder of one value."""
    return folders(pa.table({"c": pa.array([value], type=kind)}), [partition])[0]


@pytest.mark.parametrize(
    ("function", "zone", "expected"),
    [
        ("date", "UTC", "p=2026-06-30/"),
        ("date", "Europe/Madrid", "p=2026-07-01/"),
        ("month", "Europe/Madrid", "p=2026-07/"),
        ("hour", "UTC", "p=2026-06-30-22/"),
        ("hour", "Asia/Kolkata", "p=2026-07-01-04/"),
    ],
)
def test_a_time_falls_into_the_day_of_its_zone(function: Any, zone: str, expected: str) -> None:
    """`date`, `month` and `hour` are those of the zone that the spec names."""
    part = Partition(name="p", function=function, column="c", zone=zone)
    assert folder(MOMENT, pa.timestamp("us", tz="UTC"), part) == expected


def test_a_null_goes_to_the_default_partition() -> None:
    """A row without a partition value is kept where Hive looks for it."""
    part = Partition(name="p", function="date", column="c")
    assert folder(None, pa.timestamp("us", tz="UTC"), part) == "p=__HIVE_DEFAULT_PARTITION__/"


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


@pytest.mark.fault("P11")
@given(st.text(min_size=1).filter(lambda t: t.isprintable() or "\n" in t))
def test_a_partition_value_stays_one_segment_and_reads_back(text: str) -> None:
    """No value leaves the sink's path, and decoding gives the value again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    encoded = encode(text)
    assert "/" not in encoded
    assert encoded not in (".", "..")
    assert "=" not in encoded
    assert unquote(encoded) == text


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
    st.sampled_from(["date", "month", "hour", "bucket", "column"]),
    st.sampled_from(ZONES),
)
def test_the_folder_of_a_moment_does_not_depend_on_the_other_rows(
    values: list[Any], function: Any, zone: str
) -> None:
    """Many rows are placed by the hour where that is enough, each as it is alone."""
    part = Partition(name="p", function=function, column="c", zone=zone, buckets=7)
    kind = pa.timestamp("us", tz="UTC")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "MANY", 0)
        together = folders(pa.table({"c": pa.array(values, kind)}), [part])
    assert together == [folder(value, kind, part) for value in values]


@given(
    st.datetimes(max_value=datetime(1, 1, 3)) | st.datetimes(min_value=datetime(9999, 12, 29)),
    st.sampled_from(["date", "month", "hour", "bucket", "column"]),
    st.timezones().map(str),
    st.booleans(),
)
def test_a_moment_at_the_edge_of_time_has_a_folder_or_is_a_bad_record(
    moment: datetime, function: Any, zone: str, many: bool
) -> None:
    """In the years 1 and 9999: where a zone's clock has the moment, its folder; else it is told before there is one."""
    part = Partition(name="p", function=function, column="c", zone=zone, buckets=7)
    table = pa.table({"c": pa.array([moment], pa.timestamp("us", tz="UTC"))})
    try:
        moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    except OverflowError:
        assert [*beyond(table, [part])] == ([0] if function in FORMATS else [])
    else:
        assert beyond(table, [part]) == {}
    if not beyond(table, [part]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(partition, "MANY", 0 if many else 64)
            assert folders(table, [part])[0].startswith("p=")


def test_a_moment_beyond_the_years_of_its_zone_is_one_bad_record(tmp_path: Path) -> None:
    """The last second of the year 9999 in UTC has no date in Madrid; its neighbour has, and is written."""
    spec = tmp_path / "late.yaml"
    rows = '[{id: a, at: "9999-12-31T23:59:59Z"}, {id: b, at: "2026-07-01T23:30:00Z"}]'
    spec.write_text(
        "plait: 1\nname: late\nsources:\n"
        f"  orders: {{connector: memory, rows: {rows}, columns: {{id: string, at: timestamp}}}}\n"
        f"partition_by: {{day: 'date(at, Europe/Madrid)'}}\nsink: {{connector: parquet, path: {tmp_path}/lake/}}\n"
        f"quarantine: {tmp_path}/bad/\n",
        encoding="utf-8",
    )
    report = plait.load(str(spec)).run()
    assert (report.records.written, report.records.quarantined) == (1, 1)
    assert [file.partition for file in report.files] == ["day=2026-07-02/"]
