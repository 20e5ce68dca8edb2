"""One pipeline as plain CloudFormation: everything from the event to the function and its alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.deploy.delivery import alarms, delivery, driver_path, redrive
from plait.deploy.function import function
from plait.deploy.stack_parameters import StackParameter, resolved, stack_parameter
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plait.language.spec import Spec

OWN: dict[str, dict[str, Any]] = {
    "CodeBucket": {"Type": "String", "Description": "Bucket of the zip that `plait package` made."},
    "CodeKey": {"Type": "String", "Description": "Key of the zip that `plait package` made."},
    "Architecture": {
        "Type": "String",
        "Default": "x86_64",
        "AllowedValues": ["x86_64", "arm64"],
        "Description": "Processor that the zip was made for.",
    },
    "SubnetIds": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "Subnets from which the database is reached; none for a function outside of a VPC.",
    },
    "SecurityGroupIds": {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "Security groups of the function in its subnets.",
    },
    "AlarmTopic": {"Type": "String", "Default": "", "Description": "ARN of an SNS topic told of alarms."},
    "CreateBucket": {
        "Type": "String",
        "Default": "no",
        "AllowedValues": ["yes", "no"],
        "Description": "yes: make the bucket of the driving objects, with EventBridge on. no: it is there; see Outputs.",
    },
}


def template(spec: Spec, marked: Callable[[Mapping[str, str]], Spec | None]) -> dict[str, Any]:
    """The template of a spec's stack; raises GiveUp where a function cannot run the spec.

    `marked` validates the spec anew with other values for its parameters; None where they do not fit.
    """
    driver_path(spec)
    parameters = _parameters(spec, marked)
    model = marked({one.name: one.mark for one in parameters}) or spec
    marks = {mark: value for one in parameters for mark, value in one.marks.items()}
    environment: dict[str, Any] = {spec.variables[one.name]: {"Ref": one.id} for one in parameters}
    environment |= {
        spec.variables[name]: value
        for name, value in spec.parameters.items()
        if name in spec.variables and name not in {one.name for one in parameters}
    }
    resources = {
        **_bucket(model),
        **delivery(model),
        **function(model, dict(sorted(environment.items()))),
        **alarms(model),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"plait: the pipeline {spec.name}. {spec.description}".strip()[:1024],
        "Parameters": {**{one.id: one.definition() for one in parameters}, **OWN},
        "Conditions": {
            "InVpc": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "SubnetIds"}]}, ""]}]},
            "Alarmed": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopic"}, ""]}]},
            "MakesBucket": {"Fn::Equals": [{"Ref": "CreateBucket"}, "yes"]},
        },
        "Resources": resolved(resources, marks),
        "Outputs": resolved(_outputs(model), marks),
    }


def _parameters(spec: Spec, marked: Callable[[Mapping[str, str]], Spec | None]) -> tuple[StackParameter, ...]:
    """The spec's parameters that a stack can set: those with an environment variable, whatever their value."""
    unreachable = [name for name in spec.parameters if name not in spec.variables]
    found: list[StackParameter] = []
    for number, (name, value) in enumerate(spec.parameters.items()):
        one = stack_parameter(number, name, value)
        if name in unreachable:
            continue
        if one.id in OWN:
            raise GiveUp(f"the parameter `{name}` has the name of one of the stack's own", help="rename it")
        if marked({name: one.mark}) is not None:
            found.append(one)
    return tuple(found)


def _bucket(spec: Spec) -> dict[str, Any]:
    """The bucket of the driving objects, made only on demand, since most buckets are there already."""
    on = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Condition": "MakesBucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"BucketName": driver_path(spec).bucket, "NotificationConfiguration": on},
    }
    return {"Bucket": bucket}


def _outputs(spec: Spec) -> dict[str, Any]:
    bucket = driver_path(spec).bucket
    command = (
        f"aws s3api put-bucket-notification-configuration --bucket {bucket}"
        " --notification-configuration EventBridgeConfiguration={}"
    )
    said = "Turns EventBridge on for a bucket that is there; it replaces the bucket's other notifications."
    return {
        "FunctionArn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
        "DeadLettersUrl": {"Value": {"Ref": "DeadLetters"}},
        **({"Redrive": redrive()} if spec.deploy.trigger == "queue" else {}),
        "EventBridgeOn": {"Description": said, "Value": command},
    }
