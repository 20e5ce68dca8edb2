"""What dlt does of the main job, by its documentation: orders, items and stores become three tables of Parquet.

dlt has no joins, and nothing of DynamoDB or CloudWatch Logs is read here: it does less than the others, and is measured at that.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.credentials import AwsCredentials
from dlt.sources.filesystem import FileItemDict, filesystem, read_csv
from dlt.sources.sql_database import sql_table

from benchmarks.peers import lookups

if TYPE_CHECKING:
    from collections.abc import Iterator


@dlt.transformer(name="transactions")  # type: ignore[untyped-decorator] # dlt is not always there
def read_orders(files: list[FileItemDict]) -> Iterator[dict[str, Any]]:
    """Each file is one order; what it embeds is decoded."""
    for file in files:
        order = json.loads(file.read_bytes())
        yield order | json.loads(base64.b64decode(order.pop("embedded_data")))


def run(paths: list[str]) -> None:
    """Load all orders beside these paths, and their items, into the lake that the environment names."""
    raw, aws = paths[0].rpartition("/transactions/")[0], _credentials()
    orders = filesystem(f"{raw}/transactions/", aws, file_glob="*.json") | read_orders
    items = (filesystem(f"{raw}/items/", aws, file_glob="*.csv") | read_csv()).with_name("items")
    fields = lookups.secret(lookups.session())
    address = "mysql+pymysql://{username}:{password}@{host}:{port}/stores".format_map(fields)
    stores = sql_table(address, table="stores", backend="pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        target = dlt.destinations.filesystem(os.environ["LAKE"], aws)
        pipeline = dlt.pipeline("shop", pipelines_dir=folder, destination=target, dataset_name="shop")
        pipeline.run([orders, items, stores], loader_file_format="parquet").raise_on_failed_jobs()


def _credentials() -> Any:
    return AwsCredentials(
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        region_name=os.environ["AWS_REGION"],
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    )
