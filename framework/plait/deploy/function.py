"""The function of a stack, its role and its log group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.deploy.policy import document, grants

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.spec import Spec

RUNTIME = "python3.12"
RETENTION_DAYS = 30
LOGS_OF_ITS_OWN = ("logs:CreateLogStream", "logs:PutLogEvents")
# What Lambda does in a VPC; IAM knows no narrower resource for these.
NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
)


def function(spec: Spec, environment: Mapping[str, Any]) -> dict[str, Any]:
    """The resources `Function`, `Role`, `NetworkPolicy` and `LogGroup`."""
    deploy = spec.deploy
    variables = {"PLAIT_SPEC": f"{spec.name}.yaml", **environment}
    properties = {
        "Description": f"plait runs the pipeline {spec.name}.",
        "Runtime": RUNTIME,
        "Handler": "plait.aws_lambda.handler",
        "Architectures": [{"Ref": "Architecture"}],
        "MemorySize": deploy.memory,
        "Timeout": int(deploy.timeout.total_seconds()),
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
        "Environment": {"Variables": variables},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "LogGroup"}},
        "VpcConfig": {"Fn::If": ["InVpc", _network(), {"Ref": "AWS::NoValue"}]},
    }
    if deploy.trigger == "direct" and deploy.max_concurrency:
        properties["ReservedConcurrentExecutions"] = deploy.max_concurrency
    log_group = {"RetentionInDays": RETENTION_DAYS}
    return {
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": log_group,
        },
        "Role": _role(spec),
        "NetworkPolicy": _network_policy(),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
    }


def _network() -> dict[str, Any]:
    return {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}


def _role(spec: Spec) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policies = [
        _policy("pipeline", document(grants(spec))["Statement"]),
        _policy("logs", [_allow(LOGS_OF_ITS_OWN, {"Fn::GetAtt": ["LogGroup", "Arn"]})]),
    ]
    if spec.deploy.trigger == "queue":
        actions = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
        policies.append(_policy("queue", [_allow(actions, {"Fn::GetAtt": ["Queue", "Arn"]})]))
    else:
        dead = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        policies.append(_policy("dead-letters", [_allow(("sqs:SendMessage",), dead)]))
    assume = {"Version": "2012-10-17", "Statement": [trust]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": assume, "Policies": policies},
    }


def _network_policy() -> dict[str, Any]:
    properties = {**_policy("network", [_allow(NETWORK, "*")]), "Roles": [{"Ref": "Role"}]}
    return {"Type": "AWS::IAM::Policy", "Condition": "InVpc", "Properties": properties}


def _policy(name: str, statements: list[Any]) -> dict[str, Any]:
    return {
        "PolicyName": name,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }


def _allow(actions: tuple[str, ...], resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}
