"""The shop, running on this machine: its buckets, tables, logs, events and database."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from plait_sandbox.aws import REGION, SERVER, start_aws
from plait_sandbox.mysql import serve_stores, start_mysql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from plait_sandbox.data import Sample
    from plait_sandbox.mysql import Flavour

RAW, LAKE = "shop-raw", "shop-lake"
TABLE = "customer-activity"
LOG_GROUP, LOG_STREAM = "/shop/tx-fraud-score", "model"
SECRET = "shop/stores-db"
QUEUE = "transactions"
RULE = "transactions-created"
PATTERN = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": [RAW]}, "object": {"key": [{"prefix": "transactions/"}]}},
}
LOG_EVENTS = 10_000
LOG_BYTES = 1_000_000
DAY = 86_400_000
WORKERS = 16


class Sandbox:
    """A local AWS and MySQL with the shop in it; close it with `stop` or by leaving `with`."""

    def __init__(self, flavour: Flavour | None = None, server: str = SERVER) -> None:
        with contextlib.ExitStack() as started:
            self.aws = started.enter_context(start_aws(server))
            folder = started.enter_context(tempfile.TemporaryDirectory(prefix="plait-sandbox-"))
            self.mysql = started.enter_context(start_mysql(Path(folder), flavour))
            self._lock = threading.Lock()
            self._clients: dict[str, Any] = {}
            started.callback(self._close)
            self.queue_url = self._build()
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
        """Return the variables that send a process here."""
        return self.aws.environment()

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service here, whatever the environment says."""
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
        """Load a sample into every source; `announce` says whether objects send events, in their order, to the queue."""
        serve_stores(self.mysql, sample.stores)
        self._put_activity(sample.activity)
        self._put_logs(sample.logs)
        self._announce(announce)
        with ThreadPoolExecutor(1 if announce else WORKERS) as pool:
            list(pool.map(self._put_object, sample.objects.items()))
        self._announce(True)

    def receive(self, max_messages: int = 10) -> list[dict[str, Any]]:
        """Take messages from the queue, as SQS gives them: fewer than asked only when there are no more."""
        taken: list[dict[str, Any]] = []
        while len(taken) < max_messages:
            number = min(10, max_messages - len(taken))
            answer = self.client("sqs").receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=number, AttributeNames=["All"]
            )
            if not answer.get("Messages"):
                break
            taken += answer["Messages"]
        return taken

    def delete(self, messages: Iterable[dict[str, Any]]) -> None:
        """Take messages off the queue for good."""
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        for start in range(0, len(entries), 10):
            self.client("sqs").delete_message_batch(
                QueueUrl=self.queue_url, Entries=entries[start : start + 10]
            )

    def _build(self) -> str:
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
        return self._build_queue()

    def _build_queue(self) -> str:
        sqs, events = self.client("sqs"), self.client("events")
        dead = sqs.create_queue(QueueName=f"{QUEUE}-dead")["QueueUrl"]
        policy = {"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": 5}
        url = str(
            sqs.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
        )
        events.put_rule(Name=RULE, EventPattern=json.dumps(PATTERN))
        events.put_targets(Rule=RULE, Targets=[{"Id": QUEUE, "Arn": _arn(sqs, url)}])
        self._announce(True)
        return url

    def _announce(self, announce: bool) -> None:
        self.client("s3").put_bucket_notification_configuration(
            Bucket=RAW, NotificationConfiguration={"EventBridgeConfiguration": {}} if announce else {}
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
        for part in _log_batches(sorted(lines)):
            events = [{"timestamp": at, "message": message} for at, message in part]
            self.client("logs").put_log_events(
                logGroupName=LOG_GROUP, logStreamName=LOG_STREAM, logEvents=events
            )

    def _put_object(self, found: tuple[str, bytes]) -> None:
        key, body = found
        self.client("s3").put_object(Bucket=RAW, Key=key, Body=body)

    def _close(self) -> None:
        for client in self._clients.values():
            client.close()


def _arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _log_batches(lines: list[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    size = 0
    for at, message in lines:
        weight = len(message.encode()) + 26
        if batch and (len(batch) == LOG_EVENTS or size + weight > LOG_BYTES or at - batch[0][0] >= DAY):
            yield batch
            batch, size = [], 0
        batch.append((at, message))
        size += weight
    if batch:
        yield batch
