"""Tables of Glue's catalogue with files of Parquet on S3, as the stand-in for Athena reads them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def create_lake(*buckets: str) -> None:
    """Create the buckets, and the database `lake`."""
    s3 = boto3.client("s3")
    for bucket in buckets:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    boto3.client("glue").create_database(DatabaseInput={"Name": "lake"})


def create_table(
    name: str,
    types: Mapping[str, str],
    schema: pa.Schema,
    rows: Iterable[Mapping[str, Any]],
    partition: str = "",
) -> None:
    """Create the table `lake.NAME` of these types, with the rows in files, one a folder of the partition if it has one."""
    glue, s3 = boto3.client("glue"), boto3.client("s3")
    location, rows = f"s3://lake/{name}/", [*rows]
    columns = [{"Name": column, "Type": kind} for column, kind in types.items() if column != partition]
    storage = {"Columns": columns, "Location": location}
    keys = [{"Name": partition, "Type": types[partition]}] if partition else []
    glue.create_table(
        DatabaseName="lake", TableInput={"Name": name, "StorageDescriptor": storage, "PartitionKeys": keys}
    )
    for value in dict.fromkeys(row.get(partition) for row in rows):
        folder = f"{name}/{partition}={value}/" if partition else f"{name}/"
        if partition:
            of_partition = {
                "Values": [str(value)],
                "StorageDescriptor": {**storage, "Location": f"s3://lake/{folder}"},
            }
            glue.create_partition(DatabaseName="lake", TableName=name, PartitionInput=of_partition)
        file_rows = [
            {column: cell for column, cell in row.items() if column != partition}
            for row in rows
            if row.get(partition) == value
        ]
        buffer = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(file_rows, schema=schema), buffer)
        s3.put_object(Bucket="lake", Key=f"{folder}part-0.parquet", Body=buffer.getvalue())
