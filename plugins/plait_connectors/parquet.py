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
    Projection,
    Put,
    Settled,
    Sink,
    Statement,
    TableName,
    Written,
    hookimpl,
)
from plait_connectors._aws import bucket_facts
from plait_connectors._glue_partitions import PartitionRegister, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.plugin import Context

GROUP_ROWS = 1 << 17  # of a row group; no more are put together at a time
FEW_ROWS = (
    256  # up to this number, dictionaries and statistics take more time and bytes than they save a reader
)


class ParquetOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `parquet`."""

    path: Annotated[FolderPath, msgspec.Meta(description="the folder, such as `s3://shop-lake/orders/`")]
    compression: Annotated[
        Literal["snappy", "zstd", "gzip"], msgspec.Meta(description="how pages are compressed")
    ] = "snappy"
    files: Annotated[Literal["per_object"], msgspec.Meta(description="one file per driving object")] = (
        "per_object"
    )
    table: Annotated[
        TableName | None,
        msgspec.Meta(description="the table of these files in Glue's catalogue: `database.table`"),
    ] = None
    partitions: Annotated[
        Literal["register"] | Projection,
        msgspec.Meta(
            description="`register` each one in the table, or let Athena compute them: `{projection: …}`"
        ),
    ] = "register"


def encode(table: Any, compression: str) -> bytes:
    """Return the bytes of a file for an Arrow table; the same rows and types give the same bytes, however they are chunked."""
    import pyarrow as pa
    from pyarrow import parquet

    sink, table = pa.BufferOutputStream(), table.replace_schema_metadata(None)
    many = table.num_rows > FEW_ROWS
    options: Any = {"compression": compression, "use_dictionary": many, "write_statistics": many}
    with parquet.ParquetWriter(sink, table.schema, store_schema=False, **options) as writer:
        for start in range(0, max(table.num_rows, 1), GROUP_ROWS):
            group = table.slice(start, GROUP_ROWS) if table.num_rows > GROUP_ROWS else table
            is_whole = (
                group.column(0).num_chunks == 1
            )  # as all others are, of what is put together of batches
            writer.write_table(group if is_whole else group.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    return data


class ParquetSink(Sink[ParquetOptions]):
    """Writes each table as one file."""

    suffix = ".parquet"

    def __init__(self, options: ParquetOptions, context: Context | None = None) -> None:
        super().__init__(options, context)
        self._register: PartitionRegister | None = None

    @property
    def _registers(self) -> TableName | None:
        """The table whose partitions are registered, if there is one."""
        options = self.options
        return options.table if options.path.bucket and options.partitions == "register" else None

    @property
    def _base(self) -> str:
        return self.options.path.literal.rstrip("/") + "/"

    def permissions(self) -> list[Statement]:
        """Return the rights to write files, and to see which version a file was made from."""
        path = self.options.path
        if not path.bucket:
            return []
        files = f"{path.object_arn.rstrip('/')}/*.parquet"
        put = Statement(actions=("s3:PutObject",), resources=(files,), why=f"write files below `{path.text}`")
        why = "see which version a file was made from before it is replaced"
        statements = [put, Statement(actions=("s3:GetObject",), resources=(files,), why=why)]
        if table := self._registers:
            actions, why = ("glue:GetTable", "glue:BatchCreatePartition"), f"register partitions of `{table}`"
            statements.append(Statement(actions=actions, resources=table.arns, why=why, parted=True))
        return statements

    def calls(self) -> list[Calls]:
        """Return one call for each file; a file that exists already is put, refused, looked at and put again."""
        put = Calls(operation="s3:PutObject", quantity="files")
        look = Calls(operation="s3:HeadObject", quantity="replaced")
        again = Calls(operation="s3:PutObject", quantity="replaced")
        operations = ("glue:GetTable", "glue:BatchCreatePartition") if self._registers else ()
        register = [Calls(operation=operation, quantity="registrations") for operation in operations]
        return [put, look, again, *register] if self.options.path.bucket else []

    def remarks(self) -> Iterable[str]:
        """Say which readers see no rows, and where the table is left out."""
        if self.options.table and not self.options.path.bucket:
            yield f"`{self.options.table}` is no table of files in a folder: none is kept"
        elif self.options.table and not self._registers:
            yield "`partitions: {projection: …}`: only Athena sees the rows; Spark and Redshift find the table empty"

    def facts(self) -> Iterable[str]:
        """Ask for the region and the owner of the bucket, and for the table whose partitions are registered."""
        yield from bucket_facts(self.options.path, self.context)
        if table := self._registers:
            keys, _ = PartitionRegister(table, self._base, self.context).find()
            yield f"table `{table}`, parted by {listed(keys)}"

    def prepare(self) -> None:
        """Load the encoder."""
        from pyarrow import parquet  # noqa: F401 - loaded now, used when there are files

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Write each file under its own name."""
        base = self._base
        puts = [
            Put(
                uri=f"{base}{file.folder}{file.name}{self.suffix}",
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

    def commit(self, settled: Sequence[Settled]) -> Sequence[PlaitError | None]:
        """Register the folders of the files that are new to this process."""
        if not (table := self._registers):
            return [None] * len(settled)
        self._register = self._register or PartitionRegister(table, self._base, self.context)
        folders = [self._folders(settled_object) for settled_object in settled]
        errors = self._register.register(folder for of_object in folders for folder in of_object)
        return [next((errors[f] for f in of_object if f in errors), None) for of_object in folders]

    def _folders(self, settled_object: Settled) -> list[str]:
        """The folders of an object's files, below that of the sink; none where rows are not parted."""
        paths = [written.uri.removeprefix(self._base).rpartition("/") for written in settled_object.files]
        return [folder + slash for folder, slash, _ in paths if folder]


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `parquet`."""
    return [Connector("parquet", "Parquet files in a folder.", ParquetOptions, sink=ParquetSink)]
