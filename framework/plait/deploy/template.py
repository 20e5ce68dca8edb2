"""The CloudFormation template of one pipeline: everything from the event to the function and its alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.deploy.delivery import alarms, delivery, driver_path, redrive_output
from plait.deploy.function import function
from plait.deploy.stack_parameters import StackParameter, resolve_marks, stack_parameter
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plait.language.spec import Spec

STACK_PARAMETERS: dict[str, dict[str, Any]] = {
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
    """The template of a spec's stack; raises GiveUp if a function cannot run the spec.

    `marked` validates the spec anew with these values of its parameters, and returns None if they are not valid.
    """
    driver_path(spec)
    parameters = _settable_parameters(spec, marked)
    marked_spec = marked({parameter.name: parameter.mark for parameter in parameters}) or spec
    marks = {mark: value for parameter in parameters for mark, value in parameter.marks.items()}
    environment: dict[str, Any] = {
        spec.variables[parameter.name]: {"Ref": parameter.id} for parameter in parameters
    }
    environment |= {
        spec.variables[name]: value
        for name, value in spec.parameters.items()
        if name in spec.variables and name not in {parameter.name for parameter in parameters}
    }
    resources = {
        **_bucket(marked_spec),
        **delivery(marked_spec),
        **function(marked_spec, dict(sorted(environment.items()))),
        **alarms(marked_spec),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"plait: the pipeline {spec.name}. {spec.description}".strip()[:1024],
        "Parameters": {
            **{parameter.id: parameter.definition() for parameter in parameters},
            **STACK_PARAMETERS,
        },
        "Conditions": {
            "InVpc": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "SubnetIds"}]}, ""]}]},
            "Alarmed": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopic"}, ""]}]},
            "MakesBucket": {"Fn::Equals": [{"Ref": "CreateBucket"}, "yes"]},
        },
        "Resources": resolve_marks(resources, marks),
        "Outputs": resolve_marks(_outputs(marked_spec), marks),
    }


def _settable_parameters(
    spec: Spec, marked: Callable[[Mapping[str, str]], Spec | None]
) -> tuple[StackParameter, ...]:
    """The spec's parameters that a stack can set: those with an environment variable that may have any value."""
    unreachable = [name for name in spec.parameters if name not in spec.variables]
    settable: list[StackParameter] = []
    for number, (name, value) in enumerate(spec.parameters.items()):
        parameter = stack_parameter(number, name, value)
        if name in unreachable:
            continue
        if parameter.id in STACK_PARAMETERS:
            raise GiveUp(f"the parameter `{name}` has the name of one of the stack's own", help="rename it")
        if marked({name: parameter.mark}) is not None:
            settable.append(parameter)
    return tuple(settable)


def _bucket(spec: Spec) -> dict[str, Any]:
    """The bucket of the driving objects, created only on demand, since most buckets exist already."""
    notifications = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Condition": "MakesBucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {"BucketName": driver_path(spec).bucket, "NotificationConfiguration": notifications},
    }
    return {"Bucket": bucket}


def _outputs(spec: Spec) -> dict[str, Any]:
    bucket = driver_path(spec).bucket
    command = (
        f"aws s3api put-bucket-notification-configuration --bucket {bucket}"
        " --notification-configuration EventBridgeConfiguration={}"
    )
    description = (
        "Turns EventBridge on for a bucket that is there; it replaces the bucket's other notifications."
    )
    return {
        "FunctionArn": {"Value": {"Fn::GetAtt": ["Function", "Arn"]}},
        "DeadLettersUrl": {"Value": {"Ref": "DeadLetters"}},
        **({"Redrive": redrive_output()} if spec.deploy.trigger == "queue" else {}),
        "EventBridgeOn": {"Description": description, "Value": command},
    }
