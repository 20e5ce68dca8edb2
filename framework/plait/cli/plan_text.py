"""A plan as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.cli.common import aligned
from plait.language.durations import spell_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plait.language.spec import Source
    from plait.plan.plan import Field, Plan

HEAD = ("column", "type", "nullable", "origin")
AT_RUN_TIME = "known only at run time"


def paragraphs(plan: Plan, *, brief: bool = False) -> Iterable[str]:
    """The paragraphs of a plan, one by one; `brief` leaves the fields of structs to their own lines."""
    spec = plan.spec
    yield f"{spec.name}: {spec.description}" if spec.description else spec.name
    yield "\n".join(_tree(plan))
    if plan.columns:
        yield aligned([HEAD, *(row for field in plan.columns for row in _rows(field, brief=brief))])
    if plan.undeclared:
        names = ", ".join(f"`{name}`" for name in plan.undeclared)
        yield f"{'more ' if plan.columns else ''}columns: {AT_RUN_TIME}, from {names} without `columns`"
    if plan.partitions:
        yield aligned([("partition", *HEAD[1:]), *(row for field in plan.partitions for row in _rows(field))])
    yield aligned(_places(plan))


def _tree(plan: Plan) -> Iterable[str]:
    driver = plan.spec.driver
    yield f"{driver.name} ({driver.connector.name}), one by one"
    for number, stage in enumerate(plan.stages, 1):
        last = number == len(plan.stages)
        yield f"{'└─' if last else '├─'} stage {number}"
        for source in stage:
            branch = "└─" if source is stage[-1] else "├─"
            yield f"{'   ' if last else '│  '}{branch} {_strand(source)}"


def _strand(source: Source) -> str:
    window = f", from {source.window}" if source.window else ""
    cache = f", kept for {spell_duration(source.cache)}" if source.cache else ""
    return f"{source.name} ({source.connector.name}) {source.join}{window}{cache}"


def _rows(field: Field, indent: str = "", *, brief: bool = False) -> Iterable[tuple[str, str, str, str]]:
    kind = str(field.type) if field.type else AT_RUN_TIME
    if brief and field.fields:
        outside, _, _ = kind.partition("struct<")
        kind = f"{outside}struct{'>' * outside.count('<')}"
    yield (f"{indent}{field.name}", kind, "yes" if field.nullable else "no", field.origin)
    for part in field.fields:
        yield from _rows(part, f"{indent}  ", brief=brief)


def _places(plan: Plan) -> Iterable[tuple[str, str]]:
    spec = plan.spec
    yield "sink", f"{spec.sink.connector.name} {plan.sink_path or ''}"
    yield "files", plan.layout
    quarantine = spec.quarantine
    payload = "" if quarantine is None or quarantine.payload else ", without the raw record"
    yield "quarantine", f"{quarantine.path}{payload}" if quarantine else "none: a bad record fails its object"
