"""A plan as JSON; `pipelines/PLAN.md` has every key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.cli.commands.preview import plain

if TYPE_CHECKING:
    from datetime import timedelta

    from plait.language.spec import Source
    from plait.plan.plan import Field, Plan


def document(plan: Plan) -> dict[str, Any]:
    """The whole plan, without the version of the format."""
    spec = plan.spec
    return {
        "pipeline": spec.name,
        "description": spec.description,
        "spec_digest": spec.digest,
        "driver": {"source": spec.driver.name, "connector": spec.driver.connector.name},
        "stages": [[_lookup(source) for source in stage] for stage in plan.stages],
        "columns": [_column(field) for field in plan.columns],
        "undeclared": [*plan.undeclared],
        "partitions": [_partition(field) for field in plan.partitions],
        "layout": plan.layout,
        "sink": {"connector": spec.sink.connector.name, "path": plan.sink_path},
        "quarantine": spec.quarantine and {"path": spec.quarantine.path, "payload": spec.quarantine.payload},
    }


def _lookup(source: Source) -> dict[str, Any]:
    join, window = source.join, source.window
    assert join is not None  # noqa: S101 - only look-ups stand in stages
    return {
        "source": source.name,
        "connector": source.connector.name,
        "on": [{"column": left, "field": right} for left, right in join.on],
        "as": join.shape,
        "missing": join.missing,
        "retry_seconds": _seconds(join.retry_for),
        "duplicates": join.duplicates,
        "window": window
        and {
            "around": window.column,
            "before_seconds": _seconds(window.before),
            "after_seconds": _seconds(window.after),
        },
        "cache_seconds": _seconds(source.cache),
    }


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def _partition(field: Field) -> dict[str, Any]:
    kind = str(field.type) if field.type else None
    return {"name": field.name, "type": kind, "nullable": field.nullable, "origin": field.origin}


def _column(field: Field) -> dict[str, Any]:
    return {
        **_partition(field),
        "default": plain(field.default),
        "fields": [_column(part) for part in field.fields],
    }
