"""A backfill on Spark: what is read off Spark's settings, and the commands that start it."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

import pytest

from plait.backfill.spark import tasks_at_once
from plait.backfill.spark_commands import spark_commands
from plait.plugin import GiveUp

STATE = "s3://lake/orders._plait/backfill/ab12"


class Context(NamedTuple):
    """As much of Spark's context as says how many tasks run at once."""

    settings: dict[str, str]
    master: str = "yarn"
    defaultParallelism: int = 3  # noqa: N815 - Spark's name

    def getConf(self) -> dict[str, str]:  # noqa: N802 - Spark's name
        return self.settings


CORES = {"spark.executor.cores": "4"}
DYNAMIC = {"spark.dynamicAllocation.enabled": "true", **CORES}


@pytest.mark.parametrize(
    ("context", "tasks"),
    [
        (Context({}, "local[3]"), 3),
        (Context({"spark.executor.instances": "5", **CORES}), 20),
        (Context({"spark.executor.instances": "5", "spark.task.cpus": "2", **CORES}), 10),
        (
            Context(
                {"spark.dynamicAllocation.maxExecutors": "7", "spark.executor.instances": "1", **DYNAMIC}
            ),
            28,
        ),
    ],
)
def test_a_rate_is_divided_by_the_tasks_that_all_executors_run_at_once(context: Context, tasks: int) -> None:
    assert tasks_at_once(context) == tasks


@pytest.mark.parametrize(
    ("settings", "help"),
    [
        ({}, "spark.executor.instances"),
        ({"spark.executor.instances": "5"}, "spark.executor.cores"),
        (DYNAMIC, "spark.dynamicAllocation.maxExecutors"),
        (
            {"spark.dynamicAllocation.maxExecutors": "infinity", **DYNAMIC},
            "spark.dynamicAllocation.maxExecutors",
        ),
    ],
)
def test_a_rate_is_refused_where_nothing_limits_the_executors(settings: dict[str, str], help: str) -> None:
    with pytest.raises(GiveUp, match="nothing says how many") as refused:
        tasks_at_once(Context(settings))
    assert help in str(refused.value.help)


def test_the_commands_give_state_rate_and_region_to_each_way_of_running_spark() -> None:
    commands = spark_commands("orders", STATE, "s3=100,logs=2", "eu-west-1")
    words = ["--state", STATE, "--max-rate", "s3=100,logs=2", "--aws-region", "eu-west-1"]
    local, emr, glue, _ = (shlex.split(line) for line in commands.splitlines() if line and line[0] != "#")
    assert local[-len(words) :] == words
    job = json.loads(emr[-1])["sparkSubmit"]
    assert job["entryPointArguments"] == words
    assert "--conf spark.executorEnv.PYSPARK_PYTHON=/usr/bin/python3.11" in job["sparkSubmitParameters"]
    arguments: dict[str, Any] = json.loads(glue[-1])
    assert [word for name in words[::2] for word in (name, arguments[name])] == words
    assert arguments["--extra-py-files"] == "s3://BUCKET/orders-spark.zip"


def test_a_command_without_rate_or_region_does_not_name_them() -> None:
    commands = spark_commands("orders", STATE)
    assert "--max-rate" not in commands
    assert "--aws-region" not in commands
