"""Check what the keys of one source mean together, reporting each place where two of them do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.draft_checks.row import known_fields, level_of_unknown_field
from plait.language.selectors import OBJECT_FACTS
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

if TYPE_CHECKING:
    from plait.language.drafts.collector import ProblemCollector
    from plait.language.drafts.sources import SourceDraft
    from plait.language.spec import Column
    from plait.plugin import Connector
    from plait.problems.problem import Span
    from plait.values.decode import Step

FACT_TYPES = {"$object": "string", "$modified": "timestamp", "$etag": "string"}

# What a value of a record, or the result of a decode step, can be.
ANY, PLAIN, TEXT, BINARY, TIME, FIELDS = "anything", "plain", "text", "binary", "a timestamp", "fields"
STEP_TAKES = {
    "base64": (ANY, PLAIN, TEXT, BINARY),
    "gzip": (ANY, BINARY),
    "json": (ANY, PLAIN, TEXT, BINARY),
    "epoch": (ANY, PLAIN, TEXT),
    "pattern": (ANY, PLAIN, TEXT),
    "regex": (ANY, PLAIN, TEXT),
}
STEP_GIVES = {
    "base64": BINARY,
    "gzip": BINARY,
    "json": PLAIN,
    "epoch": TIME,
    "pattern": FIELDS,
    "regex": FIELDS,
}
WANTED_BY_STEP = {
    "gzip": "binary",
    "epoch": "a number",
    "base64": "text",
    "json": "text",
    "pattern": "text",
    "regex": "text",
}


def check_source(draft: SourceDraft, time: str | None, collector: ProblemCollector) -> None:
    """Report what contradicts itself within a source; `time` is a timestamp column of the driving source, if any."""
    if draft.connector is not None:
        _check_window(draft, draft.connector, time, collector)
        _check_duplicates(draft, draft.connector, collector)
        for field, steps in draft.decode.items():
            _check_step_order(draft, draft.connector, field, steps or (), collector)
        for column in (draft.columns or {}).values():
            if column is not None:
                _check_column(draft, draft.connector, column, collector)
    _check_keys_of_driver(draft, collector)
    _check_required_with_keep(draft, collector)
    _check_empty_columns(draft, collector)
    _check_unused_steps(draft, collector)


def _check_keys_of_driver(draft: SourceDraft, collector: ProblemCollector) -> None:
    """A driver has no keys of look-ups."""
    helps = {"window": "remove it: `--since` and `--until` choose objects by time", "cache": "remove it"}
    for key, help in helps.items():
        if draft.role == "driver" and key in draft.block:
            message = f"a driver takes no `{key}`"
            collector.add_at_key((*draft.path, key), "not-for-a-driver", message, help=help)


def _check_window(
    draft: SourceDraft, connector: Connector, time: str | None, collector: ProblemCollector
) -> None:
    """A window is there if the connector needs one, and not if its records have no time."""
    if draft.role != "lookup" or connector.lookup is None:
        return
    if "window" in draft.block and connector.order != "time":
        message = f"records of `{connector.name}` have no time that a `window` could bound"
        collector.add_at_key((*draft.path, "window"), "window-without-time", message, help="remove it")
    is_there = any(edited_once(key, "window") for key in draft.block)
    if not is_there and connector.needs_window:
        message = f"`{connector.name}` needs a `window` to read within"
        help = f"add `window: {{around: {time or 'a_timestamp_of_the_row'}, before: 1h, after: 1h}}`"
        collector.add_at_key(draft.path, "missing-window", message, help=help)


def _check_duplicates(draft: SourceDraft, connector: Connector, collector: ProblemCollector) -> None:
    """`duplicates` chooses among matches that have an order."""
    path = (*draft.path, "join", "duplicates")
    if draft.join is None or path not in collector.source_map.key_spans:
        return
    word, order = draft.join.duplicates, connector.order
    if draft.join.shape != "columns":
        message = (
            f"`as: {draft.join.shape}` takes all matches, so there is nothing for `duplicates` to choose"
        )
        collector.add_at_key(path, "idle-duplicates", message, help="remove `duplicates` or `as`")
    elif (word == "first" and order == "none") or (word == "latest" and order != "time"):
        lacking = "order, so none is the first" if word == "first" else "time, so none is the latest"
        help = "write `first` or `fail`" if word == "latest" and order == "position" else "write `fail`"
        collector.add_at(path, "no-order", f"records of `{connector.name}` have no {lacking}", help=help)


def _check_required_with_keep(draft: SourceDraft, collector: ProblemCollector) -> None:
    """`missing: keep` keeps a row without a match, which a required column then refuses."""
    path = (*draft.path, "join", "missing")
    if draft.join is None or draft.join.missing != "keep" or draft.join.shape == "list":
        return
    columns = (draft.columns or {}).values()
    name = next((column.name for column in columns if column and column.required), None)
    if name is not None and path in collector.source_map.key_spans:
        message = f"`keep` keeps a row without a match, and the required column {excerpt(name)} refuses it"
        help = "write `missing: fail`, or leave `required` out"
        note = f"required at line {collector.line((*draft.path, 'columns', name))}"
        collector.add_at(path, "required-keep", message, help=help, note=note, level="warning")


def _check_empty_columns(draft: SourceDraft, collector: ProblemCollector) -> None:
    """The elements of a list have columns, and so has the driving source, to which all else is joined."""
    if draft.columns == {} and "columns" in draft.block and (draft.shape == "list" or draft.role == "driver"):
        message = "a list of records without a column cannot be written"
        if draft.role == "driver":
            message = "the driving source gives no column, so nothing can be joined to it"
        help = "name a column, or leave `columns` out"
        collector.add_at((*draft.path, "columns"), "no-columns", message, help=help)


def _check_unused_steps(draft: SourceDraft, collector: ProblemCollector) -> None:
    """Each decoded field is taken by a column."""
    if not draft.columns or not all(draft.columns.values()):
        return
    taken = {str(column.selector[0]): None for column in draft.columns.values() if column}
    taken |= {field: None for _, field in draft.on}
    for field in draft.decode:
        if field not in taken:
            meant = nearest(field, taken)
            help = f"did you mean `{meant}`?" if meant else "remove it, or take it by a column's `from`"
            message = f"no column takes {excerpt(field)}, so decoding it is for nothing"
            collector.add_at_key((*draft.path, "decode", field), "unused-decode", message, help=help)


def _check_step_order(
    draft: SourceDraft, connector: Connector, field: str, steps: tuple[Step, ...], collector: ProblemCollector
) -> None:
    """Each step takes what the one before it gives."""
    value, before = (ANY if connector.gives_binary else PLAIN), None
    for number, step in enumerate(steps):
        word = step.word
        if value not in STEP_TAKES[word]:
            giver = f"`{before}` gives {value}" if before else f"`{connector.name}` gives no binary"
            message = f"`{word}` takes {WANTED_BY_STEP[word]}, and {giver}"
            remove = f"remove `{word}`, or what stands before it"
            help = "put `base64` before it" if word == "gzip" else remove
            collector.add_at((*draft.path, "decode", field, number), "step-order", message, help=help)
            return
        value, before = STEP_GIVES[word], word


def _check_column(
    draft: SourceDraft, connector: Connector, column: Column, collector: ProblemCollector
) -> None:
    """The field that a column takes is known, and can be of its type."""
    if column.origin in OBJECT_FACTS:
        _check_object_fact(draft, column, collector)
        return
    field = str(column.selector[0])
    known = known_fields(draft)
    if known is not None and field not in known:
        _add_unknown_field(draft, column, known, collector)
        return
    steps = draft.decode.get(field, ())
    if steps is not None:
        _check_decoded_column(draft, connector, column, steps[-1] if steps else None, collector)


def _origin_span(draft: SourceDraft, column: Column, collector: ProblemCollector) -> Span:
    """Where a column says what it takes: its `from`, else its own name."""
    path = (*draft.path, "columns", column.name)
    if (*path, "from") in collector.source_map.key_spans:
        return collector.span((*path, "from"))
    return collector.source_map.key_span(path)


def _check_object_fact(draft: SourceDraft, column: Column, collector: ProblemCollector) -> None:
    """Only a driver takes `$object`, `$modified` or `$etag`, each in a column of its type."""
    path = (*draft.path, "columns", column.name)
    word = FACT_TYPES[column.origin]
    if draft.role == "lookup":
        message = f"`{column.origin}` is known of the driving object only"
        collector.add_at((*path, "from"), "object-fact", message, help="take it in the driving source")
    elif column.type.word != word:
        message = f"`{column.origin}` is a {word}, and the column is `{column.type}`"
        collector.add_at((*path, "type"), "wrong-column-type", message, help=f"write `type: {word}`")


def _add_unknown_field(
    draft: SourceDraft, column: Column, known: tuple[str, ...], collector: ProblemCollector
) -> None:
    field = str(column.selector[0])
    help = help_for(field, known, "field", None)
    has_from = (*draft.path, "columns", column.name, "from") in collector.source_map.key_spans
    if not has_from and (meant := nearest(field, known)):
        help = f"did you mean `{column.name}: {{type: {column.type}, from: {meant}}}`?"
    message = f"no field of {excerpt(draft.name)} is called {excerpt(field)}"
    span, level = _origin_span(draft, column, collector), level_of_unknown_field(draft)
    collector.add(span, "unknown-field", message, help=help, level=level)


def _check_decoded_column(
    draft: SourceDraft, connector: Connector, column: Column, last: Step | None, collector: ProblemCollector
) -> None:
    """What the last decode step gives, or the connector without steps, can be what the column takes of it."""
    value = STEP_GIVES[last.word] if last else ANY if connector.gives_binary else PLAIN
    field, place = column.selector[0], column.selector[1:]
    names = list(last.argument.names) if value == FIELDS and last else []
    if value == FIELDS and place and place[0] not in names:
        help = help_for(str(place[0]), names, "field", None)
        message = f"the `{last.word if last else ''}` of {excerpt(field)} gives no field {excerpt(place[0])}"
        collector.add(_origin_span(draft, column, collector), "unknown-field", message, help=help)
        return
    fitting = {BINARY: "binary", TIME: "timestamp", FIELDS: "struct"}.get(value)
    gives = f"`{last.word}` gives {value}" if last else ""
    if place and value in (BINARY, TIME):
        message = f"{gives}, and nothing stands within that"
        help = "add the step `json`" if value == BINARY else f"take it whole, as in `from: {field}`"
        if column is _first_column_within(draft, str(field)):
            collector.add(_origin_span(draft, column, collector), "wrong-column-type", message, help=help)
    elif not place and fitting and column.type.word != fitting:
        help = f"write the type `{fitting}`"
        if value == FIELDS:
            help = f"take one, as in `from: {field}.{names[0]}`"
        _add_wrong_type(draft, column, f"{gives}, and the column is `{column.type}`", help, collector)
    elif not place and value == PLAIN and column.type.word == "binary":
        giver = "json" if last else connector.name
        help = f"decode text: `decode: {{{field}: [base64]}}`"
        message = f"`{giver}` gives no binary, and the column is `binary`"
        _add_wrong_type(draft, column, message, help, collector)


def _first_column_within(draft: SourceDraft, field: str) -> Column:
    """The first column that takes something within a field."""
    columns = (column for column in (draft.columns or {}).values() if column)
    return next(column for column in columns if column.selector[0] == field and column.selector[1:])


def _add_wrong_type(
    draft: SourceDraft, column: Column, message: str, help: str, collector: ProblemCollector
) -> None:
    path = (*draft.path, "columns", column.name)
    has_type_key = (*path, "type") in collector.source_map.key_spans
    span_path = (*path, "type") if has_type_key else path
    collector.add_at(span_path, "wrong-column-type", message, help=help)
