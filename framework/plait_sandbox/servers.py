"""The servers of a sandbox, clients of them, and filling them."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp
from plait.problems.problem import printable
from plait_sandbox.aws import REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.contents import Contents, DynamoTable
    from plait_sandbox.mysql import LocalMysql

LOG_STREAM = "sandbox"
MAX_LOG_EVENTS, MAX_ITEMS = 10_000, 25  # of one call
WORKERS = 16


@contextmanager
def _refusal(what: str) -> Iterator[None]:
    """Raise GiveUp for what a server refuses to hold."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pymysql import MySQLError

    try:
        yield
    except (BotoCoreError, ClientError, MySQLError) as error:
        message = f"the sandbox cannot hold {what}: {printable(str(error)[:300])}"
        help = "mend what the spec names or the seed gives for it"
        raise GiveUp(message, code="wrong-value", help=help) from error


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
            with _refusal(f"the table `{database}.{name}`"):
                self.mysql.put_table(database, name, table)
        for name, database in contents.secrets.items():
            secret = json.dumps(self.mysql.reader_secret(database))
            with _refusal(f"the secret `{name}`"):
                self.client("secretsmanager").create_secret(Name=name, SecretString=secret)
        for name, items in contents.dynamodb.items():
            with _refusal(f"the table `{name}`"):
                self._put_items(name, items)
        for group, lines in contents.logs.items():
            with _refusal(f"the log group `{group}`"):
                self._put_logs(group, lines)
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self._put_object, contents.objects.items()))

    def create_buckets(self, contents: Contents) -> None:
        """Create the buckets of contents."""
        for bucket in sorted(contents.buckets):
            where = {"LocationConstraint": REGION}
            with _refusal(f"the bucket `{bucket}`"):
                self.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)

    def _put_object(self, stored: tuple[str, bytes]) -> None:
        uri, body = stored
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        with _refusal(f"the object `{uri[:200]}`"):
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def _put_items(self, name: str, table: DynamoTable) -> None:
        from boto3.dynamodb.types import TypeSerializer

        client = self.client("dynamodb")
        client.create_table(
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
        serialize = TypeSerializer().serialize
        requests = [
            {"PutRequest": {"Item": {field: serialize(value) for field, value in item.items()}}}
            for item in table.items
        ]
        for start in range(0, len(requests), MAX_ITEMS):
            client.batch_write_item(RequestItems={name: requests[start : start + MAX_ITEMS]})

    def _put_logs(self, group: str, lines: list[tuple[int, str]]) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=LOG_STREAM)
        events = [{"timestamp": at, "message": message} for at, message in sorted(lines)]
        for start in range(0, len(events), MAX_LOG_EVENTS):
            logs.put_log_events(
                logGroupName=group, logStreamName=LOG_STREAM, logEvents=events[start : start + MAX_LOG_EVENTS]
            )
