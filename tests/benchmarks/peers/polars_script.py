"""The main job by polars at its best: lazy scans of all files at once, joins and decoding as expressions.

What polars has no reader for (MySQL by its secret, DynamoDB, CloudWatch Logs) comes by the fewest calls of boto3. It checks
nothing that polars does not check by itself.
"""

from __future__ import annotations

import os
from typing import Any

import polars as pl

from benchmarks.peers import lookups

ORDER = {
    "transaction_id": pl.String,
    "ordered_at": pl.String,
    "store_id": pl.Int64,
    "customer_id": pl.String,
    "total": pl.Float64,  # polars reads no decimal from JSON
    "embedded_data": pl.String,
}
LOYALTY = pl.Struct({"loyalty": pl.Struct({"tier": pl.String, "points": pl.Int64})})
ITEM = {"sku": pl.String, "quantity": pl.Int32, "unit_price": pl.Decimal(12, 2)}
HOUR = pl.duration(hours=1)


def run(paths: list[str]) -> None:
    """Do the job over all orders beside these paths, to the lake that the environment names."""
    raw, session = paths[0].rpartition("/transactions/")[0], lookups.session()
    storage = {"aws_endpoint_url": os.environ["AWS_ENDPOINT_URL"], "aws_allow_http": "true"}
    lines = pl.scan_csv(f"{raw}/items/*.csv", schema=ITEM, include_file_paths="file", storage_options=storage)
    orders, items = pl.collect_all([_orders(raw, storage), _items(lines)])
    moments = orders["ordered_at"].dt.epoch("ms")
    first, last = moments.min(), moments.max()
    stores = pl.DataFrame(lookups.stores(session), ["store_id", "store_name", "store_city"], orient="row")
    seen = lookups.last_seen(session, orders["customer_id"].to_list())
    activity = pl.DataFrame({"customer_id": [*seen], "customer_last_seen": [*seen.values()]})
    scores = pl.DataFrame(lookups.log_lines(session, first, last), ["at", "line"], orient="row")
    table = (
        orders.join(items, on="transaction_id", how="left")
        .join(stores, on="store_id", how="left")
        .join(activity.with_columns(_moment("customer_last_seen")), on="customer_id", how="left")
        .join(_scores(orders, scores), on="transaction_id", how="left")
        .with_columns(pl.col("fraud_score").fill_null(0))
    )
    target = pl.PartitionBy(f"{os.environ['LAKE']}/transactions/", key="date", include_key=False)
    with_date = table.lazy().with_columns(date=pl.col("ordered_at").dt.date())
    with_date.sink_parquet(target, compression="snappy", storage_options=storage)


def _orders(raw: str, storage: dict[str, str]) -> pl.LazyFrame:
    parsed = pl.scan_ndjson(f"{raw}/transactions/*.json", schema=ORDER, storage_options=storage)
    embedded = pl.col("embedded_data").str.decode("base64").cast(pl.String).str.json_decode(LOYALTY)
    loyalty = embedded.struct.field("loyalty")
    return parsed.with_columns(
        _moment("ordered_at"),
        pl.col("total").round(2).cast(pl.Decimal(12, 2)),
        loyalty.struct.field("tier").alias("loyalty_tier"),
        loyalty.struct.field("points").alias("loyalty_points"),
    ).drop("embedded_data")


def _moment(name: str) -> pl.Expr:
    return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC")


def _items(lines: pl.LazyFrame) -> pl.LazyFrame:
    order = pl.col("file").str.extract(r"([^/]+)\.csv$").alias("transaction_id")
    return lines.group_by(order, maintain_order=True).agg(
        pl.struct("sku", "quantity", "unit_price").alias("items")
    )


def _scores(orders: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    groups: Any = pl.col("line").str.extract_groups(
        r"transaction (?<transaction_id>\S+) scored (?<fraud_score>\d+)$"
    )
    return (
        lines.select(
            pl.from_epoch("at", "ms").dt.replace_time_zone("UTC").alias("at"), groups.alias("groups")
        )
        .unnest("groups")
        .drop_nulls()
        .join(orders.select("transaction_id", "ordered_at"), on="transaction_id")
        .filter((pl.col("at") - pl.col("ordered_at")).abs() <= HOUR)
        .sort("at")
        .group_by("transaction_id")
        .agg(pl.col("fraud_score").last().cast(pl.Int32))
    )
