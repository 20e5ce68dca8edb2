"""Every pipeline that we ship writes files of the schema that its plan promised."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import plait
from kit.oracle.lake_schema import differences
from kit.paths import ROOT

if TYPE_CHECKING:
    from kit.shop import Shop

SPECS = sorted(p for p in (ROOT / "pipelines").glob("*.yaml") if not p.name.endswith(".test.yaml"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_each_file_has_the_schema_of_the_plan(shop: Shop, spec: Path) -> None:
    """Field by field, nullability included, file by file."""
    lake = f"schema-{spec.stem}"
    done = shop.command(lake, "run", str(spec), "--all")
    written = [data for key, data in shop.below(f"{lake}/").items() if key.endswith(".parquet")]
    assert written, done.stderr
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.parquet") for number in range(len(written))]
        for file, data in zip(files, written, strict=True):
            file.write_bytes(data)
        assert differences(plait.load(str(spec)).plan(), files) == []
