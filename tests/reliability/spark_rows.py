"""Print the rows of Parquet files in folders of Hive as Spark reads them: `spark_rows.py FOLDER SCHEMA COLUMN...`, each a line of JSON."""

import json
import sys

from pyspark.sql import SparkSession


def main(folder: str, schema: str, *columns: str) -> None:
    """Start Spark on two threads of this machine, and print these columns of what it reads, each an expression of SQL."""
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    for row in spark.read.schema(schema).parquet(folder).selectExpr(*columns).collect():
        print(json.dumps(row.asDict(recursive=True), default=str))  # noqa: T201 - its answer
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
