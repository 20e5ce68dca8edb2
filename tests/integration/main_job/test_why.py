"""What `plait why` tells of the main job's orders is what the rows of a run are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kit.paths import ROOT
from kit.shop import SPEC
from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from kit.oracle import oracle
    from kit.shop import Shop


@pytest.fixture
def pipeline(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    for name, value in shop.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)
    return Pipeline.load(str(SPEC), {})


def test_every_cell_of_every_order_is_told_and_a_cell_without_a_value_has_its_cause(
    pipeline: Pipeline, expected: oracle.Expected
) -> None:
    causes = set[str | None]()
    for key in sorted({*expected.rows, *expected.quarantined, *expected.skipped}):
        told = pipeline.why(f"s3://shop-raw/{key}")
        assert "canary-secret" not in repr(told)
        if key not in expected.rows:
            outcomes = ["quarantined"] if key in expected.quarantined else []
            assert [row.outcome for row in told.rows] == outcomes, key
            continue
        [row] = told.rows
        [previewed] = pipeline.preview([f"s3://shop-raw/{key}"]).to_pylist()
        assert {cell.column: cell.value for cell in row.cells if "[" not in cell.column} == previewed
        for cell in row.cells:
            assert (cell.value in (None, []) or cell.default) == (cell.cause is not None), cell
            causes.add(cell.cause)
    assert causes == {
        None,
        "null-in-source",
        "absent",
        "no-match",
        "missing-object",
        "outside-window",
        "null-key",
    }
