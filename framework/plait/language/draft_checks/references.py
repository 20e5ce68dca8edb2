"""Check names of columns in joins, paths and windows: each must be a column of the row, of a type that fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from plait.language.draft_checks.row import (
    column_help,
    describe,
    known_fields,
    level_of_unknown_field,
    row_columns,
)
from plait.language.wording import flow_style
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.types import INTEGERS

if TYPE_CHECKING:
    from plait.language.draft_checks.row import Row
    from plait.language.drafts.collector import ProblemCollector
    from plait.language.drafts.sources import SourceDraft
    from plait.problems.problem import Span
    from plait.values.types import Type

NESTED = ("array", "struct")
KEY_FAMILIES = {
    **dict.fromkeys((*INTEGERS, "decimal", "float", "double"), "number"),
    **dict.fromkeys(("date", "timestamp"), "time"),
    "boolean": "boolean",
    "binary": "binary",
    "string": "text",
}


@dataclass(slots=True)
class UnknownColumns:
    """Collect names that are no column of the row, each with every place that names it."""

    collector: ProblemCollector
    row: Row
    places: dict[str, list[tuple[Span, str | None]]] = field(default_factory=dict)

    def add(self, name: str, span: Span, help: str | None = None) -> None:
        """Add a place that names no column, with a help if the usual one does not fit."""
        self.places.setdefault(name, []).append((span, help))

    def report(self) -> None:
        """Report one problem for each name, at its first place, with the lines of the others."""
        for name, places in self.places.items():
            (span, help), *others = sorted(places, key=lambda place: place[0])
            lines = sorted({other.line for other, _ in others} - {span.line})
            note = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
            message = f"no column of the row is called {excerpt(name)}"
            self.collector.add(
                span, "unknown-column", message, help=help or column_help(name, self.row), note=note
            )


@dataclass(frozen=True, slots=True)
class NeededColumn:
    """A column of the row by which a look-up is asked, and where the spec names it."""

    name: str
    span: Span
    use: Literal["on", "path", "around"]


def needed_columns(draft: SourceDraft, collector: ProblemCollector) -> list[NeededColumn]:
    """The columns of the row by which a look-up is asked."""
    if draft.role != "lookup":
        return []
    needed = [NeededColumn(column, _column_span(draft, column, collector), "on") for column, _ in draft.on]
    needed += [
        NeededColumn(name, _option_span(draft, name, collector), "path") for name in row_columns(draft)
    ]
    if draft.window:
        span = collector.span((*draft.path, "window", "around"))
        needed.append(NeededColumn(draft.window.column, span, "around"))
    return needed


def _column_span(draft: SourceDraft, column: str, collector: ProblemCollector) -> Span:
    """Where `on` names a column of the row."""
    if isinstance(draft.block["join"]["on"], dict):
        return collector.source_map.key_span((*draft.path, "join", "on", column))
    return _field_span(draft, column, collector)


def _field_span(draft: SourceDraft, column: str, collector: ProblemCollector) -> Span:
    """Where `on` names the field of the source that equals a column."""
    on, path = draft.block["join"]["on"], (*draft.path, "join", "on")
    if isinstance(on, list):
        return collector.span((*path, on.index(column)))
    return collector.span((*path, column) if isinstance(on, dict) else path)


def _option_span(draft: SourceDraft, name: str, collector: ProblemCollector) -> Span:
    """Where an option has `{name}` in it."""
    part = f"{{{name}}}"
    keys = (key for key, value in draft.block.items() if isinstance(value, str) and part in value)
    return collector.span((*draft.path, next(keys, "connector")), part)


def check_lookup(draft: SourceDraft, row: Row, unknown: UnknownColumns, collector: ProblemCollector) -> None:
    """Each column by which a look-up is asked is one of the row, of a type that can be asked for."""
    for needed in needed_columns(draft, collector):
        name = needed.name
        kind = row.types.get(name)
        if row.givers.get(name) == draft.name:
            if not row.has_driver:
                continue
            message = f"{excerpt(name)} comes from {excerpt(draft.name)} itself, so it cannot find it"
            collector.add(needed.span, "own-column", message, help=column_help("", row, draft.name))
        elif row.lacks(name):
            unknown.add(
                name, needed.span, _swapped_help(draft, name, row) or column_help(name, row, draft.name)
            )
        elif kind is not None:
            _check_type(needed, kind, row, collector)
        elif needed.use == "around" and row.leaves_type_open(name):
            message = f"a window lies around a timestamp, and the type of {excerpt(name)} is not declared"
            help = f"declare `{name}: timestamp` in {row.source_to_declare(name)}"
            collector.add(needed.span, "not-a-time", message, help=help)


def _swapped_help(draft: SourceDraft, name: str, row: Row) -> str | None:
    """Suggest to swap column and field, if the field is a column of the row."""
    on = draft.block["join"]["on"] if draft.on else None
    if any(edited_once(name, column) for column in row.types):
        return None
    if isinstance(on, dict) and isinstance(on.get(name), str) and on[name] in row.types:
        return f"the column comes first: did you mean `{flow_style({on[name]: name})[:60]}`?"
    return None


def _check_type(needed: NeededColumn, kind: Type, row: Row, collector: ProblemCollector) -> None:
    name = needed.name
    if needed.use == "around":
        if kind.word != "timestamp":
            help = f"declare `{name}: timestamp` in {excerpt(row.givers[name])}"
            message = f"a window lies around a timestamp, and {excerpt(name)} is {describe(kind)}"
            collector.add(needed.span, "not-a-time", message, help=help)
    elif kind.word in NESTED:
        message = f"{excerpt(name)} is {describe(kind)}, which is no key"
        collector.add(needed.span, "nested-key", message, help="choose a column that holds one value")
    elif kind.word == "binary" and needed.use == "path":
        message = f"{excerpt(name)} is binary, which cannot fill a path"
        collector.add(needed.span, "nested-key", message, help="choose a column of text or numbers")


def check_fields(draft: SourceDraft, row: Row, collector: ProblemCollector) -> None:
    """Each field that `on` names is one of the source, and can equal its column."""
    known = known_fields(draft)
    for column, field_name in draft.on:
        if row.lacks(column):
            continue
        span = _field_span(draft, column, collector)
        if known is not None and field_name not in known:
            help = help_for(field_name, known, "field", None)
            if column == field_name and (meant := nearest(field_name, known)):
                help = f"did you mean `{{{column}: {meant}}}`?"
            message = f"no field of {excerpt(draft.name)} is called {excerpt(field_name)}"
            level = level_of_unknown_field(draft)
            collector.add(span, "unknown-field", message, help=help, level=level)
        elif field_name in draft.decode:
            message = (
                f"{excerpt(field_name)} is asked for as it stands in the source, so it cannot be decoded"
            )
            path = (*draft.path, "decode", field_name)
            collector.add_at_key(path, "decoded-key", message, help="join on another field")
        else:
            _check_key_types(draft, (column, field_name), span, row, collector)


def _check_key_types(
    draft: SourceDraft, pair: tuple[str, str], span: Span, row: Row, collector: ProblemCollector
) -> None:
    """A column of the row and the field of the source that it must equal have types that can be equal."""
    column, field = pair
    columns = (declared for declared in (draft.columns or {}).values() if declared)
    field_column = next((declared for declared in columns if declared.selector == (field,)), None)
    kind = row.types.get(column)
    if field_column is None or kind is None or row.givers[column] == draft.name or kind.word in NESTED:
        return
    families = {KEY_FAMILIES.get(kind.word), KEY_FAMILIES.get(field_column.type.word)}
    if len(families) == 1 or ("text" in families and not families & {"binary", None}):
        return
    line = collector.source_map.key_span((*draft.path, "columns", field_column.name)).line
    text = f"the field {excerpt(field)} of {excerpt(draft.name)}"
    message = f"{excerpt(column)} is {describe(kind)} and never equals {text}, which is `{field_column.type}`"
    collector.add(span, "key-types", message, help="declare both alike", note=f"declared at line {line}")
