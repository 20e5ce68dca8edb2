"""A test that lets a canary be seen fails, whichever way it got out, also where the test itself looked away."""

import tempfile
from pathlib import Path

import pytest

from kit.paths import TESTS
from kit.watch.watched import Watched

MODULE = """
import contextlib, io, logging, os, subprocess, sys
import boto3, click, pytest
from click.testing import CliRunner
from kit.function.runtime import Function
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


ON_PURPOSE = """
@pytest.mark.shows_canaries("why")
def test_on_purpose():
    print("canary-" + "secret-1")
"""


@pytest.mark.fault("S10")
@pytest.mark.shows_canaries("its tests do, to be caught")
def test_each_way_out_is_watched(tmp_path: Path) -> None:
    watched = Watched("canaries")
    text = MODULE + watched.text("def test_{}(capsys, tmp_path):") + ON_PURPOSE
    watched.cases["PASSED"]["on_purpose"] = ""
    (tmp_path / "test_ways.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nlog_level = DEBUG\n")
    with tempfile.TemporaryDirectory() as base:  # what is left here is no file of this test
        options = ("-n2", "--basetemp", f"{base}/base", str(tmp_path))
        lines = watched.run("kit.watch.canaries", *options, cwd=tmp_path, PYTHONPATH=str(TESTS))
    [left] = [line for line in lines if line.startswith("LEAKED")]
    assert "left.txt" in left
