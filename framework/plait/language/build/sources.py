"""Build the sources of a spec, and put its look-ups in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.language.build.columns import build_columns, build_decode
from plait.language.build.connectors import named_connector
from plait.language.keys import JoinBlock, RetryBlock, SourceBlock, WindowBlock
from plait.language.spec import Join, Source, TimeWindow
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plait.language.build.values import Reader
    from plait.language.source_map import KeyPath
MISSING_RULES = ("keep", "drop", "fail")


def build_source(name: str, block: Mapping[str, Any], reader: Reader) -> Source | None:
    """The source of a block of `sources`; None if its connector or options cannot be read."""
    path: KeyPath = ("sources", name)
    values = reader.struct(SourceBlock, block, path)
    connector = reader.call((*path, "connector"), named_connector, block["connector"])
    options = connector and reader.struct(connector.options, block, path)
    columns = build_columns(block.get("columns") or {}, (*path, "columns"), reader)
    decode = build_decode(block.get("decode") or {}, (*path, "decode"), reader)
    join = build_join(block["join"], (*path, "join"), reader) if "join" in block else None
    window = reader.struct(WindowBlock, block["window"], (*path, "window")) if "window" in block else None
    if values is None or options is None or connector is None:
        return None
    source = Source(
        name=name,
        connector=connector,
        options=options,
        columns=None if values.columns is None else columns,
        decode=decode,
        join=join,
        window=window and TimeWindow(column=window.around, before=window.before, after=window.after),
        cache=values.cache,
    )
    reader.call((*path, "connector"), known_fields, source)
    return source


def build_join(block: Mapping[str, Any], path: KeyPath, reader: Reader) -> Join | None:
    """The join of a block."""
    values = reader.struct(JoinBlock, block, path)
    if values is None:
        return None
    retry_for, missing = None, values.missing
    if isinstance(missing, dict):
        retry = reader.struct(RetryBlock, missing, (*path, "missing"))
        retry_for, missing = retry and retry.retry_for, "retry"
    else:
        reader.call((*path, "missing"), _check_missing, missing)
    pairs = reader.value(block["on"], str | list[str] | dict[str, str], (*path, "on"))
    return Join(
        on=_pairs(pairs),
        shape=values.as_,
        missing=missing,
        retry_for=retry_for,
        duplicates=values.duplicates,
    )


def _check_missing(word: Any) -> None:
    if word not in MISSING_RULES:
        words = (*MISSING_RULES, "{retry_for: 10m}")
        message = f"{excerpt(word)} is no word for `missing`"
        raise SpecValueError(message, code="wrong-word", words=words, part=word)


def _pairs(on: str | list[str] | dict[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Pairs of a column of the row and a field of the source."""
    if isinstance(on, dict):
        return tuple(on.items())
    names = [on] if isinstance(on, str) else on or []
    return tuple((name, name) for name in dict.fromkeys(names))


def known_fields(source: Source) -> tuple[str, ...] | None:
    """The fields of a source's records, if its options alone tell them."""
    known, row_columns = source.role.known_fields(), source.row_columns
    return tuple(dict.fromkeys((*known, *row_columns))) if known else None


def order_of_lookups(lookups: Iterable[Source]) -> tuple[str, ...]:
    """The names of look-ups, each after those whose columns it needs, else as in the spec.

    Look-ups that wait for each other come last.
    """
    waiting = {source.name: source for source in lookups}
    order: list[str] = []
    while ready := [name for name, source in waiting.items() if not blockers(source, waiting.values())]:
        order += ready
        waiting = {name: source for name, source in waiting.items() if name not in ready}
    return (*order, *waiting)


def blockers(source: Source, others: Iterable[Source]) -> dict[str, str]:
    """The names of the other look-ups that a look-up waits for, each with the first column that it needs of it."""
    given = {other.name: other.output_columns for other in (source, *others)}
    needed_of: dict[str, str] = {}
    for column in source.needed_columns:
        for name, columns in given.items():
            if name != source.name and column in columns and column not in given[source.name]:
                needed_of.setdefault(name, column)
    return needed_of
