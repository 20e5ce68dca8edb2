"""Parquet files, on S3 or in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from plait.plugin import (
    Calls,
    Connector,
    File,
    FolderPath,
    Options,
    PlaitError,
    Put,
    Sink,
    Statement,
    Written,
    hookimpl,
)
from plait_connectors._aws import bucket_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


GROUP_ROWS = 1 << 17  # of a row group; no more are put together at a time


class ParquetOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `parquet`."""

    path: Annotated[FolderPath, msgspec.Meta(description="the folder, such as `s3://shop-lake/orders/`")]
    compression: Annotated[
        Literal["snappy", "zstd", "gzip"], msgspec.Meta(description="how pages are compressed")
    ] = "snappy"
    files: Annotated[Literal["per_object"], msgspec.Meta(description="one file per driving object")] = (
        "per_object"
    )


def encode(table: Any, compression: str) -> bytes:
    """Return the bytes of a file for an Arrow table; the same rows and types give the same bytes, however they are chunked."""
    import pyarrow as pa
    from pyarrow import parquet

    sink, table = pa.BufferOutputStream(), table.replace_schema_metadata(None)
    with parquet.ParquetWriter(sink, table.schema, compression=compression, store_schema=False) as writer:
        for start in range(0, max(table.num_rows, 1), GROUP_ROWS):
            group = table.slice(start, GROUP_ROWS) if table.num_rows > GROUP_ROWS else table
            is_whole = all(column.num_chunks == 1 for column in group.columns)
            writer.write_table(group if is_whole else group.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data


class ParquetSink(Sink[ParquetOptions]):
    """Writes each table as one file."""

    suffix = ".parquet"

    def permissions(self) -> list[Statement]:
        """Return the rights to write files, and to see which version a file was made from."""
        path = self.options.path
        if not path.bucket:
            return []
        files = f"{path.object_arn.rstrip('/')}/*.parquet"
        put = Statement(actions=("s3:PutObject",), resources=(files,), why=f"write files below `{path.text}`")
        why = "see which version a file was made from before it is replaced"
        return [put, Statement(actions=("s3:GetObject",), resources=(files,), why=why)]

    def calls(self) -> list[Calls]:
        """Return one call for each file; a file that exists already is put, refused, looked at and put again."""
        put = Calls(operation="s3:PutObject", quantity="files")
        look = Calls(operation="s3:HeadObject", quantity="replaced")
        again = Calls(operation="s3:PutObject", quantity="replaced")
        return [put, look, again] if self.options.path.bucket else []

    def facts(self) -> Iterable[str]:
        """Ask for the region and the owner of the bucket."""
        return bucket_facts(self.options.path, self.context)

    def prepare(self) -> None:
        """Load the encoder."""
        from pyarrow import parquet  # noqa: F401 - loaded now, used when there are files

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file under its own name."""
        base = self.options.path.literal.rstrip("/")
        puts = [
            Put(
                uri=f"{base}/{file.folder}{file.name}{self.suffix}",
                data=encode(file.table, self.options.compression),
                source=file.item,
            )
            for file in files
        ]
        answers = self.context.objects.put(puts)
        return [
            replace(answer, rows=file.table.num_rows) if isinstance(answer, Written) else answer
            for file, answer in zip(files, answers, strict=True)
        ]


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `parquet`."""
    return [Connector("parquet", "Parquet files in a folder.", ParquetOptions, sink=ParquetSink)]
