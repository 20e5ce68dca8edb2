"""Run a pipeline of JSON and look-ups in a folder, and read what it left there."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plait.engine.report import Report


@dataclass(frozen=True)
class Lake:
    """What all runs in a folder left, and the report of the last."""

    folder: Path
    report: Report
    pipeline: Pipeline

    def files(self) -> list[Path]:
        """The files of the sink, by their names."""
        return sorted((self.folder / "out").rglob("*.parquet"))

    def rows(self) -> list[dict[str, Any]]:
        """All rows that were written, by their files' names."""
        return rows_in(self.folder / "out")


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """All rows of the Parquet files in a folder and below, by the files' names."""
    return [row for file in sorted(folder.rglob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def records_in(folder: Path) -> list[dict[str, Any]]:
    """All records in a folder of quarantine, by their files' names."""
    return [json.loads(file.read_bytes()) for file in sorted(folder.rglob("*.json"))]


def put(file: Path, body: Any, modified: datetime | None = None) -> str:
    """Put a file, below a folder that may be new, and return its URI; a mapping is put as JSON, bytes and text as is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = body if isinstance(body, (bytes, str)) else json.dumps(body)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if modified:
        os.utime(file, (modified.timestamp(), modified.timestamp()))
    return str(file)


def run(folder: Path, objects: list[dict[str, Any]], sources: dict[str, Any], **blocks: Any) -> Lake:
    """Put each object as a file, which the first source reads unless it says otherwise, and run over all.

    The sink is `out/` in the folder; `blocks` are further keys of the spec.
    """
    for n, fields in enumerate(objects):
        (folder / f"object{n}.json").write_text(json.dumps(fields), encoding="utf-8")
    driver, *_ = sources
    from_files = {"connector": "json", "path": f"{folder}/object*.json"}
    sources = {**sources, driver: from_files | sources[driver]}
    spec = {"plait": 1, "name": "s", "sources": sources, **blocks}
    spec["sink"] = {"connector": "parquet", "path": f"{folder}/out/"}
    pipeline = Pipeline.load("s.yaml", {}, json.dumps(spec).encode())
    return Lake(folder, pipeline.run(), pipeline)
