"""The main job from its zip: unpacked into an empty folder, run as Lambda runs it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from integration.main_job.packages import environment, packaged, unpacked
from kit.function.runtime import Function
from kit.oracle import oracle, oracle_lake
from kit.paths import ROOT
from kit.shop import SPEC, batches, edited_spec, queue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kit.shop import Shop

MB = 1_000_000


@pytest.fixture
def function(shop: Shop, task: Path, python: str) -> Iterator[Function]:
    """The function, without anything of the project but its package."""
    with Function(environment(shop, task, "packaged"), python=python, cwd=str(task)) as started:
        yield started


def test_the_package_alone_does_the_main_job(shop: Shop, function: Function) -> None:
    """Its lake is what plain Python computes, in an interpreter that has nothing else of the project."""
    for event in batches(shop.keys(), 10):
        outcome = function.invoke(event)
        assert outcome.kind == "answered", outcome.log
        assert outcome.answer == {"batchItemFailures": []}
    lake = oracle_lake.read_files(shop.lake("packaged"))
    assert oracle_lake.compare(oracle.expect(shop.sample), lake) == []


def test_with_a_layer_an_edited_spec_is_a_small_upload_and_does_the_main_job(
    shop: Shop, python: str, tmp_path: Path
) -> None:
    """The layer's bytes stay as they are; Lambda unpacks the function to /var/task and the layer to /opt."""
    first = packaged(SPEC, tmp_path / "first.zip", "--layer")
    spec = edited_spec(tmp_path, {"1h, after: 1h": "2h, after: 2h"})
    edited = packaged(spec, tmp_path / "edited.zip", "--layer")
    assert edited["sha256"] != first["sha256"]
    assert edited["layer"]["sha256"] == first["layer"]["sha256"]
    assert edited["zipped"] < 20_000
    task, opt = unpacked(edited, tmp_path / "task"), unpacked(edited["layer"], tmp_path / "opt")
    paths = {"PYTHONPATH": f"{task}{os.pathsep}{opt / 'python'}"}
    surroundings = {**environment(shop, task, "layered"), **paths}
    with Function(surroundings, python=python, cwd=str(task)) as function:
        for event in batches(shop.keys(), 10):
            outcome = function.invoke(event)
            assert outcome.answer == {"batchItemFailures": []}, outcome.log
    lake = oracle_lake.read_files(shop.lake("layered"))
    assert oracle_lake.compare(oracle.expect(shop.sample), lake) == []


def test_two_builds_are_byte_identical_whenever_and_wherever_they_are_made(
    package: dict[str, Any], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere.yaml"
    copy.write_bytes(SPEC.read_bytes())
    surroundings = {**os.environ, "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "LAKE": "s3://another-lake"}
    again = packaged(copy, tmp_path / "again.zip", cwd=tmp_path, env=surroundings)
    assert (
        again["sha256"] == package["sha256"] == hashlib.sha256(Path(package["file"]).read_bytes()).hexdigest()
    )


def test_the_package_is_small_and_has_nothing_that_a_function_never_opens(
    package: dict[str, Any], task: Path
) -> None:
    """At most 150 MB unzipped; no command line, no tests, no pandas, no path of the machine that made it."""
    assert package["unzipped"] == sum(file.stat().st_size for file in task.rglob("*") if file.is_file())
    assert package["unzipped"] <= 150 * MB
    tops = {file.name for file in task.iterdir()}
    assert not tops & {"boto3", "botocore", "click", "jsonschema", "numpy", "pandas", "rich", "yaml"}
    assert {"plait", "plait_connectors", "pyarrow", "transactions.yaml", "transactions.lock.json"} <= tops
    assert not [*task.rglob("tests")]
    ours = [*task.glob("plait*/**/*"), *task.glob("*.dist-info/*"), task / "transactions.lock.json"]
    assert not [f for f in ours if f.is_file() and str(ROOT).encode() in f.read_bytes()]


def test_every_module_has_byte_code_that_no_timestamp_makes_stale(task: Path) -> None:
    sources = [file for file in task.rglob("*.py") if "pyarrow" not in file.parts]
    compiled = [Path(importlib.util.cache_from_source(str(file))) for file in sources]
    headers = {file.read_bytes()[4:8] for file in compiled}
    assert len(sources) > 100
    assert headers == {(1).to_bytes(4, "little")}, "hash-based, and not compared with the source"


@pytest.mark.parametrize("edited", ["transactions.yaml", "transactions.lock.json"])
def test_a_spec_that_is_not_the_one_packaged_is_refused_in_one_sentence(
    shop: Shop, task: Path, python: str, edited: str, tmp_path: Path
) -> None:
    """Whether somebody changed the spec in the function, or the lock with it: nothing is read."""
    for entry in task.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / edited).unlink()
    text = (task / edited).read_text()
    assert "1h" in text
    (tmp_path / edited).write_text(text.replace("1h", "2h"))
    shop.proxy.reset()
    with Function(environment(shop, tmp_path, "refused"), python=python, cwd=str(tmp_path)) as function:
        outcome = function.invoke(batches(shop.keys(), 10)[0])
    assert outcome.kind == "failed"
    assert outcome.error is not None
    assert outcome.error["errorType"] == "GiveUp"
    assert "transactions.yaml" in outcome.error["errorMessage"]
    assert "Traceback" not in outcome.log
    assert shop.proxy.log == []


PROBE = """
import logging, sys
from plait.aws_lambda import handler as handle
def handler(event, context):
    logging.getLogger("plait.orders").warning("first line\\nsecond \\x1b[31m line")
    return {"answer": handle(event, context), "modules": sorted(sys.modules)}
"""
MOST_OURS = 98
UNUSED = (
    *("boto3", "click", "difflib", "jsonschema", "numpy", "pandas", "pyarrow.compute", "pyarrow.dataset"),
    *("re2", "rich", "s3transfer", "yaml"),
)


@pytest.fixture
def probe(shop: Shop, task: Path, python: str, tmp_path: Path) -> Iterator[Function]:
    """The function behind a handler that logs a record and tells which modules were loaded."""
    (tmp_path / "probe.py").write_text(PROBE)
    paths = {"PYTHONPATH": f"{task}{os.pathsep}{tmp_path}"}
    surroundings = {**environment(shop, task, "probed"), **paths}
    with Function(surroundings, handler="probe.handler", python=python, cwd=str(task)) as started:
        yield started


def test_a_start_loads_nothing_that_one_order_does_not_use(shop: Shop, probe: Function) -> None:
    """What a cold start costs is what it loads: no boto3 around botocore, no compute kernels, no YAML."""
    good = min(oracle.expect(shop.sample).rows)
    outcome = probe.invoke(queue([good]))
    assert outcome.answer["answer"] == {"batchItemFailures": []}
    loaded = set(outcome.answer["modules"])
    ours = [name for name in loaded if name.startswith("plait")]
    assert len(ours) <= MOST_OURS, sorted(ours)
    assert loaded >= {"botocore.session", "obstore", "pyarrow.parquet", "pymysql"}
    assert loaded & {*UNUSED} == set()


def test_each_line_of_the_log_is_one_json_document(shop: Shop, probe: Function) -> None:
    """The report, the metrics, and whatever is logged, with line breaks and control characters as escapes."""
    outcome = probe.invoke(queue(shop.keys()[:3]))
    lines = outcome.log.split("\n")
    assert lines.pop() == ""
    documents = [json.loads(line) for line in lines]
    assert all(line.isprintable() for line in lines)
    messages = [document.get("message") for document in documents]
    assert "first line\nsecond \x1b[31m line" in messages
    report, metrics = (documents[messages.index(word)] for word in ("report", "metrics"))
    assert metrics["Pipeline"] == report["pipeline"] == "transactions"
    assert sum(metrics[f"Objects{word}"] for word in ("Done", "Skipped")) == 3


def test_a_warm_order_takes_three_dependent_round_trips(shop: Shop, task: Path, python: str) -> None:
    """GET, all look-ups side by side, PUT: each look-up is answered only when all of them were asked."""
    first, second = sorted(oracle.expect(shop.sample).rows)[:2]
    together = threading.Barrier(3)
    lookups = {"s3:GetObject": "items/", "dynamodb:BatchGetItem": "", "logs:FilterLogEvents": ""}

    def wait() -> None:
        together.wait(20)

    with Function(environment(shop, task, "warm"), python=python, cwd=str(task)) as function:
        assert function.invoke(queue([first])).kind == "answered"
        shop.proxy.reset()
        for name, path in lookups.items():
            shop.proxy.on(1, "before", wait, operation=name, path=path)
        outcome = function.invoke(queue([second]))
    operations = [request.operation for request in shop.proxy.log]
    shop.proxy.reset()
    assert outcome.answer == {"batchItemFailures": []}
    assert not together.broken
    assert (operations[0], sorted(operations[1:-1]), operations[-1]) == (
        "s3:GetObject",
        sorted(lookups),
        "s3:PutObject",
    )
