"""From the spec to what a run will do, without doing it: stages of look-ups, and the output schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plait.language.spec import OBJECT_FACTS
from plait.values.types import Type, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

    from plait.language.spec import Column, Partition, Source, Spec

TIMES = {"date": "YYYY-MM-DD", "month": "YYYY-MM", "hour": "YYYY-MM-DD-HH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An output column: its type (None: known only at run time) and where its values come from.

    `fields` are the columns of the source whose matches a list holds; its elements are never null.
    """

    name: str
    type: Type | None
    nullable: bool
    origin: str
    default: Any = None
    fields: tuple[Field, ...] = ()

    def arrow(self, found: pa.DataType | None = None) -> pa.Field:
        """The Arrow field; `found` is the type met at run time, for a column that declares none."""
        import pyarrow as pa

        kind = to_arrow(self.type) if self.type else found
        if self.fields:
            element = pa.struct([field.arrow() for field in self.fields])
            kind = pa.list_(pa.field("element", element, nullable=False))
        return pa.field(self.name, kind, nullable=self.nullable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does. Look-ups of one stage run side by side; `partitions` are not in the files.

    `undeclared` names the sources without `columns`: their fields, found at run time, follow `fields`.
    """

    spec: Spec
    stages: tuple[tuple[Source, ...], ...]
    fields: tuple[Field, ...]
    undeclared: tuple[str, ...]
    partitions: tuple[Field, ...]

    @property
    def columns(self) -> tuple[Field, ...]:
        """The columns inside the files: all fields but those that a partition column replaces."""
        names = {partition.name for partition in self.partitions}
        return tuple(field for field in self.fields if field.name not in names)

    @property
    def layout(self) -> str:
        """Where a file lies below the sink's path, such as `date=YYYY-MM-DD/<hash>.parquet`."""
        folders = (f"{partition.name}={_values(partition)}/" for partition in self.spec.partition_by)
        return f"{''.join(folders)}<hash>{self.spec.sink.connector.suffix}"

    @property
    def sink_path(self) -> str | None:
        """Where the sink writes, if its options have a path."""
        path = getattr(self.spec.sink.options, "path", None)
        return None if path is None else str(getattr(path, "literal", path))


def plan(spec: Spec) -> Plan:
    """Plan a spec; pure."""
    sources = (spec.driver, *spec.lookups)
    fields = [field for source in sources for field in _fields(source)]
    return Plan(
        spec=spec,
        stages=_stages(spec),
        fields=tuple(fields),
        undeclared=tuple(s.name for s in sources if s.columns is None and not _listed(s)),
        partitions=tuple(_partition(p, fields) for p in spec.partition_by),
    )


def _listed(source: Source) -> bool:
    return source.join is not None and source.join.shape == "list"


def _stages(spec: Spec) -> tuple[tuple[Source, ...], ...]:
    stages: list[list[Source]] = []
    done: dict[str, int] = {}
    for name in spec.order:
        source = spec.source(name)
        before = [done[o.name] for o in spec.lookups if o.name in done and set(source.needs) & set(o.gives)]
        opaque = [stage for n, stage in done.items() if spec.source(n).columns is None]
        stage = max((*before, *(opaque if not _served(spec, source) else ()), -1)) + 1
        if stage == len(stages):
            stages.append([])
        stages[stage].append(source)
        done[name] = stage
    return tuple(tuple(stage) for stage in stages)


def _served(spec: Spec, source: Source) -> bool:
    given = {column for s in (spec.driver, *spec.lookups) for column in s.gives}
    return set(source.needs) <= given or spec.driver.columns is None


def _fields(source: Source) -> tuple[Field, ...]:
    columns = tuple(_field(source, column) for column in source.columns or ())
    if not _listed(source):
        return columns
    element = Type("struct", fields=tuple((c.name, c.type) for c in source.columns or ()))
    kind = None if source.columns is None else Type("array", fields=(("element", element),))
    return (Field(name=source.name, type=kind, nullable=False, origin=source.name, fields=columns),)


def _field(source: Source, column: Column) -> Field:
    """A column; a driving object always has a URI, while its time and version may be unknown."""
    filled = column.required or column.default is not None or column.origin == OBJECT_FACTS[0]
    return Field(
        name=column.name,
        type=column.type,
        nullable=not filled,
        origin=f"{source.name}.{column.origin}",
        default=column.default,
    )


def _values(partition: Partition) -> str:
    if partition.function == "bucket":
        return f"<0 to {partition.buckets - 1}>"
    return TIMES.get(partition.function, f"<{partition.column}>")


def _partition(partition: Partition, fields: list[Field]) -> Field:
    """A partition column; an empty text lies in the folder of the null."""
    found = next((f for f in fields if f.name == partition.column), None)
    words = {"date": "date", "month": "string", "hour": "string", "bucket": "int"}
    kind = found.type if found else None
    if partition.function in words:
        kind = Type(words[partition.function])
    text = partition.function == "column" and (kind is None or kind.word == "string")
    nullable = not found or found.nullable or text
    return Field(name=partition.name, type=kind, nullable=nullable, origin=str(partition))
