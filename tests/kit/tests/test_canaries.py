"""A test that lets a canary be seen fails, whichever way it got out, also where the test itself looked away."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kit.paths import TESTS

WAYS = {
    "print": 'print("canary-" + "secret-1")',
    "stderr": 'import sys; print("canary-" + "payload-1", file=sys.stderr)',
    "log": 'logging.getLogger("any").debug("canary-" + "secret-1")',
    "failure": 'raise ValueError("canary-" + "secret-1")',
    "capsys": 'print("canary-" + "secret-1"); capsys.readouterr()',
    "stdout_of_a_process": "run(\"import sys; print(chr(99) + 'anary-secret-1')\")",
    "stderr_of_a_process": 'run("import sys; print(chr(99) + \'anary-payload-1\', file=sys.stderr)", "preview")',
    "payload_of_a_process": "run(\"import sys; print(chr(99) + 'anary-payload-1')\")",
    "command": 'CliRunner().invoke(says, ["canary-" + "secret-1"])',
    "error_of_a_command": 'CliRunner().invoke(fails, ["canary-" + "secret-1"])',
    "payload_of_a_command": 'CliRunner().invoke(says, ["canary-" + "payload-1"])',
    "redirected": """
    with contextlib.redirect_stdout(io.StringIO()):
        print("canary-" + "payload-1")""",
    "forked": 'forked({"PLAIT_SPEC": "canary-" + "secret-1"}, [{}], lambda _: None)',
    "runtime": """
    with Function(dict(os.environ), handler="canary-" + "secret-1.x") as function:
        function.invoke({})""",
    "bucket": """
    with start_aws() as aws:
        put(aws, "canary-" + "secret-1")""",
}
CALM = {
    "nothing": "pass",
    "payload_of_a_preview": 'run("import sys; print(chr(99) + \'anary-payload-1\')", "preview")',
    "payload_in_a_bucket": """
    with start_aws() as aws:
        put(aws, "canary-" + "payload-1")""",
    "file": '(tmp_path / "left.txt").write_text("canary-" + "secret-1")',
}
MODULE = """
import contextlib, io, logging, os, subprocess, sys
import boto3, click, pytest
from click.testing import CliRunner
from kit.runtime import Function
from kit.shop import forked
from plait_sandbox.aws import start_aws

def run(code, *arguments):
    subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)

@click.command()
@click.argument("word")
def says(word):
    print(word)

@click.command()
@click.argument("word")
def fails(word):
    raise ValueError(word)

def put(aws, text):
    client = boto3.client("s3", endpoint_url=aws.endpoint, region_name="us-east-1",
                          aws_access_key_id="x", aws_secret_access_key="x")
    client.create_bucket(Bucket="any")
    client.put_object(Bucket="any", Key="any", Body=text.encode())
    client.close()
"""


@pytest.mark.fault("S10")
@pytest.mark.shows_canaries("its tests do, to be caught")
def test_each_way_out_is_watched(tmp_path: Path) -> None:
    cases = [f"def test_{name}(capsys, tmp_path):\n    {code}\n" for name, code in (WAYS | CALM).items()]
    marked = '@pytest.mark.shows_canaries("why")\ndef test_on_purpose():\n    print("canary-" + "secret-1")\n'
    (tmp_path / "test_ways.py").write_text("\n".join([MODULE, *cases, marked]))
    (tmp_path / "pytest.ini").write_text("[pytest]\nlog_level = DEBUG\n")
    plugins = ("kit.canaries", "kit.workers", "no:cacheprovider")
    options = [option for plugin in plugins for option in ("-p", plugin)]
    command = [sys.executable, "-m", "pytest", "-q", "-n2", *options, str(tmp_path)]
    with tempfile.TemporaryDirectory() as base:  # what is left here is no file of this test
        done = subprocess.run(
            [*command, "-rA", "--basetemp", f"{base}/base"],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
    told = done.stdout.splitlines()
    assert done.returncode == 1, done.stdout + done.stderr
    for outcome, names in (("FAILED", WAYS), ("PASSED", {**CALM, "on_purpose": ""})):
        found = {line.split("::test_")[1].split(" ")[0] for line in told if line.startswith(f"{outcome} ")}
        assert found == {*names}, done.stdout
    [left] = [line for line in told if line.startswith("LEAKED")]
    assert "left.txt" in left
