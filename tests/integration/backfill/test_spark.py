"""A backfill on Spark 3.5: executors that have Spark alone, and the package, do what a run on this machine does."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from integration.main_job.packages import packaged
from kit.function.bare import bare_python
from kit.shop import SPEC
from kit.watch.canaries import look

if TYPE_CHECKING:
    from collections.abc import Callable

    from kit.shop import Shop

BATCHES = 4


class Backfill(NamedTuple):
    """What the command said before Spark ran the plan, what Spark's driver said, and what the command said then."""

    planned: dict[str, Any]
    driver: dict[str, Any]
    report: dict[str, Any]
    exit_code: int


@pytest.fixture(scope="module")
def submit(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Run the first of printed commands where nothing but Spark and the package is, and read the driver's report."""
    folder = tmp_path_factory.mktemp("spark")
    packaged(SPEC, folder / "transactions-spark.zip", "--for", "spark")
    python = bare_python(folder / "python", ("pyspark",))
    (home,) = (folder / "python").glob("lib/python3*/site-packages/pyspark")
    environment = {
        **shop.sandbox.environment(),
        "AWS_ENDPOINT_URL": shop.proxy.endpoint,
        "PATH": f"{home}/bin:/usr/local/bin:/usr/bin:/bin",
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(folder),
    }

    def submit(commands: str) -> dict[str, Any]:
        command = commands.splitlines()[1].replace("local[*,3]", "local[2,3]").replace("python3.11", python)
        ended = subprocess.run(
            ["env", *shlex.split(command)],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        look("what Spark said", ended.stdout, ended.stderr)
        assert ended.returncode == 0, ended.stderr[-3000:]
        report: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return report

    return submit


def backfill(shop: Shop, lake: str, *options: str) -> subprocess.CompletedProcess[str]:
    size = -(-len(shop.keys()) // BATCHES)
    return shop.command(lake, "backfill", str(SPEC), "--all", "--batch", str(size), "-o", "json", *options)


@pytest.fixture(scope="module")
def on_spark(shop: Shop, submit: Callable[[str], dict[str, Any]]) -> Backfill:
    planned = backfill(shop, "on-spark", "--on", "spark")
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    driver = submit(plan["commands"])
    ended = backfill(shop, "on-spark", "--on", "spark")
    return Backfill(plan, driver, json.loads(ended.stdout), ended.returncode)


@pytest.mark.fault("S16")
def test_spark_writes_the_files_and_counts_what_this_machine_does(shop: Shop, on_spark: Backfill) -> None:
    """Orders, items, activity, stores, fraud scores and quarantine; the same bytes, since the package has the same pyarrow."""
    here = backfill(shop, "here")
    local = json.loads(here.stdout)
    for kind in ("extracted", "quarantine"):
        assert shop.lake("on-spark", kind) == shop.lake("here", kind)
    assert shop.lake("on-spark")
    for report in (local, on_spark.driver, on_spark.report):
        for name in ("seconds", "state", "calls"):
            del report[name]
        for lookup in report["lookups"].values():
            for name in (
                "calls",
                "fetches",
                "cached",
                "cached_seconds",
            ):  # each process has a cache of its own
                del lookup[name]
    assert on_spark.driver == on_spark.report
    assert on_spark.report == local
    assert (on_spark.exit_code, here.returncode) == (0, 0)


def test_the_command_that_only_plans_says_what_is_left(on_spark: Backfill) -> None:
    assert on_spark.planned["batches_left"] == BATCHES
    assert on_spark.planned["objects"]["seen"] == 0
    assert on_spark.report["batches_left"] == 0
    assert "commands" not in on_spark.report
