"""Read the blocks of `sources`: each becomes a draft with all that could be read, and a `Source` if it is complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from plait.language.drafts.collector import BlockValues, add_wrong_kind, read_keys, read_struct
from plait.language.drafts.columns import check_name, read_columns, read_decode
from plait.language.drafts.connectors import read_connector
from plait.language.keys import JoinBlock, RetryBlock, SourceBlock, WindowBlock
from plait.language.misplaced_keys import is_column
from plait.language.spec import Join, Source, TimeWindow
from plait.language.struct_fields import fields_of
from plait.language.wording import flow_style, kind_of
from plait.plugin import PlaitError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for

if TYPE_CHECKING:
    from plait.language.drafts.collector import ProblemCollector
    from plait.language.source_map import KeyPath
    from plait.language.spec import Column
    from plait.plugin import Connector
    from plait.values.decode import Step

CAPABLE_HELP = "`plait connectors` shows which can"
Role = Literal["driver", "lookup", "unclear"]


@dataclass(slots=True)
class SourceDraft:
    """What could be read of the block of a source; parts that could not be read are None.

    `block` is the mapping as it was written. `complete` is whether the block has no problem of its own.
    """

    name: str
    block: Any
    role: Role = "unclear"
    complete: bool = True
    connector: Connector | None = None
    options: Any = None
    columns: dict[str, Column | None] | None = field(default_factory=dict)
    decode: dict[str, tuple[Step, ...] | None] = field(default_factory=dict)
    on: tuple[tuple[str, str], ...] = ()
    join: Join | None = None
    window: TimeWindow | None = None
    cache: Any = None

    @property
    def path(self) -> KeyPath:
        """Where the block stands in the spec."""
        return ("sources", self.name)

    @property
    def shape(self) -> str | None:
        """What the matches of a look-up become; None where that could not be read."""
        return self.join.shape if self.join else "columns" if self.role == "driver" else None

    @property
    def source(self) -> Source | None:
        """The source, if the block is complete."""
        if not self.complete or self.connector is None:
            return None
        columns = self.columns
        return Source(
            name=self.name,
            connector=self.connector,
            options=self.options,
            columns=None if columns is None else tuple(column for column in columns.values() if column),
            decode={name: steps for name, steps in self.decode.items() if steps},
            join=self.join,
            window=self.window,
            cache=self.cache,
        )


def read_sources(blocks: Any, collector: ProblemCollector) -> list[SourceDraft]:
    """Read the blocks of `sources`, reporting each of their problems."""
    if not isinstance(blocks, dict):
        return []
    if isinstance(blocks.get("connector"), str):
        message = "`connector` stands right below `sources`, without the name of a source"
        path: KeyPath = ("sources", "connector")
        collector.add_at_key(path, "misplaced-block", message, help="write a name such as `orders:` above it")
        named = {
            name: block for name, block in blocks.items() if isinstance(block, dict) and "connector" in block
        }
        unnamed = SourceDraft("connector", {}, complete=False, columns=None)
        return [unnamed, *(read_source(name, block, collector) for name, block in named.items())]
    return [read_source(name, block, collector) for name, block in blocks.items()]


def read_source(name: str, block: Any, collector: ProblemCollector) -> SourceDraft:
    """Read what can be read of one block of `sources`, reporting each of its problems."""
    draft = SourceDraft(name, block)
    path = draft.path
    has_valid_name = check_name(name, path, collector)
    if path in collector.source_map.merged_mappings or not isinstance(block, dict):
        if not isinstance(block, dict):
            add_wrong_kind(block, "a mapping", path, collector, "write its `connector` and options below it")
        draft.columns, draft.complete = None, False
        return draft
    draft.block = block = _with_columns_out_of_decode(block, path, collector)
    draft.connector = read_connector(block, path, collector)
    draft.role = _role(block)
    options = None
    if draft.connector and _check_capability(draft, draft.connector, collector):
        options = fields_of(draft.connector.options)
    keys = {**fields_of(SourceBlock), **(options or {})}
    del keys["connector"]
    others = {key: value for key, value in block.items() if key != "connector"}
    values = read_keys(keys, others, path, collector, closed=options is not None)
    _read_parts(draft, values, collector)
    if options is not None and values.complete and draft.connector:
        draft.options = _options(draft.connector, values, path, collector)
    draft.complete = has_valid_name and draft.options is not None and _has_all_parts(draft)
    return draft


def _with_columns_out_of_decode(
    block: dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> dict[str, Any]:
    """Move columns from below `decode` to `columns`, where the line `columns:` was forgotten."""
    steps = block.get("decode")
    if not isinstance(steps, dict) or "columns" in block:
        return block
    columns = {key: value for key, value in steps.items() if is_column(value)}
    if not columns:
        return block
    first = next(iter(columns))
    message = f"{excerpt(first)} is a column, and stands among the decode steps"
    collector.add_at_key(
        (*path, "decode", first), "misplaced-block", message, help="write `columns:` above it"
    )
    rest = {key: value for key, value in steps.items() if key not in columns}
    for key in rest:
        collector.mute_key((*path, "decode", key))
    return {**block, "decode": rest, "columns": columns}


def _role(block: dict[str, Any]) -> Role:
    if "join" in block:
        return "lookup"
    misspelt = any(edited_once(key, "join") for key in block)
    return "unclear" if misspelt or "connector" not in block else "driver"


def _check_capability(draft: SourceDraft, connector: Connector, collector: ProblemCollector) -> bool:
    """Whether the connector can drive, or be joined, as the block asks; else the role becomes unclear."""
    word, path = connector.name, (*draft.path, "connector")
    if draft.role == "lookup" and connector.lookup is None:
        message = f"`{word}` cannot be asked by keys, as a `join` does"
        drives = "leave out `join` if it drives, else use another connector"
        help = drives if connector.driver else CAPABLE_HELP
        collector.add_at(path, "not-a-lookup", message, help=help)
    elif draft.role == "driver" and connector.driver is None:
        message = f"`{word}` cannot drive, and the source has no `join`"
        help = "give the source a `join`" if connector.lookup else CAPABLE_HELP
        collector.add_at(path, "not-a-driver", message, help=help)
    else:
        return True
    draft.role = "unclear"
    return False


def _options(connector: Connector, values: BlockValues, path: KeyPath, collector: ProblemCollector) -> Any:
    """The options of the connector; None if it refuses them."""
    own_keys = fields_of(connector.options)
    own_values = {word: value for word, value in values.values.items() if word in own_keys}
    options = BlockValues(own_values).make_struct(connector.options, path, collector)
    try:
        if options is not None:
            connector.known_fields(options)
            connector.row_columns(options)
    except PlaitError as error:
        collector.add_at((*path, "connector"), error.code, error.message, help=error.help)
        return None
    return options


def _read_parts(draft: SourceDraft, values: BlockValues, collector: ProblemCollector) -> None:
    """Read the columns, decode steps, join, window and cache into the draft."""
    columns = values.get("columns")
    draft.columns = None if columns is None else read_columns(columns, (*draft.path, "columns"), collector)
    draft.decode = read_decode(values.get("decode") or {}, (*draft.path, "decode"), collector)
    draft.cache = values.get("cache")
    if "join" in values.values:
        _read_join(draft, values.get("join"), collector)
    if "window" in values.values:
        path = (*draft.path, "window")
        window = read_struct(WindowBlock, values.get("window"), path, collector)
        if window is not None:
            draft.window = TimeWindow(column=window.around, before=window.before, after=window.after)


def _has_all_parts(draft: SourceDraft) -> bool:
    parts: list[object] = [*(draft.columns or {}).values(), *draft.decode.values()]
    parts += [draft.join] if "join" in draft.block else []
    parts += [draft.window] if "window" in draft.block else []
    return all(parts)


def _read_join(draft: SourceDraft, block: Any, collector: ProblemCollector) -> None:
    path = (*draft.path, "join")
    help = f"write `join: {{on: {flow_style(block)[:40]}}}`" if isinstance(block, (str, list)) else None
    values = read_keys(fields_of(JoinBlock), block, path, collector, help=help)
    if "on" in values.values:
        draft.on = _read_on(values.get("on"), (*path, "on"), collector) or ()
    missing, retry_for = _read_missing(values, path, collector)
    if values.complete and draft.on and missing:
        draft.join = Join(
            on=draft.on,
            shape=values.values.get("as", "columns"),
            missing=missing,
            retry_for=retry_for,
            duplicates=values.values.get("duplicates", "fail"),
        )


def _read_missing(values: BlockValues, path: KeyPath, collector: ProblemCollector) -> tuple[Any, Any]:
    """The word of `missing`, and for how long to retry; both None if it could not be read."""
    value, path = values.values.get("missing", "keep"), (*path, "missing")
    if value in ("keep", "drop", "fail"):
        return value, None
    if isinstance(value, dict):
        retry = read_struct(RetryBlock, value, path, collector)
        return (None, None) if retry is None else ("retry", retry.retry_for)
    if not isinstance(value, str):
        add_wrong_kind(value, "a word", path, collector, "write `keep`, `drop`, `fail` or `{retry_for: 10m}`")
        return None, None
    help = help_for(value, ["keep", "drop", "fail", "{retry_for: 10m}"], "word", None)
    collector.add_at(path, "wrong-word", f"{excerpt(value)} is no word for `missing`", help=help)
    return None, None


def _read_on(value: Any, path: KeyPath, collector: ProblemCollector) -> tuple[tuple[str, str], ...] | None:
    """Pairs of a column of the row and a field of the source; None if one could not be read."""
    if isinstance(value, str) and value:
        return ((value, value),)
    if isinstance(value, (list, dict)) and value:
        return _read_pairs(value, path, collector)
    message = f"expected a column, a list of columns or `{{column: field}}`, got {kind_of(value)}"
    collector.add_at(path, "wrong-kind", message, help="write the column to join on, as in `on: id`")
    return None


def _read_pairs(
    value: list[Any] | dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> tuple[tuple[str, str], ...] | None:
    is_mapping = isinstance(value, dict)
    pairs: dict[tuple[Any, str], None] = {}
    for step, field_name in value.items() if isinstance(value, dict) else enumerate(value):
        if not isinstance(field_name, str) or not field_name:
            help = "write it as `{column: field}`" if isinstance(field_name, dict) else "write its name"
            expected = "a field" if is_mapping else "a column"
            add_wrong_kind(field_name, expected, (*path, step), collector, help)
            return None
        pair = (step if is_mapping else field_name, field_name)
        if pair in pairs:
            message = f"{excerpt(field_name)} is listed twice"
            collector.add_at((*path, step), "repeated-key", message, help="keep one")
        pairs[pair] = None
    return tuple(pairs)
