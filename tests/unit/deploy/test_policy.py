"""The policy of a spec holds what its blocks need: each action on each resource once, with the reason."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from kit.paths import ROOT
from kit.specs import valid
from plait.cli.main import main
from plait.deploy.policy import Grant, fill_pseudo_parameters, grants, policy_document
from plait.plugin import FolderPath, LookupPath

TRANSACTIONS = str(ROOT / "pipelines" / "transactions.yaml")
SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://in/orders/{day}/*.json", columns: {id: string, day: date}}
  notes: {connector: csv, path: "s3://in/orders/{id}", columns: {text: string}, join: {on: id}}
sink: {connector: parquet, path: SINK}
QUARANTINE
"""


def _pairs(sink: str, quarantine: str) -> set[tuple[str, str]]:
    granted = grants(valid(SPEC, SINK=sink, QUARANTINE=quarantine))
    return {(grant.action, grant.resource.replace("arn:${AWS::Partition}:s3:::", "")) for grant in granted}


def test_each_block_brings_what_it_needs_and_no_more() -> None:
    assert _pairs("s3://out/orders/", "quarantine: s3://bad/orders/") == {
        ("s3:GetObject", "in/orders/*"),
        ("s3:ListBucket", "in"),
        ("s3:PutObject", "out/orders/*.parquet"),
        ("s3:GetObject", "out/orders/*.parquet"),
        ("s3:PutObject", "bad/orders/*.json"),
        ("s3:GetObject", "bad/orders/*.json"),
    }


def test_local_folders_need_no_permission() -> None:
    assert {resource for _, resource in _pairs("out/", "quarantine: bad/")} == {"in", "in/orders/*"}


def test_a_literal_character_of_a_path_is_no_wildcard_in_the_arn() -> None:
    """A `*`, `?` or `$` of a key is written as IAM's variables for them."""
    arn = "arn:${AWS::Partition}:s3:::b/what${?}/a${*}${$}/"
    assert FolderPath("s3://b/what?/a*$/", ("s3://b/what?/a*$/",)).object_arn == arn
    assert LookupPath.parse("s3://b/{{x}}/{id}.csv").object_arn == "arn:${AWS::Partition}:s3:::b/{x}/*.csv"


def test_every_grant_says_which_block_needs_it_and_why() -> None:
    for grant in grants(valid(SPEC, SINK="s3://out/orders/", QUARANTINE="")):
        assert grant.reasons
        assert all(block in {"orders", "notes", "sink"} and why for block, why in grant.reasons)


def test_a_document_has_each_action_once() -> None:
    names = {"AWS::Partition": "aws-cn"}
    grant = Grant(action="s3:GetObject", resource="arn:${AWS::Partition}:s3:::b/*", reasons=())
    document = policy_document([grant], names)
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws-cn:s3:::b/*"]}
    ]
    assert fill_pseudo_parameters("${AWS::Region}", {}) == "${AWS::Region}"


def test_the_command_prints_a_policy_for_an_account_and_region() -> None:
    result = CliRunner().invoke(
        main, ["policy", TRANSACTIONS, "--account", "123456789012", "--region", "eu-west-1"]
    )
    resources = [
        resource for statement in json.loads(result.stdout)["Statement"] for resource in statement["Resource"]
    ]
    assert "arn:aws:dynamodb:eu-west-1:123456789012:table/customer-activity" in resources
    assert not [resource for resource in resources if "AWS::" in resource]


@pytest.mark.parametrize("word", ["stores", "read the host, user and password"])
def test_as_text_the_reason_stands_beside_each_grant(word: str) -> None:
    assert word in CliRunner().invoke(main, ["policy", TRANSACTIONS, "-o", "text"]).stdout
