"""The main job as people write it today: awswrangler and pandas, one order at a time. Whole on purpose, in one file.

With `ONE_SESSION` it is the same function after two lines that save most of its time: one session for all clients, whose
making takes longer than a call, and the key of the table, which awswrangler else asks for at each read.
"""

from __future__ import annotations

import base64
import io
import json
import os
from datetime import timedelta
from typing import Any

import awswrangler as wr
import boto3
import pandas as pd  # type: ignore[import-untyped] # it ships no types

OPTIONS: dict[str, Any] = {}
if os.environ.get("ONE_SESSION"):
    boto3.setup_default_session()
    OPTIONS["key_schema"] = [{"AttributeName": "customer_id", "KeyType": "HASH"}]

TABLE, GROUP, SECRET = "customer-activity", "/shop/tx-fraud-score", "shop/stores-db"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Write one Parquet file for each order of a batch of messages."""
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        _one(f"s3://{detail['bucket']['name']}/{detail['object']['key']}")
    return {"batchItemFailures": []}


def run(paths: list[str]) -> None:
    """Do the job over the orders of these paths, as a loop around the function would."""
    for path in paths:
        _one(path)


def _one(path: str) -> None:
    body = io.BytesIO()
    wr.s3.download(path=path, local_file=body)
    order = pd.json_normalize(json.loads(body.getvalue()))
    embedded = order["embedded_data"].map(lambda text: json.loads(base64.b64decode(text)))
    loyalty = pd.json_normalize(embedded.tolist()).rename(
        columns={"loyalty.tier": "loyalty_tier", "loyalty.points": "loyalty_points"}
    )
    row = pd.concat([order.drop(columns="embedded_data"), loyalty], axis=1)
    row["ordered_at"] = pd.to_datetime(row["ordered_at"], utc=True)
    key, at = str(row["transaction_id"][0]), row["ordered_at"][0]
    items = wr.s3.read_csv(path=path.replace("/transactions/", "/items/").replace(".json", ".csv"))
    row["items"] = [items.to_dict("records")]
    row = row.merge(_stores(), on="store_id", how="left")
    row = row.merge(_activity(row["customer_id"][0]), on="customer_id", how="left")
    row["fraud_score"] = _score(key, at)
    date = at.date().isoformat()
    out = os.environ["LAKE"] + f"/extracted/transactions/date={date}/{key}.parquet"
    wr.s3.to_parquet(df=row.drop(columns=["channel", "device.os", "device.version"]), path=out, index=False)


def _stores() -> pd.DataFrame:
    with wr.mysql.connect(secret_id=SECRET) as connection:
        stores = wr.mysql.read_sql_query("SELECT * FROM stores.stores", con=connection)
    return stores.rename(columns={"name": "store_name", "city": "store_city"})


def _activity(customer: str) -> pd.DataFrame:
    items = wr.dynamodb.read_items(table_name=TABLE, partition_values=[customer], **OPTIONS)
    return items[["customer_id", "last_seen"]].rename(columns={"last_seen": "customer_last_seen"})


def _score(key: str, at: pd.Timestamp) -> int:
    lines = wr.cloudwatch.filter_log_events(
        log_group_name=GROUP,
        filter_pattern=f'"{key}"',
        start_time=(at - timedelta(hours=1)).to_pydatetime(),
        end_time=(at + timedelta(hours=1)).to_pydatetime(),
    )
    if lines.empty:
        return 0
    scores = lines["message"].str.extract(r"scored (\d+)$")[0].dropna()
    return int(scores.iloc[-1]) if len(scores) else 0
