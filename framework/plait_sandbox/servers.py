"""The servers of a sandbox, clients of them, and filling them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

from plait_sandbox.aws import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.contents import Contents, DynamoTable
    from plait_sandbox.mysql import LocalMysql

LOG_STREAM = "sandbox"
MAX_LOG_EVENTS = 10_000  # of one call, as are the bytes and the time between its first and last event
MAX_LOG_BYTES = 1_000_000
MAX_LOG_MILLISECONDS = 86_400_000
BYTES_PER_LOG_EVENT = 26  # that CloudWatch adds to those of the message
WORKERS = 16


class Servers:
    """A local AWS and MySQL, and clients of them."""

    def __init__(self, aws: LocalAws, mysql: LocalMysql) -> None:
        self.aws, self.mysql = aws, mysql
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()

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

    def put(self, contents: Contents, workers: int = WORKERS) -> None:
        """Put contents there, whose buckets are there; one worker puts the objects of S3 in their order."""
        for (database, name), table in contents.mysql.items():
            self.mysql.put_table(database, name, table)
        for name, database in contents.secrets.items():
            secret = json.dumps(self.mysql.reader_secret(database))
            self.client("secretsmanager").create_secret(Name=name, SecretString=secret)
        for name, items in contents.dynamodb.items():
            self._put_items(name, items)
        for group, lines in contents.logs.items():
            self._put_logs(group, lines)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._put_object, contents.objects.items()))

    def create_buckets(self, contents: Contents) -> None:
        """Create the buckets of contents."""
        for bucket in sorted(contents.buckets):
            where = {"LocationConstraint": REGION}
            self.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)

    def _put_object(self, stored: tuple[str, bytes]) -> None:
        uri, body = stored
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def _put_items(self, name: str, table: DynamoTable) -> None:
        import boto3

        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": use}
                for key, use in zip(table.keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in table.keys.items()
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        session = boto3.session.Session("sandbox", "sandbox", region_name=REGION)
        resource = session.resource("dynamodb", endpoint_url=self.aws.endpoint).Table(name)
        with (
            closing(resource.meta.client),
            resource.batch_writer(overwrite_by_pkeys=[*table.keys]) as writer,
        ):
            for item in table.items:
                writer.put_item(Item=item)

    def _put_logs(self, group: str, lines: list[tuple[int, str]]) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=LOG_STREAM)
        for batch in _log_batches(sorted(lines)):
            events = [{"timestamp": at, "message": message} for at, message in batch]
            logs.put_log_events(logGroupName=group, logStreamName=LOG_STREAM, logEvents=events)


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
