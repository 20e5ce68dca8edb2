"""The commands that start a backfill on Spark, on this machine, on EMR Serverless or on Glue, and from where they are.

EMR: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/using-python-libraries.html; Python 3.11 beside 3.9 and Spark 3.5
of release 7.13: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-7130-release.html. Glue 5.1 has Spark 3.5 and Python 3.11:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html and https://github.com/awslabs/aws-glue-libs.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCAL = (
    "local[*,3]"  # a batch whose process died is tried again, as Spark does on a cluster alone unless told
)
EMR_PYTHON = "/usr/bin/python3.11"
EXECUTORS, CORES = 4, 4  # a worker of EMR's default size, and Glue's G.1X
EXECUTORS_CONF = {"spark.executor.instances": EXECUTORS, "spark.executor.cores": CORES}
EMR_CONF = {
    "spark.dynamicAllocation.enabled": "false",
    **EXECUTORS_CONF,
    "spark.executor.memory": "4g",
    "spark.executor.memoryOverhead": "8g",  # Python's, where the work is done
    "spark.pyspark.python": EMR_PYTHON,
    "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": EMR_PYTHON,
    "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": EMR_PYTHON,
    "spark.executorEnv.PYSPARK_PYTHON": EMR_PYTHON,
}


def spark_commands(name: str, state: str, max_rate: str = "", region: str | None = None) -> str:
    """The commands for a pipeline of this name and the state of its plan."""
    archive, main = f"{name}-spark.zip", f"{name}-spark.py"
    bucket = "s3://BUCKET"
    possible = {"--state": state, "--max-rate": max_rate, "--aws-region": region}
    options = {option: value for option, value in possible.items() if value}
    words = [word for option in options.items() for word in option]
    local = ["spark-submit", "--master", LOCAL, "--py-files", archive, main, *words]
    here = f"# this machine, with Spark 3.5 and Java 17\nPYSPARK_PYTHON=python3.11 {shlex.join(local)}"
    if not on_s3(state):
        return here
    submit = {
        "entryPoint": f"{bucket}/{main}",
        "entryPointArguments": words,
        "sparkSubmitParameters": _conf({"spark.submit.pyFiles": f"{bucket}/{archive}", **EMR_CONF}),
    }
    emr = [
        "aws",
        "emr-serverless",
        "start-job-run",
        "--application-id",
        "APPLICATION",
        "--execution-role-arn",
        "ROLE",
    ]
    job = {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": f"{bucket}/{main}"}
    arguments = {
        "--extra-py-files": f"{bucket}/{archive}",
        "--conf": _conf(EXECUTORS_CONF).removeprefix("--conf "),
    }
    glue = ["aws", "glue", "create-job", "--name", name, "--role", "ROLE", "--glue-version", "5.1"]
    glue += ["--worker-type", "G.1X", "--number-of-workers", str(EXECUTORS + 1)]
    glue += ["--command", json.dumps(job), "--default-arguments", json.dumps(arguments)]
    start = ["aws", "glue", "start-job-run", "--job-name", name, "--arguments", json.dumps(options)]
    return "\n\n".join(
        [
            here,
            f"# Amazon EMR Serverless, release 7.13\n{shlex.join([*emr, '--job-driver', json.dumps({'sparkSubmit': submit})])}",
            f"# AWS Glue 5.1: the job, which is made once, and a run of it\n{shlex.join(glue)}\n{shlex.join(start)}",
        ]
    )


def _conf(settings: Mapping[str, object]) -> str:
    return " ".join(f"--conf {name}={value}" for name, value in settings.items())
