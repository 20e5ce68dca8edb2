"""The resources of a stack for the function itself: function, role and log group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.deploy.policy import POLICY_VERSION, grants, policy_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.spec import Spec

RUNTIME = "python3.12"
RETENTION_DAYS = 30
LOG_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")
# What Lambda needs in a VPC; IAM offers no narrower resource than `*` for these actions.
NETWORK_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
)


def function(spec: Spec, environment: Mapping[str, Any]) -> dict[str, Any]:
    """The resources `Function`, `Role`, `NetworkPolicy` and `LogGroup`, by their logical id.

    `environment` are the variables of the function besides `PLAIT_SPEC`; values may be CloudFormation functions.
    """
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
        "VpcConfig": {"Fn::If": ["InVpc", _vpc_config(), {"Ref": "AWS::NoValue"}]},
    }
    if deploy.trigger == "direct" and deploy.max_concurrency:
        properties["ReservedConcurrentExecutions"] = deploy.max_concurrency
    return {
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"RetentionInDays": RETENTION_DAYS},
        },
        "Role": _role(spec),
        "NetworkPolicy": _network_policy(),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
    }


def _vpc_config() -> dict[str, Any]:
    return {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}


def _role(spec: Spec) -> dict[str, Any]:
    """The role of the function: what the pipeline, its logs and its trigger need."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policies = [
        _policy("pipeline", policy_document(grants(spec))["Statement"]),
        _policy("logs", [_allow(LOG_ACTIONS, {"Fn::GetAtt": ["LogGroup", "Arn"]})]),
    ]
    if spec.deploy.trigger == "queue":
        actions = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
        policies.append(_policy("queue", [_allow(actions, {"Fn::GetAtt": ["Queue", "Arn"]})]))
    else:
        dead_letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        policies.append(_policy("dead-letters", [_allow(("sqs:SendMessage",), dead_letters)]))
    trust_policy = {"Version": POLICY_VERSION, "Statement": [trust]}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust_policy, "Policies": policies},
    }


def _network_policy() -> dict[str, Any]:
    """The right to reach a VPC, only if the stack is given subnets."""
    properties = {**_policy("network", [_allow(NETWORK_ACTIONS, "*")]), "Roles": [{"Ref": "Role"}]}
    return {"Type": "AWS::IAM::Policy", "Condition": "InVpc", "Properties": properties}


def _policy(name: str, statements: list[Any]) -> dict[str, Any]:
    return {
        "PolicyName": name,
        "PolicyDocument": {"Version": POLICY_VERSION, "Statement": statements},
    }


def _allow(actions: tuple[str, ...], resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}
