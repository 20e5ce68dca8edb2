"""The blocks of a spec, one by one: from a mapping to the frozen value, or problems in the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from plait import types
from plait.api import FolderPath, Pattern
from plait.language import (
    STEPS,
    STEPS_WITH_ARGUMENT,
    ColumnBlock,
    JoinBlock,
    QuarantineBlock,
    RetryBlock,
    SourceBlock,
    WindowBlock,
)
from plait.problems import excerpt
from plait.registry import Unusable, connector, offers
from plait.shape import Path, Report, kind_of, read
from plait.spec import Around, Column, Join, Partition, Quarantine, Source, Step, Target
from plait.suggest import help_for
from plait.values import Misfit, convert

if TYPE_CHECKING:
    from plait.api import Connector

COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
FUNCTION = re.compile(r"(\w+)\((.*)\)\Z", re.DOTALL)
TIMES = ("date", "month", "hour")
MAX_REGEX = 500


def read_source(name: str, block: Any, report: Report) -> Source | None:
    """One block of `sources`."""
    path: Path = ("sources", name)
    if not COLUMN_NAME.match(name):
        report.at_key(path, "bad-name", f"{excerpt(name)} is no name of letters, digits and `_`")
    found = _connector(block, path, report)
    if found is None:
        return None
    common, options = _split(block, found, path, report)
    decode = _decode((common and common.decode) or {}, path, report)
    columns = _columns(common and common.columns, path, report)
    join = _join(block["join"], (*path, "join"), report) if block.get("join") is not None else None
    window = _window(block["window"], (*path, "window"), report) if block.get("window") is not None else None
    failed = common is None or options is None or (block.get("join") is not None and join is None)
    if failed or (block.get("window") is not None and window is None):
        return None
    return Source(
        name=name,
        connector=found,
        options=options,
        columns=columns,
        decode=decode,
        join=join,
        window=window,
        cache=common.cache,
    )


def _connector(block: Any, path: Path, report: Report) -> Connector | None:
    if not isinstance(block, dict):
        report.at(path, "wrong-kind", f"expected a mapping, got {kind_of(block)}")
        return None
    word = block.get("connector")
    if not isinstance(word, str):
        place = report.at_key if word is None else report.at
        where = path if word is None else (*path, "connector")
        place(where, "missing-key", "`connector` is missing", help="the word of an installed connector")
        return None
    try:
        return usable(word)
    except Unusable as error:
        words = sorted({offer.word for offer in offers()})
        help = help_for(word, words, "connector", "`plait connectors`")
        if error.code != "unknown-connector":
            help = (
                "uninstall one of them"
                if error.code == "ambiguous-connector"
                else "`plait connectors` tells more"
            )
        note = error.note or f"installed: {', '.join(words)}"
        report.at((*path, "connector"), error.code, error.message, help=help, note=note)
        return None


def usable(word: str) -> Connector:
    """The connector of a word; raises Unusable, also where an option has the name of a common key."""
    found = connector(word)
    common = {f.encode_name for f in msgspec.structs.fields(SourceBlock)}
    clash = sorted(common.intersection(f.encode_name for f in msgspec.structs.fields(found.options)))
    if clash:
        message = f"the connector `{word}` has an option `{clash[0]}`, which is a key of the language"
        raise Unusable("broken-connector", message)
    return found


def _split(block: dict[str, Any], found: Connector, path: Path, report: Report) -> tuple[Any, Any]:
    """The common keys and the connector's own, read as one closed mapping."""
    fields = [*msgspec.structs.fields(SourceBlock), *msgspec.structs.fields(found.options)]
    merged = msgspec.defstruct(
        "Block",
        [
            (f.name, f.type, msgspec.field(name=f.encode_name, **_default(f)))
            for f in sorted(fields, key=lambda f: not f.required)
        ],
        kw_only=True,
    )
    whole = read(merged, block, path, report)
    if whole is None:
        return None, None
    return _part(SourceBlock, whole), _part(found.options, whole)


def _default(field: Any) -> dict[str, Any]:
    if field.default is not msgspec.NODEFAULT:
        return {"default": field.default}
    if field.default_factory is not msgspec.NODEFAULT:
        return {"default_factory": field.default_factory}
    return {}


def _part(cls: type[msgspec.Struct], whole: Any) -> Any:
    return cls(**{f.name: getattr(whole, f.name) for f in msgspec.structs.fields(cls)})


def _decode(blocks: dict[str, list[Any]], path: Path, report: Report) -> dict[str, tuple[Step, ...]]:
    decode = {}
    for field, steps in blocks.items():
        read_steps = [_step(one, (*path, "decode", field, i), report) for i, one in enumerate(steps)]
        decode[field] = tuple(step for step in read_steps if step)
    return decode


def _step(block: Any, path: Path, report: Report) -> Step | None:
    word, argument = block, None
    if isinstance(block, dict) and len(block) == 1:
        word, argument = next(iter(block.items()))
    if not isinstance(word, str) or word not in STEPS:
        help = help_for(str(word), STEPS, "step", None)
        report.at(path, "unknown-step", f"no decode step is called {excerpt(str(word))}", help=help)
        return None
    if (word in STEPS_WITH_ARGUMENT) != isinstance(argument, str):
        wanted = (
            f"`{word}` is written `{{{word}: …}}`"
            if word in STEPS_WITH_ARGUMENT
            else f"`{word}` stands alone"
        )
        report.at(path, "wrong-step", wanted)
        return None
    try:
        return Step(word, _argument(word, argument))  # type: ignore[arg-type]
    except (ValueError, re.error) as error:
        report.at(path, "wrong-step", f"{excerpt(str(argument))}: {error}")
        return None


def _argument(word: str, text: str | None) -> Any:
    if text is None:
        return None
    if word == "epoch":
        if text not in ("s", "ms", "us"):
            raise ValueError("the unit is `s`, `ms` or `us`")
        return text
    if word == "pattern":
        return Pattern.parse(text)
    return safe_regex(text)


def safe_regex(text: str) -> re.Pattern[str]:
    """Compile a user's expression; nested repetition, which can take for ever, is refused."""
    if len(text) > MAX_REGEX or re.search(r"[*+}]\??\)[*+{]", text):
        raise ValueError("an expression of at most 500 characters without nested repetition")
    compiled = re.compile(text)
    if not compiled.groupindex:
        raise ValueError("an expression needs named groups, as in `(?P<id>[0-9]+)`")
    return compiled


def _columns(blocks: dict[str, Any] | None, path: Path, report: Report) -> tuple[Column, ...] | None:
    if blocks is None:
        return None
    read_all = [_column(str(name), block, (*path, "columns", name), report) for name, block in blocks.items()]
    return tuple(column for column in read_all if column)


def _column(name: str, block: Any, path: Path, report: Report) -> Column | None:
    if not COLUMN_NAME.match(name):
        report.at_key(path, "bad-name", f"{excerpt(name)} is no name of letters, digits and `_`")
        return None
    if isinstance(block, str):
        try:
            return Column(name=name, type=types.parse(block), origin=name, selector=(name,))
        except ValueError as error:
            help = help_for(block, types.FORMS, "type", "`pipelines/README.md`")
            report.at(path, "unknown-type", str(error), help=help)
            return None
    read_block: ColumnBlock | None = read(ColumnBlock, block, path, report)
    if read_block is None:
        return None
    default = None if read_block.default is msgspec.UNSET else read_block.default
    if read_block.required and default is not None:
        report.at_key((*path, "default"), "required-default", "a required column has no use for a default")
    try:
        default = convert(default, read_block.type.kind)
    except Misfit as error:
        report.at((*path, "default"), "wrong-value", str(error), help=error.help)
    place = read_block.from_
    return Column(
        name=name,
        type=read_block.type.kind,
        origin=place.text if place else name,
        selector=place.steps if place else (name,),
        required=read_block.required,
        default=default,
    )


def _join(block: Any, path: Path, report: Report) -> Join | None:
    read_block: JoinBlock | None = read(JoinBlock, block, path, report)
    if read_block is None:
        return None
    on = _on(read_block.on, (*path, "on"), report)
    missing, retry_for = read_block.missing, None
    if isinstance(missing, dict):
        retry: RetryBlock | None = read(RetryBlock, missing, (*path, "missing"), report)
        if retry is None:
            return None
        missing, retry_for = "retry", retry.retry_for
    elif missing not in ("keep", "drop", "fail"):
        help = help_for(str(missing), ["keep", "drop", "fail", "{retry_for: 10m}"], "word", None)
        report.at(
            (*path, "missing"), "wrong-value", f"{excerpt(str(missing))} is no word for `missing`", help=help
        )
        return None
    if on is None:
        return None
    return Join(
        on=on,
        shape=read_block.as_,
        missing=missing,
        retry_for=retry_for,
        duplicates=read_block.duplicates,
    )


def _on(value: Any, path: Path, report: Report) -> tuple[tuple[str, str], ...] | None:
    if isinstance(value, str):
        return ((value, value),)
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return tuple((one, one) for one in value)
    if isinstance(value, dict) and value and all(isinstance(one, str) for one in value.values()):
        return tuple(value.items())
    message = f"expected a column, a list of columns or `{{column: field}}`, got {kind_of(value)}"
    report.at(path, "wrong-kind", message)
    return None


def _window(block: Any, path: Path, report: Report) -> Around | None:
    found: WindowBlock | None = read(WindowBlock, block, path, report)
    return Around(column=found.around, before=found.before, after=found.after) if found else None


def read_sink(block: Any, report: Report) -> Target | None:
    """The `sink` block."""
    found = _connector(block, ("sink",), report)
    if found is None:
        return None
    if found.sink is None:
        report.at(("sink", "connector"), "not-a-sink", f"`{found.name}` cannot write")
        return None
    own = {key: value for key, value in block.items() if key != "connector"}
    options = read(found.options, own, ("sink",), report)
    return Target(connector=found, options=options) if options is not None else None


def read_quarantine(block: Any, report: Report) -> Quarantine | None:
    """The `quarantine` key: a path, or a block."""
    if block is None:
        return None
    short = isinstance(block, str)
    path: Path = ("quarantine",)
    if short:
        try:
            return Quarantine(path=FolderPath.parse(block).literal)
        except ValueError as error:
            report.at(path, "wrong-value", str(error))
            return None
    found: QuarantineBlock | None = read(QuarantineBlock, block, path, report)
    return Quarantine(path=found.path.literal, payload=found.payload) if found else None


def read_partitions(blocks: Any, report: Report) -> list[Partition]:
    """The `partition_by` block."""
    read_all = [
        _partition(name, text, report)
        for name, text in (blocks.items() if isinstance(blocks, dict) else ())
        if isinstance(text, str)
    ]
    return [partition for partition in read_all if partition]


def _partition(name: str, text: str, report: Report) -> Partition | None:
    path: Path = ("partition_by", name)
    found = FUNCTION.match(text)
    if not COLUMN_NAME.match(name):
        report.at_key(path, "bad-name", f"{excerpt(name)} is no name of letters, digits and `_`")
        return None
    if not found:
        return Partition(name=name, function="column", column=text)
    word, arguments = found[1], [one.strip() for one in found[2].split(",")]
    if word in TIMES and len(arguments) in (1, 2):
        zone = arguments[1] if len(arguments) == 2 else "UTC"
        if _zone(zone, path, report):
            return Partition(name=name, function=word, column=arguments[0], zone=zone)  # type: ignore[arg-type]
        return None
    if (
        word == "bucket"
        and len(arguments) == 2
        and arguments[0].isdecimal()
        and 0 < int(arguments[0]) < 1 << 31
    ):
        return Partition(name=name, function="bucket", column=arguments[1], buckets=int(arguments[0]))
    forms = ["date(c)", "month(c)", "hour(c)", "date(c, Europe/Madrid)", "bucket(n, c)"]
    help = help_for(word, [*TIMES, "bucket"], "function", None)
    report.at(path, "unknown-function", f"{excerpt(text)} is none of {', '.join(forms)}", help=help)
    return None


def _zone(zone: str, path: Path, report: Report) -> bool:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        help = help_for(zone, available_timezones(), "time zone", "`timedatectl list-timezones`")
        report.at(path, "unknown-zone", f"no time zone is called {excerpt(zone)}", help=help)
        return False
    return True
