"""The resources of a policy are ARNs of what a path can name, in a partition; tests/data/commands has whole policies."""

from __future__ import annotations

from plait.deploy.policy import Grant, fill_pseudo_parameters, policy_document
from plait.plugin import FolderPath, LookupPath


def test_a_literal_character_of_a_path_is_no_wildcard_in_the_arn() -> None:
    """A `*`, `?` or `$` of a key is written as IAM's variables for them."""
    arn = "arn:${AWS::Partition}:s3:::b/what${?}/a${*}${$}/"
    assert FolderPath("s3://b/what?/a*$/", ("s3://b/what?/a*$/",)).object_arn == arn
    assert LookupPath.parse("s3://b/{{x}}/{id}.csv").object_arn == "arn:${AWS::Partition}:s3:::b/{x}/*.csv"


def test_a_document_has_the_partition_that_is_given_and_leaves_other_parameters() -> None:
    names = {"AWS::Partition": "aws-cn"}
    grant = Grant(action="s3:GetObject", resource="arn:${AWS::Partition}:s3:::b/*", reasons=())
    document = policy_document([grant], names)
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws-cn:s3:::b/*"]}
    ]
    assert fill_pseudo_parameters("${AWS::Region}", {}) == "${AWS::Region}"
