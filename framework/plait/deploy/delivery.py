"""The resources of a stack that bring events to the function (rule, queue, dead letters), and its alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.deploy.event_pattern import event_pattern
from plait.deploy.policy import POLICY_VERSION
from plait.deploy.redelivery import redelivery
from plait.engine.report import NAMESPACE
from plait.plugin import DriverPath, GiveUp

if TYPE_CHECKING:
    from plait.language.spec import Spec

RETENTION_SECONDS = 14 * 24 * 3600
TOLERATED_DELAY = timedelta(hours=1)


def driver_path(spec: Spec) -> DriverPath:
    """The path on S3 that drives the pipeline; raises GiveUp if the driver reads no objects on S3."""
    names = spec.driver.options.__struct_fields__
    values = [getattr(spec.driver.options, name) for name in names]
    path = next((value for value in values if isinstance(value, DriverPath)), None)
    if path is None or not path.bucket:
        message = f"`{spec.driver.name}` reads no objects on S3, so no event can start the function"
        raise GiveUp(
            message, code="no-events", help="give its path as `s3://…`, by `--param` where it is one"
        )
    return path


def delivery(spec: Spec) -> dict[str, Any]:
    """The resources between S3 and the function, by their logical id."""
    return {
        "DeadLetters": _queue({}),
        "Rule": _rule(spec),
        **(_queue_delivery(spec) if spec.deploy.trigger == "queue" else _direct_delivery()),
        "DeadLettersPolicy": _may_send("DeadLetters"),
    }


def _rule(spec: Spec) -> dict[str, Any]:
    """The EventBridge rule that sends new objects to the queue, or to the function itself."""
    receiver = "Queue" if spec.deploy.trigger == "queue" else "Function"
    target = {
        "Id": "plait",
        "Arn": _arn(receiver),
        "DeadLetterConfig": {"Arn": _arn("DeadLetters")},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
    }
    properties = {
        "Description": f"New objects of the pipeline {spec.name}.",
        "EventPattern": event_pattern(driver_path(spec)),
        "Targets": [target],
    }
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def _queue_delivery(spec: Spec) -> dict[str, Any]:
    """The queue, its policy, and the mapping by which Lambda reads it."""
    deploy = spec.deploy
    settings = redelivery(_longest_wait(spec), deploy.timeout, deploy.window)
    redrive_policy = {"deadLetterTargetArn": _arn("DeadLetters"), "maxReceiveCount": settings.receives}
    mapping: dict[str, Any] = {
        "EventSourceArn": _arn("Queue"),
        "FunctionName": {"Ref": "Function"},
        "BatchSize": deploy.batch,
        "MaximumBatchingWindowInSeconds": int(deploy.window.total_seconds()),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    if deploy.max_concurrency:
        mapping["ScalingConfig"] = {"MaximumConcurrency": deploy.max_concurrency}
    durations = {"VisibilityTimeout": settings.visibility, "MessageRetentionPeriod": settings.retention}
    queue = {name: int(duration.total_seconds()) for name, duration in durations.items()}
    return {
        "Queue": _queue({**queue, "RedrivePolicy": redrive_policy}),
        "QueuePolicy": _may_send("Queue"),
        "Events": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }


def redrive_output() -> dict[str, Any]:
    """An output of the stack: the command that moves dead letters back to the queue."""
    queues = "--source-arn ${DeadLetters.Arn} --destination-arn ${Queue.Arn}"
    return {
        "Description": "Sends the dead letters to the queue again, once their cause is mended.",
        "Value": {"Fn::Sub": f"aws sqs start-message-move-task {queues}"},
    }


def _longest_wait(spec: Spec) -> timedelta:
    """The longest time that an object waits for a look-up, zero if none waits."""
    waits = [source.join.retry_for for source in spec.lookups if source.join and source.join.retry_for]
    return max(waits, default=timedelta(0))


def _direct_delivery() -> dict[str, Any]:
    """The right of EventBridge to invoke the function, and where failed invocations go."""
    permission = {
        "FunctionName": {"Ref": "Function"},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": _arn("Rule"),
    }
    failures = {
        "FunctionName": {"Ref": "Function"},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 2,
        "DestinationConfig": {"OnFailure": {"Destination": _arn("DeadLetters")}},
    }
    return {
        "Permission": {"Type": "AWS::Lambda::Permission", "Properties": permission},
        "Failures": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": failures},
    }


def _queue(properties: dict[str, Any]) -> dict[str, Any]:
    defaults = {"MessageRetentionPeriod": RETENTION_SECONDS, "SqsManagedSseEnabled": True}
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {**defaults, **properties},
    }


def _may_send(queue: str) -> dict[str, Any]:
    """A policy by which EventBridge may send to a queue, for this rule only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": _arn(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": _arn("Rule")}},
    }
    document = {"Version": POLICY_VERSION, "Statement": [statement]}
    properties = {"Queues": [{"Ref": queue}], "PolicyDocument": document}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}


def alarms(spec: Spec) -> dict[str, Any]:
    """The alarms of a stack: errors, age of the oldest message, dead letters, quarantined records."""
    function, dead_letters = {"FunctionName": {"Ref": "Function"}}, {"QueueName": _name("DeadLetters")}
    resources = {
        "ErrorsAlarm": _alarm("AWS/Lambda", "Errors", function, "The function failed.", 0),
        "DeadLettersAlarm": _alarm(
            "AWS/SQS", "ApproximateNumberOfMessagesVisible", dead_letters, "Events were given up.", 0
        ),
    }
    if spec.deploy.trigger == "queue":
        queue = {"QueueName": _name("Queue")}
        oldest = int((_longest_wait(spec) + TOLERATED_DELAY).total_seconds())
        description = f"The oldest event has waited for {oldest} seconds."
        resources["AgeAlarm"] = _alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, description, oldest)
    if spec.quarantine:
        pipeline = {"Pipeline": spec.name}
        description = "Records were quarantined."
        resources["QuarantineAlarm"] = _alarm(NAMESPACE, "RecordsQuarantined", pipeline, description, 0)
    return resources


def _alarm(
    namespace: str, metric: str, dimensions: dict[str, Any], description: str, threshold: int
) -> dict[str, Any]:
    """An alarm over five minutes of a metric, sent to the topic if the stack has one."""
    actions = {"Fn::If": ["Alarmed", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    properties = {
        "AlarmDescription": description,
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Maximum" if namespace == "AWS/SQS" else "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": actions,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _arn(resource: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def _name(queue: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [queue, "QueueName"]}
