"""From the spec to what a run will do, without doing it: stages of look-ups, and the output schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plait.types import Type

if TYPE_CHECKING:
    from plait.spec import Partition, Source, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An output column: its type (None: known only at run time) and where its values come from."""

    name: str
    type: Type | None
    nullable: bool
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does. Look-ups of one stage run side by side; `partitions` are not in the files."""

    spec: Spec
    stages: tuple[tuple[Source, ...], ...]
    fields: tuple[Field, ...] | None
    partitions: tuple[Field, ...]

    @property
    def columns(self) -> tuple[Field, ...] | None:
        """The columns inside the files: all fields but those that a partition column replaces."""
        names = {partition.name for partition in self.partitions}
        return None if self.fields is None else tuple(f for f in self.fields if f.name not in names)


def plan(spec: Spec) -> Plan:
    """Plan a spec; pure."""
    fields: list[Field] = []
    known = True
    for source in sorted((spec.driver, *spec.lookups), key=lambda s: _block(spec, s)):
        known = known and (source.columns is not None or _listed(source))
        fields += _fields(source)
    return Plan(
        spec=spec,
        stages=_stages(spec),
        fields=tuple(fields) if known else None,
        partitions=tuple(_partition(p, fields) for p in spec.partition_by),
    )


def _block(spec: Spec, source: Source) -> int:
    return -1 if source is spec.driver else spec.lookups.index(source)


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


def _fields(source: Source) -> list[Field]:
    columns = source.columns or ()
    if _listed(source):
        element = Type("struct", fields=tuple((c.name, c.type) for c in columns)) if columns else None
        kind = Type("array", fields=(("element", element),)) if element else None
        return [Field(name=source.name, type=kind, nullable=False, origin=source.name)]
    return [
        Field(
            name=column.name,
            type=column.type,
            nullable=not column.required and column.default is None,
            origin=f"{source.name}.{column.origin}",
        )
        for column in columns
    ]


def _partition(partition: Partition, fields: list[Field]) -> Field:
    found = next((f for f in fields if f.name == partition.column), None)
    words = {"date": "date", "month": "string", "hour": "string", "bucket": "int"}
    kind = found.type if found else None
    if partition.function in words:
        kind = Type(words[partition.function])
    origin = (
        f"{partition.function}({partition.column})" if partition.function != "column" else partition.column
    )
    return Field(name=partition.name, type=kind, nullable=not found or found.nullable, origin=origin)
