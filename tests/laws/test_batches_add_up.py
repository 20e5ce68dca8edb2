"""The report of a backfill is that of one run, however the objects are cut into batches, here or by events of the function."""

from __future__ import annotations

import json
import tempfile
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plait
from kit.documents import examples
from kit.locked import lock
from kit.run import put
from plait.aws_lambda import function, handler
from plait.backfill.backfill import Backfill
from plait.backfill.step_functions import event_of
from plait.engine.absence import CODES
from plait.plugin import Window

SPEC = """
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: in/*.json
    records: lines
    max_bytes: 200
    only: {kind: [a, b]}
    columns: {id: string, n: int, kind: {type: string, default: a}, other: {type: string, required: true}}
  items:
    connector: csv
    path: items/{id}.csv
    join: {on: id, missing: drop, as: rows}
    columns: {sku: string, q: {type: int, default: 7}}
partition_by: {n: n}
sink: {connector: parquet, path: OUT/}
"""
NO_SUMS = {*CODES, "batches-left"}  # what is told once, of the whole
records = st.fixed_dictionaries(
    {"id": st.sampled_from(["o1", "o2", "o3", 7]), "other": st.sampled_from(["x", "x", None])},
    optional={
        "n": st.sampled_from([1, 2, None, "bad"]),
        "kind": st.sampled_from(["a", "b", "c"]),
        "more": st.just("x" * 200),
    },
)
texts = st.lists(st.one_of(records.map(json.dumps), records.map(json.dumps), st.just("{")), max_size=4)


def numbers(report: plait.Report) -> dict[str, Any]:
    """What adds up; of look-ups the rows, since each batch asks for its own keys."""
    by_code = {code: count for code, count in report.problems_by_code.items() if code not in NO_SUMS}
    document = report.as_json()
    words = ("objects", "records", "rows", "file_count", "file_bytes")
    counts = {word: document[word] for word in words}
    rows = {word: count for word, count in document["lookups"]["items"].items() if word.startswith("rows")}
    return {**counts, **rows, **document["sources"]["orders"], **by_code}


def tree(folder: str) -> dict[str, bytes]:
    """What lies in the sink."""
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@examples(0.2)
@given(st.lists(texts, min_size=1, max_size=8), st.integers(1, 9), st.booleans())
def test_batches_add_up_to_one_run(objects: list[list[str]], size: int, sets_aside: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, chdir(folder), pytest.MonkeyPatch.context() as patch:
        for number, lines in enumerate(objects):
            put(Path(f"in/{number}.json"), "\n".join(lines))
        put(Path("items/o1.csv"), "id,sku,q\no1,a,1\no1,b,\n")
        put(Path("items/o2.csv"), "id,sku,q\no2,a,x\n")
        pipelines = {}
        for lake in ("whole", "here", "function"):
            quarantine = f"quarantine: {lake}-bad/\n" if sets_aside else ""
            Path(f"{lake}.yaml").write_text(SPEC.replace("OUT", lake) + quarantine)
            pipelines[lake] = plait.load(f"{lake}.yaml")
        reports = {"whole": pipelines["whole"].run()}
        for lake in ("here", "function"):
            backfill = Backfill(pipelines[lake], Window())
            backfill.plan(size)
            if lake == "here":
                assert [outcome.failure for outcome in backfill.run() if outcome.failure] == []
            else:
                lock(Path("function.yaml"))
                patch.setenv("PLAIT_SPEC", "function.yaml")
                function._engines.clear()
                for number in backfill.state.open_numbers():
                    with redirect_stdout(StringIO()):
                        handler(json.loads(json.dumps(event_of(backfill.state, number))))
            reports[lake] = backfill.report()
        whole = numbers(reports["whole"])
        assert [numbers(report) for report in reports.values()] == [whole] * 3
        assert tree("here") == tree("function") == tree("whole")
        bad = [sorted(file.name for file in Path(f"{lake}-bad").rglob("*.jsonl")) for lake in reports]
        assert bad == bad[:1] * 3
