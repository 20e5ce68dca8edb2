"""What a program by hand asks of MySQL, DynamoDB and CloudWatch Logs, with as few calls as their APIs allow."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pymysql

if TYPE_CHECKING:
    from collections.abc import Collection

TABLE, GROUP, SECRET = "customer-activity", "/shop/tx-fraud-score", "shop/stores-db"
KEYS_OF_A_CALL = 100
HOUR = 3_600_000


def secret(session: Any) -> dict[str, Any]:
    """How to reach the database of stores."""
    text = session.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"]
    fields: dict[str, Any] = json.loads(text)
    return fields


def stores(session: Any) -> list[tuple[int, str, str]]:
    """All stores: number, name and city."""
    fields = secret(session)
    account = {"host": fields["host"], "port": int(fields["port"]), "user": fields["username"]}
    connection = pymysql.connect(**account, password=fields["password"])
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT store_id, name, city FROM stores.stores")
        return list(cursor.fetchall())


def last_seen(session: Any, customers: Collection[str]) -> dict[str, str]:
    """When each customer was last seen, a hundred customers a call, calls side by side."""
    client, names = session.client("dynamodb"), sorted(set(customers))
    calls = [names[start : start + KEYS_OF_A_CALL] for start in range(0, len(names), KEYS_OF_A_CALL)]

    def ask(some: list[str]) -> list[tuple[str, str]]:
        pairs, wanted = [], {TABLE: {"Keys": [{"customer_id": {"S": name}} for name in some]}}
        while wanted:
            answer = client.batch_get_item(RequestItems=wanted)
            items = answer["Responses"].get(TABLE, [])
            pairs += [(item["customer_id"]["S"], item["last_seen"]["S"]) for item in items]
            wanted = answer.get("UnprocessedKeys")
        return pairs

    with ThreadPoolExecutor(8) as pool:
        return dict(pair for pairs in pool.map(ask, calls) for pair in pairs)


def log_lines(session: Any, first: int, last: int) -> list[tuple[int, str]]:
    """Time and text of the lines from an hour before the first order to an hour after the last, in milliseconds."""
    pages = session.client("logs").get_paginator("filter_log_events")
    asked = pages.paginate(logGroupName=GROUP, startTime=first - HOUR, endTime=last + HOUR)
    return [(event["timestamp"], event["message"]) for page in asked for event in page["events"]]


def session() -> Any:
    """One session for all clients."""
    return boto3.session.Session()
