"""`plait plan`: what a run would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from plait.commands.common import aligned, load, output, params, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.plan import Field, Plan
    from plait.spec import Join, Source, Target

HEAD = ("column", "type", "nullable", "origin")
AT_RUN_TIME = "known only at run time"


@click.command("plan")
@click.argument("spec")
@params
@output("text", "json")
def command(spec: str, parameters: dict[str, str], output: str) -> None:
    """Show what a run would do: the joins in their order, the schema, the partitions, where rows go."""
    plan = load(spec, parameters).plan()
    if output == "json":
        print_json(_document(plan))
    else:
        click.echo("\n\n".join(text(plan)))


def text(plan: Plan) -> Iterable[str]:
    """The paragraphs of a plan, one by one."""
    spec = plan.spec
    yield f"{spec.name}: {spec.description}" if spec.description else spec.name
    yield "\n".join(_tree(plan))
    if plan.columns is None:
        yield f"columns: {AT_RUN_TIME}, since a source has no `columns`"
    else:
        yield aligned([HEAD, *map(_row, plan.columns)])
    if plan.partitions:
        yield aligned([("partition", *HEAD[1:]), *map(_row, plan.partitions)])
    quarantine = spec.quarantine.path if spec.quarantine else "none: a bad record fails its object"
    places = [("sink", f"{spec.sink.connector.name} {_path(spec.sink) or ''}"), ("quarantine", quarantine)]
    yield aligned(places)


def _tree(plan: Plan) -> Iterable[str]:
    driver = plan.spec.driver
    yield f"{driver.name} ({driver.connector.name}), one by one"
    for number, stage in enumerate(plan.stages, 1):
        last = number == len(plan.stages)
        yield f"{'└─' if last else '├─'} stage {number}"
        for source in stage:
            branch = "└─" if source is stage[-1] else "├─"
            joined = f" {_join(source.join)}" if source.join else ""
            yield f"{'   ' if last else '│  '}{branch} {source.name} ({source.connector.name}){joined}"


def _join(join: Join) -> str:
    pairs = ", ".join(left if left == right else f"{left} = {right}" for left, right in join.on)
    shape = "" if join.shape == "columns" else f", as {join.shape}"
    missing = "" if join.missing == "keep" else f", missing: {join.missing}"
    several = "" if join.duplicates == "fail" else f", duplicates: {join.duplicates}"
    return f"on {pairs}{shape}{missing}{several}"


def _row(field: Field) -> tuple[str, str, str, str]:
    return (field.name, _type(field) or AT_RUN_TIME, "yes" if field.nullable else "no", field.origin)


def _type(field: Field) -> str | None:
    return str(field.type) if field.type else None


def _path(sink: Target) -> str | None:
    path = getattr(sink.options, "path", None)
    return str(getattr(path, "text", path)) if path is not None else None


def _document(plan: Plan) -> dict[str, Any]:
    spec = plan.spec
    return {
        "pipeline": spec.name,
        "description": spec.description,
        "spec_digest": spec.digest,
        "driver": {"source": spec.driver.name, "connector": spec.driver.connector.name},
        "stages": [[_lookup(source) for source in stage] for stage in plan.stages],
        "columns": None if plan.columns is None else [_field(field) for field in plan.columns],
        "partitions": [_field(field) for field in plan.partitions],
        "sink": {"connector": spec.sink.connector.name, "path": _path(spec.sink)},
        "quarantine": spec.quarantine.path if spec.quarantine else None,
    }


def _lookup(source: Source) -> dict[str, Any]:
    join = source.join
    assert join is not None  # noqa: S101 - only look-ups stand in stages
    seconds = join.retry_for.total_seconds() if join.retry_for else None
    return {
        "source": source.name,
        "connector": source.connector.name,
        "on": [{"column": left, "field": right} for left, right in join.on],
        "as": join.shape,
        "missing": join.missing,
        "retry_seconds": seconds,
        "duplicates": join.duplicates,
    }


def _field(field: Field) -> dict[str, Any]:
    return {"name": field.name, "type": _type(field), "nullable": field.nullable, "origin": field.origin}
