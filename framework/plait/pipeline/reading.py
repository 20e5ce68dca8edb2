"""Read what the sink of a pipeline holds, exactly as it was written: for people, in Python and notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from functools import reduce
from itertools import starmap
from operator import and_
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from plait.aws.errors import calling
from plait.engine.context import Services
from plait.engine.partition import encode
from plait.plugin import GiveUp
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for
from plait.values.driver_path import HIVE_NULL
from plait.values.paths import normal_uri, on_s3

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.plan.plan import Plan

EXTRA = "pip install 'plait[aws]'"


class Lake(NamedTuple):
    """The files of a sink as a data set of pyarrow, whose partitions are columns with values of their types."""

    path: str
    schema: Any
    partitions: tuple[str, ...]
    dataset: Any

    def table(self, columns: Sequence[str] | None = None, where: Any = None) -> Any:
        """The rows as an Arrow table; no file is read whose partition the condition excludes."""
        columns = [columns] if isinstance(columns, str) else columns
        names = [*self.schema.names] if columns is None else [*columns]
        for name in names:
            self.field(name)
        condition = self._condition(where)
        files = self._files(condition)
        if not on_s3(self.path):
            with reading(f"`{self.path}`"):
                return self.dataset.to_table(columns=names, filter=condition)
        if not files:
            return self.schema.empty_table().select(names)
        is_mapping = where is None or isinstance(where, Mapping)
        needed = {*names, *(where or ())} if is_mapping else {*self.schema.names}
        table = self._table_from_s3(files, needed)
        return (table if condition is None else table.filter(condition)).select(names)

    def _files(self, condition: Any) -> list[str]:
        """The files whose partitions meet a condition; raises GiveUp for one that the columns cannot meet."""
        import pyarrow as pa

        try:
            return [fragment.path for fragment in self.dataset.get_fragments(filter=condition)]
        except pa.ArrowException as error:
            message = f"`where` does not fit the columns of the lake: {str(error).splitlines()[0][:300]}"
            help = "compare columns that are there with values of their types"
            raise GiveUp(message, code="wrong-value", help=help) from None

    def field(self, name: str) -> Any:
        """The Arrow field of a column; raises GiveUp if there is none."""
        if name not in self.schema.names:
            help = help_for(name, self.schema.names, "column", None)
            raise GiveUp(f"the lake has no column {excerpt(name)}", code="unknown-column", help=help)
        return self.schema.field(name)

    def _condition(self, where: Any) -> Any:
        """What each row must meet, as an expression of pyarrow."""
        from pyarrow.compute import Expression

        if where is None or isinstance(where, Expression):
            return where
        if not isinstance(where, Mapping):
            message = "`where` is neither a mapping nor an expression of pyarrow"
            name = self.schema.names[-1] if self.partitions else "column"
            raise GiveUp(message, code="wrong-value", help=f'write `{{"{name}": value}}`')
        return reduce(and_, starmap(self._term, where.items())) if where else None

    def _term(self, name: str, value: Any) -> Any:
        import pyarrow as pa
        from pyarrow import compute

        kind = self.field(name).type
        is_one = isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable)
        try:
            values = [_exact(item, kind) for item in ([value] if is_one else value)]
            return compute.field(name).isin(pa.array(values, kind))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            message = f"`where` has a value for {excerpt(name)} that is no `{kind}`"
            raise GiveUp(message, code="wrong-value", help="give values of its type") from None

    def _table_from_s3(self, files: list[str], needed: set[str]) -> Any:
        """The rows of files on S3, read by awswrangler, whose partitions are texts as they stand in paths."""
        import pyarrow as pa

        columns = [name for name in self.schema.names if name in needed and name not in self.partitions]
        file_schema = pa.schema([f for f in self.schema if f.name not in self.partitions])
        with reading(f"`{self.path}`"):
            import awswrangler

            frame = awswrangler.s3.read_parquet(
                files, path_root=self.path, columns=columns, schema=file_schema, dtype_backend="pyarrow"
            )
        table = pa.Table.from_pandas(frame, preserve_index=False)
        arrays = {name: table.column(name) for name in columns}
        for name in (name for name in self.partitions if name in needed):
            texts = table.column(encode(name)).cast(pa.string()).combine_chunks().dictionary_encode()
            kind = self.schema.field(name).type
            values = [parse_folder(text, kind).as_py() for text in texts.dictionary.to_pylist()]
            arrays[name] = pa.array(values, kind).take(texts.indices)
        return pa.table({name: array.cast(self.schema.field(name).type) for name, array in arrays.items()})


def open_lake(plan: Plan) -> Lake:
    """List the files of a plan's sink. Raises GiveUp if it has none that are Parquet, TryAgain."""
    import pyarrow as pa
    from pyarrow import compute, dataset, fs

    if plan.sink_path is None or plan.spec.sink.role.suffix != ".parquet":
        message = f"the sink `{plan.spec.sink.connector}` writes no Parquet files"
        raise GiveUp(message, code="unreadable-sink", help="read it with what it was made for")
    path = normal_uri(plan.sink_path.rstrip("/") + "/")
    partitions = [partition.arrow() for partition in plan.partitions]
    schema = pa.schema([field.arrow().with_nullable(True) for field in plan.columns] + partitions)
    uris, conditions = [*_files(path)], dict[str, Any]()
    folders = [uri.removeprefix(path).rpartition("/")[0] for uri in uris]
    for folder in dict.fromkeys(folders):
        conditions[folder] = compute.scalar(True)
        for field, value in zip(partitions, _values_of(folder, partitions), strict=True):
            column = compute.field(field.name)
            conditions[folder] &= column == value if value.is_valid else column.is_null()
    files = dataset.FileSystemDataset.from_paths(
        uris,
        schema=schema,
        format=dataset.ParquetFileFormat(),
        filesystem=fs.LocalFileSystem(),
        partitions=[conditions[folder] for folder in folders],
    )
    return Lake(path, schema, tuple(field.name for field in partitions), files)


def _files(path: str) -> Iterator[str]:
    """The URIs of the Parquet files below a path; none if there is no folder. Readers pass over names that begin with `_` or `.`."""
    try:
        for item in Services().objects.list(path):
            names = item.uri.removeprefix(path).split("/")
            if names[-1].endswith(".parquet") and not any(name.startswith(("_", ".")) for name in names):
                yield item.uri
    except GiveUp as error:
        if error.code != "no-folder":
            raise


def _values_of(folder: str, partitions: Sequence[Any]) -> list[Any]:
    """The Arrow scalars of the partitions that a folder below the sink's path stands for."""
    parts = [part.partition("=") for part in folder.split("/") if folder]
    if [unquote(name) for name, _, _ in parts] != [field.name for field in partitions]:
        where = excerpt(folder) if folder else "the sink's own folder"
        message = f"a file in {where} does not lie in the folders of `partition_by`"
        raise GiveUp(message, code="other-folders", help="read it by the spec that wrote it, or move it")
    return [parse_folder(text, field.type) for (_, _, text), field in zip(parts, partitions, strict=True)]


def parse_folder(text: str, kind: Any) -> Any:
    """The Arrow scalar of a partition whose folder has this text."""
    import pyarrow as pa

    if text == HIVE_NULL:
        return pa.scalar(None, kind)
    try:
        return parse(unquote(text), kind)
    except pa.ArrowException:
        message = f"the folder {excerpt(text)} stands for no `{kind}`"
        raise GiveUp(message, code="other-folders", help="read it by the spec that wrote it") from None


def _exact(value: Any, kind: Any) -> Any:
    """A value of a type; raises ValueError for a fraction or a time of day, which pyarrow cuts off whole numbers and dates."""
    import pyarrow as pa

    if isinstance(value, str):
        return parse(value, kind).as_py()
    exact = pa.scalar(value, kind).as_py()
    if (pa.types.is_integer(kind) or pa.types.is_date(kind)) and exact != value:
        raise ValueError
    return exact


def parse(text: str, kind: Any) -> Any:
    """The Arrow scalar of a text; a timestamp without a zone is UTC."""
    import pyarrow as pa

    try:
        return pa.scalar(text).cast(kind)
    except pa.ArrowInvalid:
        if not pa.types.is_timestamp(kind):
            raise
        return pa.scalar(text).cast(pa.timestamp("us")).cast(kind)


def to_frame(table: Any) -> Any:
    """A DataFrame whose columns have the types of an Arrow table."""
    with reading("a table"):
        import pandas as pd  # type: ignore[import-untyped] # it ships no types

    return table.to_pandas(types_mapper=pd.ArrowDtype)


@contextmanager
def reading(what: str, *, service: str = "s3") -> Iterator[None]:
    """Turn what pyarrow, pandas and awswrangler raise within, or that they are not installed, into errors for people."""
    import pyarrow as pa

    try:
        with calling(what, service=service):
            yield
    except ImportError as error:
        message = f"reading the lake needs `{error.name}`, which is not installed"
        raise GiveUp(message, code="missing-extra", help=f"install it: `{EXTRA}`") from error
    except Exception as error:
        if not isinstance(error, pa.ArrowException) and type(error).__module__ != "awswrangler.exceptions":
            raise
        reason = " ".join(str(error).split())[:300]
        help = "read it by the spec that wrote it, or leave out the file"
        raise GiveUp(f"{what} cannot be read: {reason}", code="unreadable-lake", help=help) from error
