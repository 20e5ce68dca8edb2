"""How events reach the function of a stack: rule, queue and dead letters; and what tells when they do not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.deploy.event_pattern import event_pattern
from plait.deploy.redelivery import redelivery
from plait.engine.report import NAMESPACE
from plait.plugin import DriverPath, GiveUp

if TYPE_CHECKING:
    from plait.language.spec import Spec

KEPT_SECONDS = 14 * 24 * 3600
SLOW = timedelta(hours=1)


def driver_path(spec: Spec) -> DriverPath:
    """The path on S3 that drives the pipeline; raises GiveUp where there is none."""
    fields = spec.driver.options.__struct_fields__
    paths = [getattr(spec.driver.options, name) for name in fields]
    found = next((path for path in paths if isinstance(path, DriverPath)), None)
    if found is None or not found.bucket:
        message = f"`{spec.driver.name}` reads no objects on S3, so no event can start the function"
        raise GiveUp(
            message, code="no-events", help="give its path as `s3://…`, by `--param` where it is one"
        )
    return found


def delivery(spec: Spec) -> dict[str, Any]:
    """The resources between S3 and the function."""
    return {
        "DeadLetters": _queue({}),
        "Rule": _rule(spec),
        **(_through_queue(spec) if spec.deploy.trigger == "queue" else _direct()),
        "DeadLettersPolicy": _may_send("DeadLetters"),
    }


def _rule(spec: Spec) -> dict[str, Any]:
    target = "Queue" if spec.deploy.trigger == "queue" else "Function"
    to = {
        "Id": "plait",
        "Arn": _arn(target),
        "DeadLetterConfig": {"Arn": _arn("DeadLetters")},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
    }
    properties = {
        "Description": f"New objects of the pipeline {spec.name}.",
        "EventPattern": event_pattern(driver_path(spec)),
        "Targets": [to],
    }
    return {"Type": "AWS::Events::Rule", "Properties": properties}


def _through_queue(spec: Spec) -> dict[str, Any]:
    deploy = spec.deploy
    again = redelivery(_longest_wait(spec), deploy.timeout, deploy.window)
    redrive = {"deadLetterTargetArn": _arn("DeadLetters"), "maxReceiveCount": again.receives}
    mapping: dict[str, Any] = {
        "EventSourceArn": _arn("Queue"),
        "FunctionName": {"Ref": "Function"},
        "BatchSize": deploy.batch,
        "MaximumBatchingWindowInSeconds": int(deploy.window.total_seconds()),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    if deploy.max_concurrency:
        mapping["ScalingConfig"] = {"MaximumConcurrency": deploy.max_concurrency}
    times = {"VisibilityTimeout": again.visibility, "MessageRetentionPeriod": again.retention}
    queue = {name: int(time.total_seconds()) for name, time in times.items()}
    return {
        "Queue": _queue({**queue, "RedrivePolicy": redrive}),
        "QueuePolicy": _may_send("Queue"),
        "Events": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }


def redrive() -> dict[str, Any]:
    """The output of a stack with a queue that sends what was given up once more."""
    queues = "--source-arn ${DeadLetters.Arn} --destination-arn ${Queue.Arn}"
    return {
        "Description": "Sends the dead letters to the queue again, once their cause is mended.",
        "Value": {"Fn::Sub": f"aws sqs start-message-move-task {queues}"},
    }


def _longest_wait(spec: Spec) -> timedelta:
    waits = [source.join.retry_for for source in spec.lookups if source.join and source.join.retry_for]
    return max(waits, default=timedelta(0))


def _direct() -> dict[str, Any]:
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
    kept = {"MessageRetentionPeriod": KEPT_SECONDS, "SqsManagedSseEnabled": True}
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {**kept, **properties},
    }


def _may_send(queue: str) -> dict[str, Any]:
    """EventBridge may send to a queue, for this rule only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": _arn(queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": _arn("Rule")}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    properties = {"Queues": [{"Ref": queue}], "PolicyDocument": document}
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}


def alarms(spec: Spec) -> dict[str, Any]:
    """The alarms of a stack: errors, age of the oldest message, dead letters, quarantined records."""
    function, dead = {"FunctionName": {"Ref": "Function"}}, {"QueueName": _name("DeadLetters")}
    found = {
        "ErrorsAlarm": _alarm("AWS/Lambda", "Errors", function, "The function failed.", 0),
        "DeadLettersAlarm": _alarm(
            "AWS/SQS", "ApproximateNumberOfMessagesVisible", dead, "Events were given up.", 0
        ),
    }
    if spec.deploy.trigger == "queue":
        queue = {"QueueName": _name("Queue")}
        late = int((_longest_wait(spec) + SLOW).total_seconds())
        told = f"The oldest event has waited for {late} seconds."
        found["AgeAlarm"] = _alarm("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, told, late)
    if spec.quarantine:
        pipeline = {"Pipeline": spec.name}
        told = "Records were quarantined."
        found["QuarantineAlarm"] = _alarm(NAMESPACE, "RecordsQuarantined", pipeline, told, 0)
    return found


def _alarm(namespace: str, metric: str, dimensions: dict[str, Any], told: str, above: int) -> dict[str, Any]:
    actions = {"Fn::If": ["Alarmed", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    properties = {
        "AlarmDescription": told,
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Maximum" if namespace == "AWS/SQS" else "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": above,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": actions,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _arn(resource: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def _name(queue: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [queue, "QueueName"]}
