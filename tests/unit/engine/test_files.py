"""Rows become one file for each driving object and partition, each in the order of its rows."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from plait.engine.partition import file_name, split_into_files
from plait.engine.rows import Rows
from plait.language.forms import Partition
from plait.plugin import Item


def test_rows_that_alternate_between_partitions_and_objects_stay_in_order() -> None:
    items = [Item(uri="s3://shop/a"), Item(uri="s3://shop/b")]
    rows = Rows(pa.table({"n": [0, 1, 2, 3, 4], "p": ["x", "y", "x", "y", "x"]}), [0, 0, 0, 0, 1])
    files = split_into_files(rows, items, [Partition(name="p", column="p", function="column")])
    assert [(file.folder, file.name, file.table.to_pylist()) for file in files] == [
        ("p=x/", file_name("s3://shop/a"), [{"n": 0}, {"n": 2}]),
        ("p=y/", file_name("s3://shop/a"), [{"n": 1}, {"n": 3}]),
        ("p=x/", file_name("s3://shop/b"), [{"n": 4}]),
    ]


def test_a_day_that_has_no_time_is_in_the_folder_of_its_day_whatever_the_zone() -> None:
    rows = Rows(pa.table({"n": [0], "on": [date(2026, 7, 1)]}), [0])
    parts = [
        Partition(name="day", function="date", column="on", zone="America/Lima"),
        Partition(name="month", function="month", column="on"),
    ]
    (only,) = split_into_files(rows, [Item(uri="s3://shop/a")], parts)
    assert only.folder == "day=2026-07-01/month=2026-07/"
