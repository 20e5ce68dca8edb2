"""A plan as text and as JSON; `pipelines/PLAN.md` has every key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.forms import spell_duration
from plait.plan.lake_table import ddl
from plait.plan.plan import remarks
from plait.problems.display import aligned
from plait.values.json_value import json_value
from plait.values.places import only_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from plait.language.spec import Source, Spec
    from plait.plan.plan import Field, Plan

COLUMN_HEADER = ("column", "type", "nullable", "origin")
PARTITION_HEADER = ("partition", "type", "nullable", "origin")


def plan_paragraphs(plan: Plan, *, brief: bool = False) -> Iterable[str]:
    """The paragraphs of a plan; where `brief`, a type has no fields of structs, which have lines of their own."""
    spec = plan.spec
    yield f"{spec.name}: {spec.description}" if spec.description else spec.name
    yield "\n".join(_tree_lines(plan))
    if plan.columns:
        rows = (row for field in plan.columns for row in _field_rows(field, brief=brief))
        yield aligned([COLUMN_HEADER, *rows])
    if plan.partitions:
        yield aligned([PARTITION_HEADER, *(row for field in plan.partitions for row in _field_rows(field))])
    yield aligned(_place_rows(plan))
    if statement := ddl(plan):
        yield statement
    if remarks := _remarks(spec):
        yield "\n".join(f"{remark['block']}: {remark['text']}" for remark in remarks)


def _tree_lines(plan: Plan) -> Iterable[str]:
    driver = plan.spec.driver
    word = driver.open_driver().position_word
    taken = f", only {only_text(driver.only)}" if driver.only else ""
    yield f"{driver.name} ({driver.connector.name}), {f'{word} by {word}' if word else 'one by one'}{taken}"
    for number, stage in enumerate(plan.stages, 1):
        last = number == len(plan.stages)
        yield f"{'└─' if last else '├─'} stage {number}"
        for source in stage:
            branch = "└─" if source is stage[-1] else "├─"
            yield f"{'   ' if last else '│  '}{branch} {_lookup_text(source)}"


def _lookup_text(source: Source) -> str:
    window = f", from {source.window}" if source.window else ""
    cache = f", kept for {spell_duration(source.cache)}" if source.cache else ""
    return f"{source.name} ({source.connector.name}) {source.join}{window}{cache}"


def _field_rows(
    field: Field, indent: str = "", *, brief: bool = False
) -> Iterable[tuple[str, str, str, str]]:
    type_text = str(field.type.in_table())
    if brief and field.fields:
        outside, _, _ = type_text.partition("struct<")
        type_text = f"{outside}struct{'>' * outside.count('<')}"
    yield (f"{indent}{field.name}", type_text, "yes" if field.nullable else "no", field.origin)
    for part in field.fields:
        yield from _field_rows(part, f"{indent}  ", brief=brief)


def _place_rows(plan: Plan) -> Iterable[tuple[str, str]]:
    spec = plan.spec
    yield "sink", f"{spec.sink.connector.name} {plan.sink_path or ''}"
    yield "files", plan.layout
    quarantine = spec.quarantine
    payload = "" if quarantine is None or quarantine.payload else ", without the raw record"
    yield "quarantine", f"{quarantine.path}{payload}" if quarantine else "none: a bad record fails its object"


def _remarks(spec: Spec) -> list[dict[str, str]]:
    return [{"block": block.name, "text": text} for block in spec.blocks for text in remarks(block)]


def plan_document(plan: Plan) -> dict[str, Any]:
    """The whole plan as JSON, without the version of the format."""
    spec = plan.spec
    return {
        "pipeline": spec.name,
        "description": spec.description,
        "spec_digest": spec.digest,
        "driver": {"source": spec.driver.name, "connector": spec.driver.connector.name},
        "stages": [[_lookup_document(source) for source in stage] for stage in plan.stages],
        "columns": [_column_document(field) for field in plan.columns],
        "partitions": [_field_document(field) for field in plan.partitions],
        "layout": plan.layout,
        "sink": {"connector": spec.sink.connector.name, "path": plan.sink_path},
        "quarantine": spec.quarantine and {"path": spec.quarantine.path, "payload": spec.quarantine.payload},
        "table": plan.table and {"name": str(plan.table), "ddl": ddl(plan)},
        "remarks": _remarks(spec),
    }


def _lookup_document(source: Source) -> dict[str, Any]:
    join, window = source.join, source.window
    assert join is not None  # noqa: S101 - only look-ups stand in stages
    return {
        "source": source.name,
        "connector": source.connector.name,
        "on": [{"column": column, "field": field} for column, field in join.on],
        "as": join.shape,
        "missing": join.missing,
        "retry_seconds": _whole_seconds(join.retry_for),
        "duplicates": join.duplicates,
        "window": window
        and {
            "around": window.column,
            "before_seconds": _whole_seconds(window.before),
            "after_seconds": _whole_seconds(window.after),
        },
        "cache_seconds": _whole_seconds(source.cache),
    }


def _whole_seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def _field_document(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": str(field.type.in_table()),
        "nullable": field.nullable,
        "origin": field.origin,
    }


def _column_document(field: Field) -> dict[str, Any]:
    return {
        **_field_document(field),
        "default": json_value(field.default),
        "fields": [_column_document(part) for part in field.fields],
    }
