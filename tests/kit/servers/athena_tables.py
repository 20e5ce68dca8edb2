"""Tables of Glue's catalogue with files of Parquet on S3, as the stand-in for Athena reads them."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOSTILE = [
    "",
    "NaN",
    "nan",
    "null",
    "o'brien",
    "''",
    "'; DROP TABLE x --",
    '"q"',
    "\\",
    "\\'",
    "a\nb",
    "ümlaut",
    "🦊",
    " x ",
    "%",
    "a\0b",
]
DAYS = [date(2026, 7, 1) + timedelta(days=n) for n in range(10)]
TYPES = {
    "id": "string",
    "nr": "bigint",
    "note": "string",
    "price": "decimal(12,2)",
    "exact": "decimal(38,18)",
    "ratio": "double",
    "flag": "boolean",
    "born": "date",
    "at": "timestamp",
    "raw": "binary",
    "tags": "array<string>",
    "items": "array<struct<sku:string,qty:int,price:decimal(8,2),marks:array<array<bigint>>>>",
    "attrs": "map<string,bigint>",
    "day": "string",
}
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("nr", pa.int64()),
        ("note", pa.string()),
        ("price", pa.decimal128(12, 2)),
        ("exact", pa.decimal128(38, 18)),
        ("ratio", pa.float64()),
        ("flag", pa.bool_()),
        ("born", pa.date32()),
        ("at", pa.timestamp("us")),
        ("raw", pa.binary()),
        ("tags", pa.list_(pa.string())),
        (
            "items",
            pa.list_(
                pa.struct(
                    [
                        ("sku", pa.string()),
                        ("qty", pa.int32()),
                        ("price", pa.decimal128(8, 2)),
                        ("marks", pa.list_(pa.list_(pa.int64()))),
                    ]
                )
            ),
        ),
        ("attrs", pa.map_(pa.string(), pa.int64())),
    ]
)


def row(n: int) -> dict[str, Any]:
    """Row n of the table `orders`, with values that a reader of text would bend."""
    texts = [None, "", "NaN", "null", "it''s", '"', "1e3", " "]
    item = {"sku": texts[n % 8], "qty": n, "price": Decimal(n) / 4, "marks": [[n], [], None]}
    return {
        "id": HOSTILE[n] if n < len(HOSTILE) else f"k{n}",
        "nr": None if n % 7 == 0 else n * 10**14,
        "note": texts[n % 8],
        "price": None if n % 5 == 0 else Decimal(n).scaleb(-2),
        "exact": Decimal(n) + Decimal("0.100000000000000001"),
        "ratio": [None, 0.1, -0.0, 1e300][n % 4],
        "flag": [None, True, False][n % 3],
        "born": None if n % 6 == 0 else date(1970, 1, 1) + timedelta(days=n),
        "at": None if n % 9 == 0 else datetime(2026, 7, 1, 12) + timedelta(milliseconds=n),
        "raw": None if n % 4 == 0 else bytes([n % 256, 0, 39]),
        "tags": [None, [], ["", None, "NaN"], ["a'b"]][n % 4],
        "items": [None, [], [item], [item, None]][n % 4],
        "attrs": [None, {}, {"": n}, {"a": None, "b'": 1}][n % 4],
        "day": DAYS[n % 10].isoformat(),
    }


ROWS = [row(n) for n in range(1_100)]
NOBODY = [{**row(0), "id": None, "nr": 1}, {**row(1), "id": "K16"}, {**row(2), "id": "k16 "}]


def create_lake() -> None:
    """Create the buckets, the database `lake`, its tables `orders`, `small` and `names`, and the workgroups."""
    s3 = boto3.client("s3")
    for bucket in ("lake", "tmp"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    boto3.client("glue").create_database(DatabaseInput={"Name": "lake"})
    create_table("orders", TYPES, SCHEMA, [*ROWS, *NOBODY], partition="day")
    small = {"id": "string", "nr": "bigint", "half": "decimal(4,1)", "born": "date"}
    schema = pa.schema(
        [("id", pa.string()), ("nr", pa.int64()), ("half", pa.decimal128(4, 1)), ("born", pa.date32())]
    )
    values = [
        ("7", 7, "7.5", 1),
        ("7.0", 8, "8.0", 2),
        ("x", 9, None, 3),
        ("x", 10, None, 3),
        ("true", 11, None, 4),
    ]
    create_table(
        "small",
        small,
        schema,
        [
            {"id": id, "nr": nr, "half": half and Decimal(half), "born": date(2026, 7, day)}
            for id, nr, half, day in values
        ],
    )
    names = {"id": "string", "name": "string", "rank": "int"}
    schema = pa.schema([("id", pa.string()), ("name", pa.string()), ("rank", pa.int32())])
    rows = [("full", "Ana"), ("null", None), ("Key", "Ana")]
    create_table("names", names, schema, [{"id": id, "name": name, "rank": 1} for id, name in rows])
    for name in (
        "etl",
        "slow",
        "costly",
        "cancelled",
        "limited",
        "exhausted",
        "busy",
        "internal",
        "again",
        "denied",
        "lake-formation",
        "files",
        "unlike",
        "hours",
    ):
        boto3.client("athena").create_work_group(
            Name=name, Configuration={"BytesScannedCutoffPerQuery": 10**10}
        )


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
