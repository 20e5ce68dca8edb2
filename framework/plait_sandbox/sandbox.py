"""The shop on this machine: its buckets, tables, logs, events and database."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from plait_sandbox.aws import SERVER_MODULE, start_aws
from plait_sandbox.contents import Contents, DynamoTable, MysqlTable
from plait_sandbox.mysql import start_mysql
from plait_sandbox.servers import WORKERS, Servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait_sandbox.mysql import Flavour
    from plait_sandbox.sample_data import Sample

RAW, LAKE = "shop-raw", "shop-lake"
QUEUE = "transactions"
RULE = "transactions-created"
EVENT_PATTERN = {
    "source": ["aws.s3"],
    "detail-type": ["Object Created"],
    "detail": {"bucket": {"name": [RAW]}, "object": {"key": [{"prefix": "transactions/"}]}},
}
STORE_COLUMNS = {"store_id": "BIGINT", "name": "VARCHAR(100)", "city": "VARCHAR(100)"}


class Sandbox(Servers):
    """The servers with the shop in them."""

    queue_url: str

    def fill(self, sample: Sample, *, announce: bool = True) -> None:
        """Make the shop of a sample; where `announce`, its objects send events to the queue, in their order."""
        contents = shop_contents(sample)
        self.create_buckets(contents)
        self.queue_url = self._create_queue()
        self._set_announcements(announce)
        self.put(contents, 1 if announce else WORKERS)
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


@contextmanager
def start_sandbox(
    flavour: Flavour | None = None, server: str = SERVER_MODULE, password: str | None = None
) -> Iterator[Sandbox]:
    """Start the servers, with nothing in them; `flavour` is the MySQL to take, by default the best here."""
    with (
        start_aws(server) as aws,
        start_mysql(flavour, password) as mysql,
        closing(Sandbox(aws, mysql)) as sandbox,
    ):
        yield sandbox


def shop_contents(sample: Sample) -> Contents:
    """What the shop holds."""
    stores = [store._asdict() for store in sample.stores]
    return Contents(
        buckets={RAW, LAKE},
        objects={f"s3://{RAW}/{key}": body for key, body in sample.objects.items()},
        mysql={("stores", "stores"): MysqlTable(STORE_COLUMNS, stores, key="store_id")},
        dynamodb={"customer-activity": DynamoTable({"customer_id": "S"}, sample.activity)},
        logs={"/shop/tx-fraud-score": sample.logs},
        secrets={"shop/stores-db": "stores"},
    )


def _queue_arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
