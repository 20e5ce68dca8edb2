"""The table of the lake: its definition in Glue's catalogue, and the statement by which Athena would make it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait.language.forms import Partition
    from plait.plan.plan import Field, Plan
    from plait.plugin import ProjectedColumn

HIVE = "org.apache.hadoop.hive.ql.io.parquet"
SERDE = f"{HIVE}.serde.ParquetHiveSerDe"
# The form of a folder's name in the words of Athena, the length of a step, and how far beyond now Athena looks.
STEPS = {
    "date": ("yyyy-MM-dd", "DAYS", "NOW+1DAYS"),
    "month": ("yyyy-MM", "MONTHS", "NOW+1MONTHS"),
    "hour": ("yyyy-MM-dd-HH", "HOURS", "NOW+24HOURS"),
}


def table_input(plan: Plan) -> dict[str, Any] | None:
    """The table that a plan means as Glue's `TableInput`; None where the sink has none, or writes to a local folder."""
    if plan.table is None:
        return None
    return {
        "Name": plan.table.table,
        "Description": plan.spec.description[:2048],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet", **dict(_projection(plan))},
        "PartitionKeys": [_column(field) for field in plan.partitions],
        "StorageDescriptor": {
            "Columns": [_column(field) for field in plan.columns],
            "Location": f"{(plan.sink_path or '').rstrip('/')}/",
            "InputFormat": f"{HIVE}.MapredParquetInputFormat",
            "OutputFormat": f"{HIVE}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": SERDE, "Parameters": {"serialization.format": "1"}},
        },
    }


def _column(field: Field) -> dict[str, str]:
    comment = {"Comment": field.description} if field.description else {}
    return {"Name": field.name, "Type": str(field.type.in_table()), **comment}


def _projection(plan: Plan) -> Iterator[tuple[str, str]]:
    """The parameters by which Athena computes the partitions; none where they are registered."""
    if plan.projection is None:
        return
    yield "projection.enabled", "true"
    for partition, part in zip(plan.spec.partition_by, plan.partitions, strict=True):
        for name, value in _projected(partition, plan.projection.get(part.name)).items():
            yield f"projection.{part.name}.{name}", value


def _projected(partition: Partition, column: ProjectedColumn | None) -> Mapping[str, str]:
    if partition.function == "bucket":
        return {"type": "integer", "range": f"0,{partition.buckets - 1}"}
    if column and column.from_ is not None:
        form, unit, end = STEPS[partition.function if partition.function in STEPS else "date"]
        step = {"interval": "1", "interval.unit": unit}
        return {"type": "date", "format": form, "range": f"{column.from_},{end}", **step}
    return {"type": "enum", "values": ",".join(map(str, column.values) if column else ())}


def ddl(plan: Plan) -> str | None:
    """The statement by which Athena would make the table of a plan; None where there is none."""
    table = table_input(plan)
    if table is None or plan.table is None:
        return None
    storage, database = table["StorageDescriptor"], plan.table.database
    columns = ",\n".join(f"  {_column_text(column)}" for column in storage["Columns"])
    parts = ", ".join(map(_column_text, table["PartitionKeys"]))
    properties = {name: text for name, text in table["Parameters"].items() if name != "EXTERNAL"}
    return "\n".join(
        [
            f"CREATE EXTERNAL TABLE `{database}`.`{table['Name']}` (\n{columns}\n)",
            *([f"COMMENT {_text(table['Description'])}"] if table["Description"] else []),
            *([f"PARTITIONED BY ({parts})"] if parts else []),
            "STORED AS PARQUET",
            f"LOCATION {_text(storage['Location'])}",
            f"TBLPROPERTIES ({', '.join(f'{_text(name)} = {_text(text)}' for name, text in properties.items())})",
        ]
    )


def _column_text(column: Mapping[str, str]) -> str:
    comment = f" COMMENT {_text(column['Comment'])}" if "Comment" in column else ""
    return f"`{column['Name']}` {column['Type']}{comment}"


def _text(text: str) -> str:
    """A text as Hive's statements have it, on one line."""
    return "'" + " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'") + "'"
