"""A backfill on Spark: what is read off Spark's settings, and the commands that start it."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

import pytest
from botocore import xform_name
from botocore.session import get_session
from botocore.validate import ParamValidator

from plait.backfill.spark import rates_of, tasks_at_once
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
    local, emr, job, run = (shlex.split(line) for line in commands.splitlines() if line and line[0] != "#")
    assert local[-len(words) :] == words
    submit = json.loads(emr[-1])["sparkSubmit"]
    assert submit["entryPointArguments"] == words
    assert "--conf spark.executorEnv.PYSPARK_PYTHON=/usr/bin/python3.11" in submit["sparkSubmitParameters"]
    assert json.loads(job[-1])["--extra-py-files"] == "s3://BUCKET/orders-spark.zip"
    arguments: dict[str, Any] = json.loads(run[-1])
    assert [word for option in arguments.items() for word in option] == words


def test_aws_takes_the_parameters_of_its_commands() -> None:
    """By the service's own model; the command line makes the token of a start itself."""
    commands = spark_commands("orders", STATE, "s3=1", "eu-west-1").replace(
        "ROLE", "arn:aws:iam::1:role/history"
    )
    for _, service, operation, *words in (
        shlex.split(line) for line in commands.splitlines() if line.startswith("aws ")
    ):
        model = get_session().get_service_model(service)
        (name,) = (name for name in model.operation_names if xform_name(name, "-") == operation)
        shape: Any = model.operation_model(name).input_shape
        names = {f"--{xform_name(member, '-')}": member for member in shape.members}
        values = {names[option]: value for option, value in zip(words[::2], words[1::2], strict=True)}
        parsed = {
            member: value if shape.members[member].type_name == "string" else json.loads(value)
            for member, value in values.items()
        }
        token = {
            member: "token" for member, of in shape.members.items() if of.metadata.get("idempotencyToken")
        }
        assert ParamValidator().validate({**token, **parsed}, shape).generate_report() == ""


def test_a_job_of_glue_is_made_once_and_runs_any_plan() -> None:
    one, another = (spark_commands("orders", f"{STATE}{end}").splitlines() for end in "cd")
    assert [("create-job" in line, line in another) for line in one if line.startswith("aws glue")] == [
        (True, True),
        (False, False),
    ]


def test_a_plan_in_a_folder_runs_on_this_machine_alone() -> None:
    commands = [*filter(None, spark_commands("orders", "out._plait/backfill/ab12").splitlines())]
    assert len(commands) == 2
    assert "spark-submit" in commands[1]


@pytest.mark.parametrize("text", ["s3", "s3=abc", "s3=0", "s3=-1", "s3=nan", "s3=5,logs", "s3=5 logs=3"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(GiveUp, match="is no rate"):
        rates_of(text)
    assert rates_of("") == {}
    assert rates_of("s3=1000,logs=0.5") == {"s3": 1000, "logs": 0.5}


def test_a_command_without_rate_or_region_does_not_name_them() -> None:
    commands = spark_commands("orders", STATE)
    assert "--max-rate" not in commands
    assert "--aws-region" not in commands
