"""The template of a spec: CloudFormation accepts it, and its rule lets through what the pipeline reads."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

import plait
from kit.paths import ROOT
from plait.cli.main import main
from plait.deploy.stack import driver_path
from plait.language.validate import validate_for_run
from plait.plan.lake_table import table_input

SPEC = ROOT / "pipelines" / "transactions.yaml"
DIRECT = "deploy: {trigger: direct, memory: 512, timeout: 2m, max_concurrency: 7}\n"
TABLE = "sink:\n  table: shop.transactions\n"
BUSY = "deploy: {batch: 500, max_concurrency: 20, timeout: 1m}\n"
UNMADE = {"AWS::CloudWatch::Alarm", "AWS::SQS::QueuePolicy"}
ON_DEMAND = {"Bucket", "NetworkPolicy", "Layer"}
SEED = 20_260_701


def _printed(folder: Path, more: str = "", *options: str) -> str:
    """Print the template of the shipped spec, with more text at its end."""
    spec = folder / "transactions.yaml"
    text = SPEC.read_text(encoding="utf-8")
    text = text.replace("sink:\n", TABLE) if more == TABLE else text + more
    spec.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["template", str(spec), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def _template(folder: Path, more: str = "") -> Any:
    return json.loads(_printed(folder, more, "-o", "json"))


def _lint(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "template.yaml"
    file.write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).parent / "cfn-lint"), str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("more", ["", DIRECT, BUSY, TABLE])
def test_cfn_lint_finds_nothing(tmp_path: Path, more: str) -> None:
    linted = _lint(_printed(tmp_path, more), tmp_path)
    assert (linted.returncode, linted.stdout) == (0, "")


FAULTS: dict[str, Callable[[Any], Any]] = {
    "a role that is not there": lambda r: r.pop("Role"),
    "a queue without its key": lambda r: r["Queue"]["Properties"].update(VisibilityTimout=3),
    "a batch beyond the limit": lambda r: r["Events"]["Properties"].update(BatchSize=20_000),
    "a visibility below the timeout": lambda r: r["Queue"]["Properties"].update(VisibilityTimeout=10),
    "a sum of an alarm without its period": lambda r: r["Lookup1Alarm"]["Properties"]["Metrics"][1][
        "MetricStat"
    ].pop("Period"),
    "a runtime that is none": lambda r: r["Function"]["Properties"].update(Runtime="python3"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_linter_catches_a_planted_fault(tmp_path: Path, fault: str) -> None:
    """Otherwise its silence about our templates would mean nothing."""
    template = _template(tmp_path)
    FAULTS[fault](template["Resources"])
    assert _lint(json.dumps(template), tmp_path).returncode != 0


@pytest.fixture
def in_process_aws() -> Iterator[None]:
    """AWS within this process: moto warns here of resources that it leaves out, and makes functions without Docker."""
    with mock_aws(config={"lambda": {"use_docker": False}}), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        s3 = boto3.client("s3")
        location: Any = {"LocationConstraint": "eu-west-1"}
        for bucket in ("code", "shop-raw"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        for key in ("plait.zip", "layer.zip"):
            s3.put_object(Bucket="code", Key=key, Body=b"PK\x05\x06" + bytes(18))
        yield


def _create(template: Any, **values: str) -> tuple[set[str], set[str]]:
    """Create the stack; return the resources that exist by name, and the types that moto left out."""
    client = boto3.client("cloudformation")
    values = {"CodeBucket": "code", "CodeKey": "plait.zip", **values}
    parameters: Any = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stack: Any = {"TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_IAM"]}
        client.create_stack(StackName="plait", Parameters=parameters, **stack)
        assert client.describe_stacks(StackName="plait")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        resources = client.describe_stack_resources(StackName="plait")["StackResources"]
    created = {resource["LogicalResourceId"] for resource in resources if "LogicalResourceId" in resource}
    texts = [str(warning.message) for warning in caught]
    types = {resource["Type"] for resource in template["Resources"].values()}
    return created, {kind for kind in types if any(f"{kind} " in text for text in texts)}


@pytest.mark.parametrize(
    ("more", "unmade", "unwanted"),
    [
        ("", UNMADE, {"Permission", "Failures"}),
        (DIRECT, UNMADE | {"AWS::Lambda::EventInvokeConfig"}, {"Queue", "QueuePolicy", "Events", "AgeAlarm"}),
    ],
)
@pytest.mark.usefixtures("in_process_aws")
def test_a_stack_can_be_created_from_the_template(
    tmp_path: Path, more: str, unmade: set[str], unwanted: set[str]
) -> None:
    """Every resource of the trigger exists but those of the types in `unmade`, which moto is known to leave out."""
    template = _template(tmp_path, more)
    created, left_out = _create(template)
    assert left_out == unmade
    expected = {name for name, resource in template["Resources"].items() if resource["Type"] not in unmade}
    assert created == expected - unwanted - ON_DEMAND


def test_the_table_of_the_stack_is_that_of_the_plan(tmp_path: Path) -> None:
    """Made on demand, and kept when the stack goes; its place follows the stack's parameter."""
    template = _template(tmp_path, TABLE)
    meant = table_input(plait.load(str(tmp_path / "transactions.yaml")).plan())
    assert meant
    part = {"part1OfLake": {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "Lake"}]}]}}
    location = {"Fn::Sub": ["s3://${part1OfLake}/extracted/transactions/", part]}
    storage = {**meant["StorageDescriptor"], "Location": location}
    table = template["Resources"]["LakeTable"]
    assert table["Properties"]["TableInput"] == {**meant, "StorageDescriptor": storage}
    assert table["Condition"] == "MakesTable"
    assert template["Resources"]["LakeDatabase"]["Properties"]["DatabaseInput"] == {"Name": "shop"}
    assert [template["Parameters"][name]["Default"] for name in ("CreateDatabase", "CreateTable")] == [
        "no",
        "no",
    ]
    assert "LakeTable" not in _template(tmp_path)["Resources"]


def test_a_history_runs_as_wide_as_asked_past_failures_and_puts_its_markers(tmp_path: Path) -> None:
    """The function may put markers beside its sink alone, and the state machine reads its lists and puts results there."""
    resources = _template(tmp_path)["Resources"]
    definition = resources["History"]["Properties"]["DefinitionString"]["Fn::Sub"][0]
    (batches,) = json.loads(definition)["States"].values()
    assert batches["MaxConcurrencyPath"] == "$.at_once"
    assert batches["ToleratedFailurePercentage"] == 100
    markers = resources["MarkersPolicy"]["Properties"]
    assert markers["Roles"] == [{"Ref": "Role"}]
    (allowed,) = markers["PolicyDocument"]["Statement"]
    assert allowed["Action"] == ["s3:PutObject"]
    beside = "/extracted/transactions._plait/backfill/"
    assert [_end(resource, beside) for resource in allowed["Resource"]] == ["*/done/*.json", "*/left/*.json"]
    reads, puts, invokes, *_ = resources["HistoryRole"]["Properties"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    assert (reads["Action"], _end(reads["Resource"], beside)) == (["s3:GetObject"], "*/map.json")
    assert _end(puts["Resource"], beside) == "results/*"
    assert invokes["Resource"] == {"Fn::GetAtt": ["Function", "Arn"]}


def _end(resource: Any, folder: str) -> str:
    """What stands behind a folder in a resource that has parameters in it."""
    text: str = resource["Fn::Sub"][0]
    return text.partition(folder)[2]


@pytest.mark.usefixtures("in_process_aws")
def test_with_the_key_of_a_layer_its_zip_becomes_the_layer_of_the_function(tmp_path: Path) -> None:
    """Moto makes the layer and leaves it out of the function, whose property the linter has checked."""
    template = _template(tmp_path)
    created, _ = _create(template, LayerKey="layer.zip")
    assert "Layer" in created
    layers = template["Resources"]["Function"]["Properties"]["Layers"]
    assert layers == {"Fn::If": ["Layered", [{"Ref": "Layer"}], {"Ref": "AWS::NoValue"}]}


def _keys(number: int) -> list[str]:
    """As many keys, that match the driving path, nearly match it, and do not match it."""
    dice = random.Random(SEED)
    pieces = ["transactions/", "transactions", "items/", "a", "7f3c", "/", " ", "+", "ñ", "日", "*", "?"]
    pieces += [".", ".json", ".txt"]
    usual = [f"transactions/{dice.getrandbits(32):08x}.json" for _ in range(number // 4)]
    odd = ("".join(dice.choices(pieces, k=dice.randint(1, 6))) for _ in range(number * 3))
    fine = (key for key in odd if not key.startswith("/") and "//" not in key)
    return list(dict.fromkeys([*usual, *fine]))[:number]


@pytest.mark.usefixtures("in_process_aws")
def test_the_rule_delivers_every_key_that_the_pipeline_reads(tmp_path: Path) -> None:
    """Of 500 keys, those that match arrive in the queue; besides them only keys with `/`, which `*` lets through."""
    template = _template(tmp_path)
    del template["Resources"]["Events"]  # it would receive the messages for a function that does not run here
    _create(template)
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    s3.put_bucket_notification_configuration(
        Bucket="shop-raw", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    keys = _keys(500)
    for key in keys:
        s3.put_object(Bucket="shop-raw", Key=key, Body=b"{}")
    urls = sqs.list_queues()["QueueUrls"]
    url = next(url for url in urls if "DeadLetters" not in url)
    arrived: set[str] = set()
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        arrived |= {json.loads(message["Body"])["detail"]["object"]["key"] for message in messages}
    spec = validate_for_run(str(SPEC), {}).spec
    assert spec
    path = driver_path(spec)
    read = {key for key in keys if path.match(f"s3://shop-raw/{key}") is not None}
    assert len(read) > 100
    assert read <= arrived
    assert all("/" in key.removeprefix("transactions/") for key in arrived - read)
