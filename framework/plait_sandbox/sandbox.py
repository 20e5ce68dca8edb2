"""The shop on this machine: its buckets, tables, logs, events and database."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from plait_sandbox.aws import REGION, SERVER_MODULE, start_aws
from plait_sandbox.mysql import serve_stores, start_mysql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from plait_sandbox.mysql import Flavour
    from plait_sandbox.sample_data import Sample

RAW, LAKE = "shop-raw", "shop-lake"
TABLE = "customer-activity"
LOG_GROUP, LOG_STREAM = "/shop/tx-fraud-score", "model"
SECRET = "shop/stores-db"
QUEUE = "transactions"
RULE = "transactions-created"
EVENT_PATTERN = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": [RAW]}, "object": {"key": [{"prefix": "transactions/"}]}},
}
MAX_LOG_EVENTS = 10_000  # of one call, as are the bytes and the time between its first and last event
MAX_LOG_BYTES = 1_000_000
MAX_LOG_MILLISECONDS = 86_400_000
BYTES_PER_LOG_EVENT = 26  # that CloudWatch adds to those of the message
WORKERS = 16


class Sandbox:
    """A local AWS and MySQL with the shop in it; `stop` ends both, as leaving `with` does."""

    def __init__(self, flavour: Flavour | None = None, server: str = SERVER_MODULE) -> None:
        with contextlib.ExitStack() as started:
            self.aws = started.enter_context(start_aws(server))
            folder = started.enter_context(tempfile.TemporaryDirectory(prefix="plait-sandbox-"))
            self.mysql = started.enter_context(start_mysql(Path(folder), flavour))
            self._lock = threading.Lock()
            self._clients: dict[str, Any] = {}
            started.callback(self._close_clients)
            self.queue_url = self._create_resources()
            self._stack = started.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End both servers and remove their files."""
        self._stack.close()

    def environment(self) -> dict[str, str]:
        """The variables that send a process here."""
        return self.aws.environment()

    def client(self, service: str) -> Any:
        """The boto3 client of a service here, whatever the environment says."""
        import boto3
        from botocore.config import Config

        with self._lock:
            if service not in self._clients:
                session: Any = boto3.session.Session("sandbox", "sandbox", region_name=REGION)
                config = Config(max_pool_connections=WORKERS)
                self._clients[service] = session.client(
                    service, endpoint_url=self.aws.endpoint, config=config
                )
            return self._clients[service]

    def fill(self, sample: Sample, *, announce: bool = True) -> None:
        """Load a sample into every source; where `announce`, its objects send events to the queue, in their order."""
        serve_stores(self.mysql, sample.stores)
        self._put_activity(sample.activity)
        self._put_logs(sample.logs)
        self._set_announcements(announce)
        with ThreadPoolExecutor(1 if announce else WORKERS) as pool:
            list(pool.map(self._put_object, sample.objects.items()))
        self._set_announcements(True)

    def receive(self, max_messages: int = 10) -> list[dict[str, Any]]:
        """Take messages from the queue, as SQS gives them: fewer than asked only when there are no more."""
        messages: list[dict[str, Any]] = []
        while len(messages) < max_messages:
            number = min(10, max_messages - len(messages))
            answer = self.client("sqs").receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=number, AttributeNames=["All"]
            )
            if not answer.get("Messages"):
                break
            messages += answer["Messages"]
        return messages

    def delete(self, messages: Iterable[dict[str, Any]]) -> None:
        """Take messages off the queue for good."""
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        for start in range(0, len(entries), 10):
            self.client("sqs").delete_message_batch(
                QueueUrl=self.queue_url, Entries=entries[start : start + 10]
            )

    def _create_resources(self) -> str:
        s3 = self.client("s3")
        for bucket in (RAW, LAKE):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.client("dynamodb").create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "customer_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "customer_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        logs = self.client("logs")
        logs.create_log_group(logGroupName=LOG_GROUP)
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=LOG_STREAM)
        secret = json.dumps(serve_stores(self.mysql, []))
        self.client("secretsmanager").create_secret(Name=SECRET, SecretString=secret)
        return self._create_queue()

    def _create_queue(self) -> str:
        sqs, events = self.client("sqs"), self.client("events")
        dead_letters = sqs.create_queue(QueueName=f"{QUEUE}-dead")["QueueUrl"]
        policy = json.dumps({"deadLetterTargetArn": _queue_arn(sqs, dead_letters), "maxReceiveCount": 5})
        url = str(sqs.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": policy})["QueueUrl"])
        events.put_rule(Name=RULE, EventPattern=json.dumps(EVENT_PATTERN))
        events.put_targets(Rule=RULE, Targets=[{"Id": QUEUE, "Arn": _queue_arn(sqs, url)}])
        self._set_announcements(True)
        return url

    def _set_announcements(self, on: bool) -> None:
        self.client("s3").put_bucket_notification_configuration(
            Bucket=RAW, NotificationConfiguration={"EventBridgeConfiguration": {}} if on else {}
        )

    def _put_activity(self, items: list[dict[str, object]]) -> None:
        import boto3

        session = boto3.session.Session("sandbox", "sandbox", region_name=REGION)
        table = session.resource("dynamodb", endpoint_url=self.aws.endpoint).Table(TABLE)
        with (
            contextlib.closing(table.meta.client),
            table.batch_writer(overwrite_by_pkeys=["customer_id"]) as writer,
        ):
            for item in items:
                writer.put_item(Item=dict(item))

    def _put_logs(self, lines: list[tuple[int, str]]) -> None:
        for batch in _log_batches(sorted(lines)):
            events = [{"timestamp": at, "message": message} for at, message in batch]
            self.client("logs").put_log_events(
                logGroupName=LOG_GROUP, logStreamName=LOG_STREAM, logEvents=events
            )

    def _put_object(self, stored: tuple[str, bytes]) -> None:
        key, body = stored
        self.client("s3").put_object(Bucket=RAW, Key=key, Body=body)

    def _close_clients(self) -> None:
        for client in self._clients.values():
            client.close()


def _queue_arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _log_batches(lines: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    size = 0
    for at, message in lines:
        event_size = len(message.encode()) + BYTES_PER_LOG_EVENT
        if batch and (
            len(batch) == MAX_LOG_EVENTS
            or size + event_size > MAX_LOG_BYTES
            or at - batch[0][0] >= MAX_LOG_MILLISECONDS
        ):
            yield batch
            batch, size = [], 0
        batch.append((at, message))
        size += event_size
    if batch:
        yield batch
