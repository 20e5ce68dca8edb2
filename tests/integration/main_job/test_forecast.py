"""Plan's formulas with the quantities of a run's report give exactly the calls that the servers counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit.shop import SPEC, queue
from kit.tables import table

if TYPE_CHECKING:
    from kit.shop import Shop

TABLE = table(Path(__file__).with_name("forecast.yaml"))
MAIN_JOB = "the main job"
PROOF = Counter(
    {"s3:PutObject": 1}
)  # that the store minds conditions: of each process where an endpoint is set


def _spec(name: str, folder: Path) -> Path:
    """The main job's spec, or a small one, which is written to a folder."""
    if name == MAIN_JOB:
        return SPEC
    case = TABLE["specs"][name]
    sources = {source: TABLE["sources"][source] for source in case["sources"]}
    sink = {"connector": "parquet", "path": case["sink"].replace("OUT", str(folder))}
    parted = {"partition_by": case["partition_by"]} if "table" in case else {}
    sink |= {"table": case["table"]} if "table" in case else {}
    text = json.dumps({**TABLE["small"], "sources": sources, "sink": sink, **parted})
    (folder / "small.yaml").write_text(text, encoding="utf-8")
    return folder / "small.yaml"


def _predicted(shop: Shop, spec: Path, report: Path) -> dict[str, int]:
    ended = shop.command("unused", "plan", str(spec), "--like", str(report), "-o", "json")
    assert ended.returncode == 0, ended.stderr
    calls: dict[str, int] = json.loads(ended.stdout)["forecast"]["calls"]
    return calls


@pytest.fixture
def safe(shop: Shop) -> list[str]:
    """The orders whose id can stand in a path: an id that cannot is a key that nothing is asked for."""
    return sorted(set(shop.keys()).difference(shop.sample.quirks["dotted_id"]))


@pytest.mark.parametrize("name", [MAIN_JOB, *TABLE["specs"]])
def test_the_calls_of_a_run_are_those_of_the_plan(
    shop: Shop, tmp_path: Path, safe: list[str], name: str
) -> None:
    """Run twice, so that files are replaced too: the plan of each report equals what the servers counted."""
    spec = _spec(name, tmp_path)
    if "table" in TABLE["specs"].get(name, {}):
        made = shop.command(f"forecast/{len(name)}", "table", str(spec), "--apply")
        assert made.returncode == 0, made.stderr
    objects = [word for key in safe for word in ("--object", f"s3://shop-raw/{key}")]
    for _ in range(2):
        before = shop.proxy.calls
        ended = shop.command(f"forecast/{len(name)}", "run", str(spec), *objects, "-o", "json")
        calls = shop.proxy.calls - before
        assert ended.returncode == 0, ended.stderr
        (tmp_path / "report.json").write_text(ended.stdout)
        predicted = Counter(_predicted(shop, spec, tmp_path / "report.json"))
        mysql = {
            operation: predicted.pop(operation)
            for operation in [*predicted]
            if operation.startswith("mysql:")
        }
        assert predicted + PROOF == calls
        assert mysql == {n: c for n, c in json.loads(ended.stdout)["calls"].items() if n.startswith("mysql:")}


def test_the_calls_of_an_invocation_are_those_of_the_plan(
    shop: Shop, tmp_path: Path, safe: list[str]
) -> None:
    """The report that the function logs serves as well as that of `plait run`, cold and warm."""
    events: list[Any] = [queue(safe[:10]), queue(safe[10:20])]
    for report, proof in zip(shop.fork("forecast/function", events).reports, (PROOF, Counter()), strict=True):
        (tmp_path / "report.json").write_text(json.dumps(report))
        assert Counter(_predicted(shop, SPEC, tmp_path / "report.json")) + proof == report["calls"]
