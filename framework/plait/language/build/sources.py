"""One block of `sources`: whatever could be read of it, and the source where that is all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from plait.language.build.columns import check_name, read_columns, read_decode
from plait.language.keys import JoinBlock, RetryBlock, SourceBlock, WindowBlock
from plait.language.misplaced_keys import is_column, synonym
from plait.language.spec import Around, Join, Source
from plait.language.struct_fields import fields_of
from plait.language.structure import ProblemCollector, add_wrong_kind, read_keys, read_struct
from plait.language.wording import flow_style, kind_of
from plait.plugin import PlaitError
from plait.plugin.registry import ConnectorUnavailable, connector, offers
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.language.spec import Column
    from plait.language.structure import BlockValues
    from plait.plugin import Connector
    from plait.values.decode import Step

SHOWS = "`plait connectors` shows which can"
Role = Literal["driver", "lookup", "unclear"]


@dataclass(slots=True)
class SourceDraft:
    """What is known of a source; parts that could not be read are None, and then it is not `whole`."""

    name: str
    raw: Any
    role: Role = "unclear"
    whole: bool = True
    connector: Connector | None = None
    options: Any = None
    columns: dict[str, Column | None] | None = field(default_factory=dict)
    decode: dict[str, tuple[Step, ...] | None] = field(default_factory=dict)
    on: tuple[tuple[str, str], ...] = ()
    join: Join | None = None
    window: Around | None = None
    cache: Any = None

    @property
    def path(self) -> KeyPath:
        """Where the block stands."""
        return ("sources", self.name)

    @property
    def shape(self) -> str | None:
        """What a lookup's matches become; None where that could not be read."""
        return self.join.shape if self.join else "columns" if self.role == "driver" else None

    @property
    def source(self) -> Source | None:
        """The source, where the block has no problem of its own."""
        if not self.whole or self.connector is None:
            return None
        columns = self.columns
        return Source(
            name=self.name,
            connector=self.connector,
            options=self.options,
            columns=None if columns is None else tuple(one for one in columns.values() if one),
            decode={name: steps for name, steps in self.decode.items() if steps},
            join=self.join,
            window=self.window,
            cache=self.cache,
        )


def read_sources(blocks: Any, collector: ProblemCollector) -> list[SourceDraft]:
    """Read the blocks of `sources`, each as far as it goes."""
    if not isinstance(blocks, dict):
        return []
    if isinstance(blocks.get("connector"), str):
        message = "`connector` stands right below `sources`, without the name of a source"
        path: KeyPath = ("sources", "connector")
        collector.add_at_key(path, "misplaced-block", message, help="write a name such as `orders:` above it")
        blocks = {name: one for name, one in blocks.items() if isinstance(one, dict) and "connector" in one}
        unnamed = SourceDraft("connector", {}, whole=False, columns=None)
        return [unnamed, *(read_source(name, one, collector) for name, one in blocks.items())]
    return [read_source(name, one, collector) for name, one in blocks.items()]


def read_source(name: str, raw: Any, collector: ProblemCollector) -> SourceDraft:
    """Read one block of `sources` as far as it goes, reporting each of its problems."""
    block = SourceDraft(name, raw)
    named = check_name(name, block.path, collector)
    if block.path in collector.source_map.merged_mappings or not isinstance(raw, dict):
        if not isinstance(raw, dict):
            add_wrong_kind(
                raw, "a mapping", block.path, collector, "write its `connector` and options below it"
            )
        block.columns, block.whole = None, False
        return block
    block.raw = raw = _columns_out_of_decode(raw, block.path, collector)
    block.connector = read_connector(raw, block.path, collector)
    block.role = _role(raw)
    able = block.connector is not None and _able(block, block.connector, collector)
    keys = {
        **fields_of(SourceBlock),
        **(fields_of(block.connector.options) if able and block.connector else {}),
    }
    del keys["connector"]
    rest = {key: value for key, value in raw.items() if key != "connector"}
    given = read_keys(keys, rest, block.path, collector, closed=able)
    _parts(block, given, collector)
    if able and given.complete and block.connector:
        block.options = _options(block.connector, given, block.path, collector)
    block.whole = named and block.options is not None and _whole(block)
    return block


def _columns_out_of_decode(raw: dict[str, Any], path: KeyPath, collector: ProblemCollector) -> dict[str, Any]:
    """The block with columns in their place that stand below `decode`, as where the line `columns:` is missing."""
    steps = raw.get("decode")
    found = {key: one for key, one in steps.items() if is_column(one)} if isinstance(steps, dict) else {}
    if not found or "columns" in raw or not isinstance(steps, dict):
        return raw
    first = next(iter(found))
    message = f"{excerpt(first)} is a column, and stands among the decode steps"
    collector.add_at_key(
        (*path, "decode", first), "misplaced-block", message, help="write `columns:` above it"
    )
    rest = {key: one for key, one in steps.items() if key not in found}
    for key in rest:
        collector.mute_key((*path, "decode", key))
    return {**raw, "decode": rest, "columns": found}


def _role(raw: dict[str, Any]) -> Role:
    if "join" in raw:
        return "lookup"
    near = any(edited_once(key, "join") for key in raw)
    return "unclear" if near or "connector" not in raw else "driver"


def _able(block: SourceDraft, found: Connector, collector: ProblemCollector) -> bool:
    """Whether the connector can do what the block asks of it."""
    word, where = found.name, (*block.path, "connector")
    if block.role == "lookup" and found.lookup is None:
        help = "leave out `join` if it drives, else use another connector" if found.driver else SHOWS
        collector.add_at(
            where, "not-a-lookup", f"`{word}` cannot be asked by keys, as a `join` does", help=help
        )
    elif block.role == "driver" and found.driver is None:
        help = "give the source a `join`" if found.lookup else SHOWS
        collector.add_at(
            where, "not-a-driver", f"`{word}` cannot drive, and the source has no `join`", help=help
        )
    else:
        return True
    block.role = "unclear"
    return False


def _options(found: Connector, given: BlockValues, path: KeyPath, collector: ProblemCollector) -> Any:
    """The options, where the connector itself can make something of them."""
    own = {word: one for word, one in given.values.items() if word in fields_of(found.options)}
    options = type(given)(own).struct(found.options, path, collector)
    try:
        if options is not None:
            found.known_fields(options)
            found.row_columns(options)
    except PlaitError as error:
        collector.add_at((*path, "connector"), error.code, error.message, help=error.help)
        return None
    return options


def _parts(block: SourceDraft, given: BlockValues, collector: ProblemCollector) -> None:
    columns = given.get("columns")
    block.columns = None if columns is None else read_columns(columns, (*block.path, "columns"), collector)
    block.decode = read_decode(given.get("decode") or {}, (*block.path, "decode"), collector)
    block.cache = given.get("cache")
    if "join" in given.values:
        _join(block, given.get("join"), collector)
    if "window" in given.values:
        path = (*block.path, "window")
        found = read_struct(WindowBlock, given.get("window"), path, collector)
        if found is not None:
            block.window = Around(column=found.around, before=found.before, after=found.after)


def _whole(block: SourceDraft) -> bool:
    parts: list[object] = [*(block.columns or {}).values(), *block.decode.values()]
    parts += [block.join] if "join" in block.raw else []
    parts += [block.window] if "window" in block.raw else []
    return all(parts)


def read_connector(block: dict[str, Any], path: KeyPath, collector: ProblemCollector) -> Connector | None:
    """The connector that a block names, or None after telling why there is none."""
    word = block.get("connector")
    where = (*path, "connector")
    if "connector" not in block:
        _no_connector(block, path, collector)
        return None
    if not isinstance(word, str):
        add_wrong_kind(
            word, "text", where, collector, "the word of an installed connector, as in `connector: json`"
        )
        return None
    try:
        return usable(word)
    except ConnectorUnavailable as error:
        help = "`plait connectors` tells more"
        if error.code == "unknown-connector":
            help = help_for(
                word, sorted({offer.word for offer in offers()}), "connector", "`plait connectors`"
            )
        elif error.code == "ambiguous-connector":
            help = "uninstall one of them"
        collector.add_at(where, error.code, error.message, help=help, note=error.note)
        return None


def _no_connector(block: dict[str, Any], path: KeyPath, collector: ProblemCollector) -> None:
    """Tell that there is no `connector`: of the key that stands in its place, if there is one."""
    words = {offer.word for offer in offers()}
    others = [key for key in block if key not in fields_of(SourceBlock)]
    for key in others:
        value = block[key] if isinstance(block[key], str) else ""
        if edited_once(key, "connector") or value in words or synonym(key, ["connector"]):
            word = nearest(value, words) or "json"
            help = f"did you mean `connector: {word}`?"
            collector.add_at_key((*path, key), "unknown-key", f"unknown key {excerpt(key)}", help=help)
            return
    help = "the word of an installed connector, as in `connector: json`"
    collector.add_at_key(path, "missing-key", "`connector` is missing", help=help)


def usable(word: str) -> Connector:
    """The connector of a word; raises ConnectorUnavailable, also where its options are no struct that a block could have."""
    found = connector(word)
    try:
        msgspec.convert({}, found.options)
    except msgspec.ValidationError:
        pass
    except (Exception, SystemExit) as error:
        message = f"the options of the connector `{word}` cannot be read: {str(error)[:200]}"
        raise ConnectorUnavailable("broken-connector", message) from error
    clash = sorted(fields_of(SourceBlock).keys() & fields_of(found.options).keys())
    if clash:
        message = f"the connector `{word}` has an option `{clash[0]}`, which is a key of the language"
        raise ConnectorUnavailable("broken-connector", message)
    return found


def _join(block: SourceDraft, raw: Any, collector: ProblemCollector) -> None:
    path = (*block.path, "join")
    help = f"write `join: {{on: {flow_style(raw)[:40]}}}`" if isinstance(raw, (str, list)) else None
    given = read_keys(fields_of(JoinBlock), raw, path, collector, help=help)
    if "on" in given.values:
        block.on = _on(given.get("on"), (*path, "on"), collector) or ()
    missing, retry_for = _missing(given, path, collector)
    if given.complete and block.on and missing:
        block.join = Join(
            on=block.on,
            shape=given.values.get("as", "columns"),
            missing=missing,
            retry_for=retry_for,
            duplicates=given.values.get("duplicates", "fail"),
        )


def _missing(given: BlockValues, path: KeyPath, collector: ProblemCollector) -> tuple[Any, Any]:
    value, path = given.values.get("missing", "keep"), (*path, "missing")
    if value in ("keep", "drop", "fail"):
        return value, None
    if isinstance(value, dict):
        found = read_struct(RetryBlock, value, path, collector)
        return (None, None) if found is None else ("retry", found.retry_for)
    if not isinstance(value, str):
        add_wrong_kind(value, "a word", path, collector, "write `keep`, `drop`, `fail` or `{retry_for: 10m}`")
        return None, None
    help = help_for(value, ["keep", "drop", "fail", "{retry_for: 10m}"], "word", None)
    collector.add_at(path, "wrong-word", f"{excerpt(value)} is no word for `missing`", help=help)
    return None, None


def _on(value: Any, path: KeyPath, collector: ProblemCollector) -> tuple[tuple[str, str], ...] | None:
    if isinstance(value, str) and value:
        return ((value, value),)
    if isinstance(value, (list, dict)) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return _pairs(list(pairs), isinstance(value, dict), path, collector)
    message = f"expected a column, a list of columns or `{{column: field}}`, got {kind_of(value)}"
    collector.add_at(path, "wrong-kind", message, help="write the column to join on, as in `on: id`")
    return None


def _pairs(
    pairs: list[tuple[Any, Any]], mapping: bool, path: KeyPath, collector: ProblemCollector
) -> tuple[tuple[str, str], ...] | None:
    found: dict[tuple[str, str], None] = {}
    for step, one in pairs:
        if not isinstance(one, str) or not one:
            help = "write it as `{column: field}`" if isinstance(one, dict) else "write its name"
            add_wrong_kind(one, "a field" if mapping else "a column", (*path, step), collector, help)
            return None
        pair = (step, one) if mapping else (one, one)
        if pair in found:
            collector.add_at(
                (*path, step), "repeated-key", f"{excerpt(one)} is listed twice", help="keep one"
            )
        found[pair] = None
    return tuple(found)
