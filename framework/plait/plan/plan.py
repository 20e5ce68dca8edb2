"""Turn a spec into what a run will do, without doing it: stages of look-ups, and the output schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.language.spec import options_of_type
from plait.plugin import Projection, TableName
from plait.problems.display import Displayed
from plait.values.paths import on_s3
from plait.values.types import Type, arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from plait.language.forms import Partition
    from plait.language.spec import Column, Source, Spec, Target
    from plait.plugin import ProjectedColumn
    from plait.problems.display import Rows

UNCONDITIONAL = "`conditional: false`: an older version of an object may replace the file of a newer one"
TIME_FORMATS = {"date": "YYYY-MM-DD", "month": "YYYY-MM", "hour": "YYYY-MM-DD-HH"}


class Field(Struct, frozen=True, kw_only=True):
    """An output column: its type and where its values come from.

    For a look-up under `as: list`, `fields` are the columns of its source; the elements of the list are never null.
    """

    name: str
    type: Type
    nullable: bool
    origin: str
    default: Any = None
    fields: tuple[Field, ...] = ()
    description: str = ""

    def arrow(self) -> pa.Field:
        """The Arrow field."""
        import pyarrow as pa

        kind = arrow_type(self.type)
        if self.fields:
            element = pa.struct([field.arrow() for field in self.fields])
            kind = pa.list_(pa.field("element", element, nullable=False))
        return pa.field(self.name, kind, nullable=self.nullable)


class Plan(Displayed, Struct, frozen=True, kw_only=True):
    """What a run does. Look-ups of one stage run side by side; `partitions` are not in the files."""

    spec: Spec
    stages: tuple[tuple[Source, ...], ...]
    fields: tuple[Field, ...]
    partitions: tuple[Field, ...]

    @property
    def columns(self) -> tuple[Field, ...]:
        """The columns inside the files: all fields except those that a partition column replaces."""
        names = {partition.name for partition in self.partitions}
        return tuple(field for field in self.fields if field.name not in names)

    @property
    def layout(self) -> str:
        """Where a file lies below the sink's path, such as `date=YYYY-MM-DD/<hash>.parquet`."""
        folders = (f"{partition.name}={_example(partition)}/" for partition in self.spec.partition_by)
        return f"{''.join(folders)}<hash>{self.spec.sink.role.suffix}"

    @property
    def table(self) -> TableName | None:
        """The table of the sink in Glue's catalogue; None where none is named, or the files are in a local folder."""
        names = options_of_type(self.spec.sink.options, TableName)
        return names[0] if names and on_s3(self.sink_path or "") else None

    @property
    def projection(self) -> Mapping[str, ProjectedColumn] | None:
        """The partition columns that Athena computes, by name; None where there is no table, or partitions are registered."""
        projections = options_of_type(self.spec.sink.options, Projection)
        return projections[0].projection if projections and self.table else None

    @property
    def sink_path(self) -> str | None:
        """Where the sink writes, if its options have a path."""
        path = getattr(self.spec.sink.options, "path", None)
        return None if path is None else str(getattr(path, "literal", path))

    def display(self) -> tuple[str, Rows, Rows]:
        """The blocks of the spec, where files lie, and the columns."""
        fields = (
            (f.name, str(f.type.in_table()), "yes" if f.nullable else "no", f.origin)
            for f in (*self.columns, *self.partitions)
        )
        files = f"{(self.sink_path or '').rstrip('/')}/{self.layout}"
        return (
            self.spec.name,
            [*blocks(self.spec), ("files", files)],
            [("column", "type", "nullable", "origin"), *fields],
        )


def blocks(spec: Spec) -> list[tuple[str, str]]:
    """The sources and targets of a spec, each with its connector, look-ups with their join."""
    names = [(block.name, block.connector.name) for block in spec.blocks]
    joins = {source.name: f" {source.join}" for source in spec.lookups}
    return [(name, f"{word}{joins.get(name, '')}") for name, word in names]


def plan(spec: Spec) -> Plan:
    """Plan a spec; pure."""
    sources = (spec.driver, *spec.lookups)
    fields = [field for source in sources for field in _fields_of_source(source)]
    return Plan(
        spec=spec,
        stages=_stages(spec),
        fields=tuple(fields),
        partitions=tuple(_partition_field(partition, fields) for partition in spec.partition_by),
    )


def remarks(block: Source | Target) -> list[str]:
    """What a plan and a check remark on in a block."""
    is_conditional = getattr(block, "conditional", True)
    return [*block.role.remarks(), *(() if is_conditional else (UNCONDITIONAL,))]


def _stages(spec: Spec) -> tuple[tuple[Source, ...], ...]:
    """Put each look-up into the first stage after all whose columns it may need."""
    stage_of: dict[str, int] = {}
    for name in spec.order:
        needs = {*spec.source(name).needed_columns}
        earlier = (stage_of[n] for n in stage_of if needs & {*spec.source(n).output_columns})
        stage_of[name] = max(earlier, default=-1) + 1
    numbers = sorted({*stage_of.values()})
    return tuple(tuple(spec.source(n) for n in stage_of if stage_of[n] == number) for number in numbers)


def _fields_of_source(source: Source) -> tuple[Field, ...]:
    columns = tuple(_column_field(source, column) for column in source.columns or ())
    if not source.join or source.join.shape != "list":
        return columns
    element = Type("struct", fields=tuple((column.name, column.type) for column in columns))
    kind = Type("array", fields=(("element", element),))
    return (Field(name=source.name, type=kind, nullable=False, origin=source.name, fields=columns),)


def _column_field(source: Source, column: Column) -> Field:
    """A column of a source. A driving object always has a URI, its records a position; its time and version may be unknown."""
    never_null = column.required or column.default is not None or column.origin in ("$object", "$position")
    return Field(
        name=column.name,
        type=column.type,
        nullable=not never_null,
        origin=f"{source.name}.{column.origin}",
        default=column.default,
        description=column.description,
    )


def _example(partition: Partition) -> str:
    """The placeholder of the value in the name of a partition's folder, such as `YYYY-MM-DD`."""
    if partition.function == "bucket":
        return f"<0 to {partition.buckets - 1}>"
    return TIME_FORMATS.get(partition.function, f"<{partition.column}>")


def _partition_field(partition: Partition, fields: list[Field]) -> Field:
    """The field of a partition column. A text can become null, because an empty text lies in the folder of null."""
    field = next(field for field in fields if field.name == partition.column)
    words = {"date": "date", "month": "string", "hour": "string", "bucket": "int"}
    function = partition.function
    kind = Type(words[function]) if function in words else field.type
    nullable = field.nullable or (function == "column" and kind.word == "string")
    text = field.description if partition.name == partition.column else ""
    return Field(name=partition.name, type=kind, nullable=nullable, origin=str(partition), description=text)
