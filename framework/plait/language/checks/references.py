"""Names of columns in joins, paths, windows and partitions: each must be a column, of a type that fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from plait.language.checks.row import column_help, describe, known_fields, level_of, row_columns
from plait.language.wording import flow_style
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.types import INTEGERS

if TYPE_CHECKING:
    from plait.language.build.sources import SourceDraft
    from plait.language.checks.row import Row
    from plait.language.structure import ProblemCollector
    from plait.problems.problem import Span
    from plait.values.types import Type

NESTED = ("array", "struct")
FAMILIES = {
    **dict.fromkeys((*INTEGERS, "decimal", "float", "double"), "number"),
    **dict.fromkeys(("date", "timestamp"), "time"),
    "boolean": "boolean",
    "binary": "binary",
    "string": "text",
}


@dataclass(slots=True)
class UnknownColumns:
    """Columns that the row does not have, each with every place that names it."""

    collector: ProblemCollector
    row: Row
    places: dict[str, list[tuple[Span, str | None]]] = field(default_factory=dict)

    def add(self, name: str, span: Span, help: str | None = None) -> None:
        """Remember a place that names no column, with its help where that is not the usual one."""
        self.places.setdefault(name, []).append((span, help))

    def tell(self) -> None:
        """One problem for each name, at the first place, with the lines of the others."""
        for name, places in self.places.items():
            (span, help), *others = sorted(places, key=lambda place: place[0])
            lines = sorted({other.line for other, _ in others} - {span.line})
            note = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
            message = f"no column of the row is called {excerpt(name)}"
            self.collector.add(
                span, "unknown-column", message, help=help or column_help(name, self.row), note=note
            )


@dataclass(frozen=True, slots=True)
class Need:
    """A column of the row that a lookup is asked by, and where it says so."""

    name: str
    span: Span
    use: Literal["on", "path", "around"]


def needs(block: SourceDraft, collector: ProblemCollector) -> list[Need]:
    """The columns of the row that a lookup is asked by."""
    if block.role != "lookup":
        return []
    found = [Need(left, left_span(block, left, collector), "on") for left, _ in block.on]
    found += [Need(name, _option_span(block, name, collector), "path") for name in row_columns(block)]
    if block.window:
        found.append(Need(block.window.column, collector.span((*block.path, "window", "around")), "around"))
    return found


def left_span(block: SourceDraft, left: str, collector: ProblemCollector) -> Span:
    """Where `on` names a column of the row."""
    if isinstance(block.raw["join"]["on"], dict):
        return collector.source_map.key_span((*block.path, "join", "on", left))
    return right_span(block, left, collector)


def right_span(block: SourceDraft, left: str, collector: ProblemCollector) -> Span:
    """Where `on` names the field of the source that equals a column."""
    raw, path = block.raw["join"]["on"], (*block.path, "join", "on")
    if isinstance(raw, list):
        return collector.span((*path, raw.index(left)))
    return collector.span((*path, left) if isinstance(raw, dict) else path)


def _option_span(block: SourceDraft, name: str, collector: ProblemCollector) -> Span:
    """Where an option has `{name}` in it."""
    part = f"{{{name}}}"
    texts = (key for key, value in block.raw.items() if isinstance(value, str) and part in value)
    return collector.span((*block.path, next(texts, "connector")), part)


def check_lookup(block: SourceDraft, row: Row, unknown: UnknownColumns, collector: ProblemCollector) -> None:
    """Each column that a lookup is asked by is one of the row, of a type that can be asked for."""
    for need in needs(block, collector):
        name = need.name
        kind = row.types.get(name)
        if row.givers.get(name) == block.name:
            if not row.driven:
                continue
            message = f"{excerpt(name)} comes from {excerpt(block.name)} itself, so it cannot find it"
            collector.add(need.span, "own-column", message, help=column_help("", row, block.name))
        elif row.lacks(name):
            unknown.add(name, need.span, _swapped(block, name, row) or column_help(name, row, block.name))
        elif kind is not None:
            _check_kind(need, kind, row, collector)
        elif need.use == "around" and row.leaves_open(name):
            message = f"a window lies around a timestamp, and the type of {excerpt(name)} is not declared"
            help = f"declare `{name}: timestamp` in {row.where(name)}"
            collector.add(need.span, "not-a-time", message, help=help)


def _swapped(block: SourceDraft, name: str, row: Row) -> str | None:
    """The mapping the other way round, where that is what was meant."""
    raw = block.raw["join"]["on"] if block.on else None
    if any(edited_once(name, column) for column in row.types):
        return None
    if isinstance(raw, dict) and isinstance(raw.get(name), str) and raw[name] in row.types:
        return f"the column comes first: did you mean `{flow_style({raw[name]: name})[:60]}`?"
    return None


def _check_kind(need: Need, kind: Type, row: Row, collector: ProblemCollector) -> None:
    name = need.name
    if need.use == "around":
        if kind.word != "timestamp":
            help = f"declare `{name}: timestamp` in {excerpt(row.givers[name])}"
            message = f"a window lies around a timestamp, and {excerpt(name)} is {describe(kind)}"
            collector.add(need.span, "not-a-time", message, help=help)
    elif kind.word in NESTED:
        message = f"{excerpt(name)} is {describe(kind)}, which is no key"
        collector.add(need.span, "nested-key", message, help="choose a column that holds one value")
    elif kind.word == "binary" and need.use == "path":
        message = f"{excerpt(name)} is binary, which cannot fill a path"
        collector.add(need.span, "nested-key", message, help="choose a column of text or numbers")


def check_fields(block: SourceDraft, row: Row, collector: ProblemCollector) -> None:
    """Each field that `on` names is one of the source, and can equal its column."""
    known = known_fields(block)
    for left, right in block.on:
        if row.lacks(left):
            continue
        span = right_span(block, left, collector)
        if known is not None and right not in known:
            help = help_for(right, known, "field", None)
            if left == right and (meant := nearest(right, known)):
                help = f"did you mean `{{{left}: {meant}}}`?"
            message = f"no field of {excerpt(block.name)} is called {excerpt(right)}"
            collector.add(span, "unknown-field", message, help=help, level=level_of(block))
        elif right in block.decode:
            message = f"{excerpt(right)} is asked for as it stands in the source, so it cannot be decoded"
            collector.add_at_key(
                (*block.path, "decode", right), "decoded-key", message, help="join on another field"
            )
        else:
            _check_types(block, left, right, span, row, collector)


def _check_types(
    block: SourceDraft, left: str, right: str, span: Span, row: Row, collector: ProblemCollector
) -> None:
    mine = next((c for c in (block.columns or {}).values() if c and c.selector == (right,)), None)
    theirs = row.types.get(left)
    if mine is None or theirs is None or row.givers[left] == block.name or theirs.word in NESTED:
        return
    families = {FAMILIES.get(theirs.word), FAMILIES.get(mine.type.word)}
    if len(families) == 1 or ("text" in families and not families & {"binary", None}):
        return
    line = collector.source_map.key_span((*block.path, "columns", mine.name)).line
    field = f"the field {excerpt(right)} of {excerpt(block.name)}"
    message = f"{excerpt(left)} is {describe(theirs)} and never equals {field}, which is `{mine.type}`"
    collector.add(span, "key-types", message, help="declare both alike", note=f"declared at line {line}")
