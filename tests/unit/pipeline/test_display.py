"""A pipeline, its plan, reports and previews show themselves in Python and in notebooks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [{"id": "1", "note": "<b>&\x1b[31m"}, {"id": "2", "note": None}, {"id": "no-number", "note": "x"}]
PIPELINE = """\
orders

o      json
names  memory on id
sink   parquet"""
PLAN = """\
orders

o      json
names  memory on id
sink   parquet
files  FOLDER/lake/id=<id>/<hash>.parquet

column  type    nullable  origin
note    string  yes       o.note
name    string  yes       names.name
id      int     yes       id"""


@pytest.fixture
def orders(tmp_path: Path) -> Pipeline:
    for number, row in enumerate(ROWS):
        (tmp_path / f"{number}.json").write_text(json.dumps(row))
    driver = {"connector": "json", "path": f"{tmp_path}/*.json", "columns": {"id": "int", "note": "string"}}
    names = {
        "connector": "memory",
        "rows": [{"id": 1, "name": "Ana"}],
        "join": {"on": "id"},
        "columns": {"name": "string"},
    }
    spec = {
        "plait": 1,
        "name": "orders",
        "sources": {"o": driver, "names": names},
        "partition_by": {"id": "id"},
    }
    spec["sink"] = {"connector": "parquet", "path": f"{tmp_path}/lake/"}
    return Pipeline.load("orders.yaml", {}, json.dumps(spec).encode())


def test_a_pipeline_and_its_plan_show_sources_targets_and_columns(orders: Pipeline, tmp_path: Path) -> None:
    assert repr(orders) == PIPELINE
    assert repr(orders.plan()) == PLAN.replace("FOLDER", str(tmp_path))
    html = orders.plan()._repr_html_()
    assert html.startswith("<p><b>orders</b></p><table><tr><td style='text-align: left'>o</td>")
    assert "<th style='text-align: left'>nullable</th>" in html
    assert "id=&lt;id&gt;/&lt;hash&gt;.parquet" in html


def test_a_report_shows_its_numbers_and_problems_without_values(orders: Pipeline) -> None:
    report = orders.run()
    report.samples[report.problems[0]] = "value-of-a-sample"
    for text in (repr(report), report._repr_html_()):
        assert "3 seen, 2 done, 1 failed" in text
        assert "bad-value" in text
        assert "value-of-a-sample" not in text


def test_a_preview_shows_its_rows_escaped(orders: Pipeline) -> None:
    with pytest.warns(UserWarning, match="bad-value"):
        preview = orders.preview()
    frame = preview.to_pandas()
    assert (frame.shape, str(frame.dtypes["id"])) == ((2, 3), "int32[pyarrow]")
    assert preview.to_pylist() == preview.table.to_pylist()
    html = preview._repr_html_()
    assert "&lt;b&gt;&amp;\\x1b[31m" in html
    assert "<b>&" not in html
    assert "null" in html
    assert "3 seen" in repr(preview)
    assert "rows     2\n" in repr(preview)
