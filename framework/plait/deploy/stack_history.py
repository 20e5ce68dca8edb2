"""The parts of a stack that run a backfill: a Distributed Map over the function, which costs nothing while none runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from plait.aws_lambda.marker import state_folder
from plait.backfill.step_functions import LIST
from plait.plugin import FolderPath

if TYPE_CHECKING:
    from plait.language.spec import Spec

PARTITION = "${AWS::Partition}"
RETRIED = (
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.SdkClientException",
    "States.TaskFailed",
)


def definition(bucket: str, results: str) -> dict[str, Any]:
    """The state machine: its input names the list of batches, by `bucket` and `key`, and how many run `at_once`.

    What the invocations answer goes below the prefix `results` of a bucket, since a state's output has a limit.

    One batch that fails does not end the others. See "Using Map state in Distributed mode" in AWS's developer guide.
    """
    batch = {
        "Type": "Task",
        "Resource": f"arn:{PARTITION}:states:::lambda:invoke",
        "Parameters": {"FunctionName": "${Function}", "Payload.$": "$"},
        "ResultSelector": {"objects.$": "$.Payload.objects"},
        "Retry": [
            {"ErrorEquals": ["GiveUp"], "MaxAttempts": 0},
            {"ErrorEquals": [*RETRIED], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 4},
        ],
        "End": True,
    }
    batches = {
        "Type": "Map",
        "ItemReader": {
            "Resource": f"arn:{PARTITION}:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Batch",
            "States": {"Batch": batch},
        },
        "MaxConcurrencyPath": "$.at_once",
        "ToleratedFailurePercentage": 100.0,
        "ResultWriter": {
            "Resource": f"arn:{PARTITION}:states:::s3:putObject",
            "Parameters": {"Bucket": bucket, "Prefix": results},
        },
        "End": True,
    }
    return {"Comment": "The batches of a backfill.", "StartAt": "Batches", "States": {"Batches": batches}}


def history_parts(spec: Spec) -> dict[str, Any]:
    """The state machine and its role, and the function's right to put markers; none where no state can lie beside the sink.

    The role has what AWS's developer guide lists in "IAM policies for using Distributed Map states".
    """
    folder = state_folder(spec)
    path = FolderPath.parse(folder) if folder else None
    if path is None or not path.bucket:
        return {}
    states, key = path.object_arn, folder.removeprefix(f"s3://{path.bucket}/")
    machine = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:{kind}:${AWS::StackName}-history"
    statements = [
        _allow(["s3:GetObject"], f"{states}/*/{LIST}"),
        _allow(
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
            f"{states}/results/*",
        ),
        _allow(["lambda:InvokeFunction"], {"Fn::GetAtt": ["Function", "Arn"]}),
        _allow(["states:StartExecution"], machine.replace("{kind}", "stateMachine")),
        _allow(
            ["states:DescribeExecution", "states:StopExecution"],
            machine.replace("{kind}", "execution") + ":*",
        ),
    ]
    return {
        "History": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": "${AWS::StackName}-history",
                "RoleArn": {"Fn::GetAtt": ["HistoryRole", "Arn"]},
                "DefinitionString": json.dumps(definition(path.bucket, f"{key}/results")),
                "DefinitionSubstitutions": {"Function": {"Fn::GetAtt": ["Function", "Arn"]}},
            },
        },
        "HistoryRole": _role(_document(*statements)),
        "MarkersPolicy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "markers",
                "PolicyDocument": _document(
                    _allow(["s3:PutObject"], [f"{states}/*/done/*.json", f"{states}/*/left/*.json"])
                ),
                "Roles": [{"Ref": "Role"}],
            },
        },
    }


def _role(policy: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {
        "AssumeRolePolicyDocument": _document(trust),
        "Policies": [{"PolicyName": "history", "PolicyDocument": policy}],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _allow(actions: list[str], resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}
