"""What the keys of one source mean together: each check reports where two of them do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.checks.row import known_fields, level_of
from plait.language.selectors import OBJECT_FACTS
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

if TYPE_CHECKING:
    from plait.language.build.sources import SourceDraft
    from plait.language.spec import Column
    from plait.language.structure import ProblemCollector
    from plait.plugin import Connector
    from plait.values.decode import Step

FACTS = {"$object": "string", "$modified": "timestamp", "$etag": "string"}
ANY, PLAIN, TEXT, BINARY, TIME, FIELDS = "anything", "plain", "text", "binary", "a timestamp", "fields"
TAKES = {
    "base64": (ANY, PLAIN, TEXT, BINARY),
    "gzip": (ANY, BINARY),
    "json": (ANY, PLAIN, TEXT, BINARY),
    "epoch": (ANY, PLAIN, TEXT),
    "pattern": (ANY, PLAIN, TEXT),
    "regex": (ANY, PLAIN, TEXT),
}
GIVES = {"base64": BINARY, "gzip": BINARY, "json": PLAIN, "epoch": TIME, "pattern": FIELDS, "regex": FIELDS}
WANTED = {
    "gzip": "binary",
    "epoch": "a number",
    "base64": "text",
    "json": "text",
    "pattern": "text",
    "regex": "text",
}


def check_source(block: SourceDraft, time: str | None, collector: ProblemCollector) -> None:
    """ProblemCollector what contradicts itself within a source; `time` is a timestamp of the driving record, if it has one."""
    if block.connector is not None:
        _window(block, block.connector, time, collector)
        _duplicates(block, block.connector, collector)
        for field, steps in block.decode.items():
            _steps(block, block.connector, field, steps or (), collector)
        for column in (block.columns or {}).values():
            if column is not None:
                _column(block, block.connector, column, collector)
    _driver_keys(block, collector)
    _keep(block, collector)
    _empty(block, collector)
    _unused_steps(block, collector)


def _driver_keys(block: SourceDraft, collector: ProblemCollector) -> None:
    for key in ("window", "cache"):
        if block.role == "driver" and key in block.raw:
            help = (
                "remove it: `--since` and `--until` choose objects by time"
                if key == "window"
                else "remove it"
            )
            collector.add_at_key(
                (*block.path, key), "not-for-a-driver", f"a driver takes no `{key}`", help=help
            )


def _window(block: SourceDraft, found: Connector, time: str | None, collector: ProblemCollector) -> None:
    if block.role != "lookup" or found.lookup is None:
        return
    if "window" in block.raw and found.order != "time":
        message = f"records of `{found.name}` have no time that a `window` could bound"
        collector.add_at_key((*block.path, "window"), "window-without-time", message, help="remove it")
    near = any(edited_once(key, "window") for key in block.raw)
    if not near and found.needs_window:
        help = f"add `window: {{around: {time or 'a_timestamp_of_the_row'}, before: 1h, after: 1h}}`"
        collector.add_at_key(
            block.path, "missing-window", f"`{found.name}` needs a `window` to read within", help=help
        )


def _duplicates(block: SourceDraft, found: Connector, collector: ProblemCollector) -> None:
    path = (*block.path, "join", "duplicates")
    if block.join is None or path not in collector.source_map.key_spans:
        return
    word = block.join.duplicates
    if block.join.shape != "columns":
        message = (
            f"`as: {block.join.shape}` takes all matches, so there is nothing for `duplicates` to choose"
        )
        collector.add_at_key(path, "idle-duplicates", message, help="remove `duplicates` or `as`")
    elif (word == "first" and found.order == "none") or (word == "latest" and found.order != "time"):
        lacking = "order, so none is the first" if word == "first" else "time, so none is the latest"
        help = "write `first` or `fail`" if word == "latest" and found.order == "position" else "write `fail`"
        collector.add_at(path, "no-order", f"records of `{found.name}` have no {lacking}", help=help)


def _keep(block: SourceDraft, collector: ProblemCollector) -> None:
    """`missing: keep` keeps a row without a match, which a required column then refuses."""
    path = (*block.path, "join", "missing")
    if block.join is None or block.join.missing != "keep" or block.join.shape == "list":
        return
    name = next((one.name for one in (block.columns or {}).values() if one and one.required), None)
    if name is not None and path in collector.source_map.key_spans:
        line = collector.line((*block.path, "columns", name))
        message = f"`keep` keeps a row without a match, and the required column {excerpt(name)} refuses it"
        help = "write `missing: fail`, or leave `required` out"
        collector.add_at(
            path, "required-keep", message, help=help, note=f"required at line {line}", level="warning"
        )


def _empty(block: SourceDraft, collector: ProblemCollector) -> None:
    """Rows have columns: those of a list its elements, those of the driving source what all else is joined to."""
    if block.columns == {} and "columns" in block.raw and (block.shape == "list" or block.role == "driver"):
        message = "a list of records without a column cannot be written"
        if block.role == "driver":
            message = "the driving source gives no column, so nothing can be joined to it"
        help = "name a column, or leave `columns` out"
        collector.add_at((*block.path, "columns"), "no-columns", message, help=help)


def _unused_steps(block: SourceDraft, collector: ProblemCollector) -> None:
    if not block.columns or not all(block.columns.values()):
        return
    taken = {str(one.selector[0]): None for one in block.columns.values() if one}
    taken |= {right: None for _, right in block.on}
    for field in block.decode:
        if field not in taken:
            meant = nearest(field, taken)
            help = f"did you mean `{meant}`?" if meant else "remove it, or take it by a column's `from`"
            message = f"no column takes {excerpt(field)}, so decoding it is for nothing"
            collector.add_at_key((*block.path, "decode", field), "unused-decode", message, help=help)


def _steps(
    block: SourceDraft, found: Connector, field: str, steps: tuple[Step, ...], collector: ProblemCollector
) -> None:
    """Each step takes what the one before it gives."""
    has, before = (ANY if found.gives_binary else PLAIN), None
    for number, step in enumerate(steps):
        if has not in TAKES[step.word]:
            source = f"`{before}` gives {has}" if before else f"`{found.name}` gives no binary"
            message = f"`{step.word}` takes {WANTED[step.word]}, and {source}"
            help = (
                "put `base64` before it"
                if step.word == "gzip"
                else f"remove `{step.word}`, or what stands before it"
            )
            collector.add_at((*block.path, "decode", field, number), "step-order", message, help=help)
            return
        has, before = GIVES[step.word], step.word


def _column(block: SourceDraft, found: Connector, column: Column, collector: ProblemCollector) -> None:
    if column.origin in OBJECT_FACTS:
        _fact(block, column, collector)
        return
    field = str(column.selector[0])
    known = known_fields(block)
    if known is not None and field not in known:
        _unknown_field(block, column, field, known, collector)
        return
    steps = block.decode.get(field, ())
    if steps is None:
        return
    last = steps[-1] if steps else None
    has = GIVES[last.word] if last else ANY if found.gives_binary else PLAIN
    _decoded(block, column, has, last, collector)


def _place(block: SourceDraft, column: Column, collector: ProblemCollector) -> Any:
    """Where a column says what it takes: its `from`, else its own name."""
    path = (*block.path, "columns", column.name)
    if (*path, "from") in collector.source_map.key_spans:
        return collector.span((*path, "from"))
    return collector.source_map.key_span(path)


def _fact(block: SourceDraft, column: Column, collector: ProblemCollector) -> None:
    path = (*block.path, "columns", column.name)
    if block.role == "lookup":
        message = f"`{column.origin}` is known of the driving object only"
        help = "take it in the driving source"
        collector.add_at((*path, "from"), "object-fact", message, help=help)
    elif column.type.word != FACTS[column.origin]:
        message = f"`{column.origin}` is a {FACTS[column.origin]}, and the column is `{column.type}`"
        collector.add_at(
            (*path, "type"), "wrong-column-type", message, help=f"write `type: {FACTS[column.origin]}`"
        )


def _unknown_field(
    block: SourceDraft, column: Column, field: str, known: tuple[str, ...], collector: ProblemCollector
) -> None:
    help = help_for(field, known, "field", None)
    written = (*block.path, "columns", column.name, "from") in collector.source_map.key_spans
    if not written and (meant := nearest(field, known)):
        help = f"did you mean `{column.name}: {{type: {column.type}, from: {meant}}}`?"
    message = f"no field of {excerpt(block.name)} is called {excerpt(field)}"
    collector.add(
        _place(block, column, collector), "unknown-field", message, help=help, level=level_of(block)
    )


def _decoded(
    block: SourceDraft, column: Column, has: str, last: Step | None, collector: ProblemCollector
) -> None:
    """What the steps leave can be what the column takes of it."""
    field, deeper = column.selector[0], column.selector[1:]
    names = list(last.argument.names) if has == FIELDS and last else []
    if has == FIELDS and deeper and deeper[0] not in names:
        help = help_for(str(deeper[0]), names, "field", None)
        message = f"the `{last.word if last else ''}` of {excerpt(field)} gives no field {excerpt(deeper[0])}"
        collector.add(_place(block, column, collector), "unknown-field", message, help=help)
        return
    fits = {BINARY: ("binary",), TIME: ("timestamp",), FIELDS: ("struct",)}.get(has)
    gives = f"`{last.word}` gives {has}" if last else ""
    if deeper and has in (BINARY, TIME):
        message = f"{gives}, and nothing stands within that"
        help = "add the step `json`" if has == BINARY else f"take it whole, as in `from: {field}`"
        if column is next(one for one in _taking(block, str(field)) if one.selector[1:]):
            collector.add(_place(block, column, collector), "wrong-column-type", message, help=help)
    elif not deeper and fits and column.type.word not in fits:
        help = (
            f"write the type `{fits[0]}`" if has != FIELDS else f"take one, as in `from: {field}.{names[0]}`"
        )
        _wrong_type(block, column, f"{gives}, and the column is `{column.type}`", help, collector)
    elif not deeper and has == PLAIN and column.type.word == "binary":
        source = (
            gives and "`json` gives no binary"
        ) or f"`{block.connector and block.connector.name}` gives no binary"
        help = f"decode text: `decode: {{{field}: [base64]}}`"
        _wrong_type(block, column, f"{source}, and the column is `binary`", help, collector)


def _taking(block: SourceDraft, field: str) -> list[Column]:
    """The columns that take a field, or something within it."""
    return [one for one in (block.columns or {}).values() if one and one.selector[0] == field]


def _wrong_type(
    block: SourceDraft, column: Column, message: str, help: str, collector: ProblemCollector
) -> None:
    path = (*block.path, "columns", column.name)
    written = (*path, "type") in collector.source_map.key_spans
    collector.add_at((*path, "type") if written else path, "wrong-column-type", message, help=help)
