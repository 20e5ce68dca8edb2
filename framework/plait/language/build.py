"""Build the frozen `Spec` of a document that was checked, with the values of its parameters.

The function of a pipeline and `plait validate` both call it; it imports none of the checks, and no suggestions.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from plait.language.document import (
    at,
    check_parameter_values,
    declared_parameters,
    put_in,
    read_struct,
    references,
    values_of_function,
)
from plait.language.keys import ColumnBlock, Document, QuarantineBlock, RetryBlock, SourceBlock
from plait.language.spec import Column, Join, Quarantine, Source, Spec, Target, TimeWindow
from plait.plugin import GiveUp
from plait.plugin.registry import ConnectorUnavailable, connector
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.values.convert import convert
from plait.values.decode import Decoding, Step
from plait.values.places import Place, comparable
from plait.values.types import Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.language.keys import JoinBlock
    from plait.language.source_map import KeyPath
    from plait.language.steps import StepBlock
    from plait.plugin import Connector, FolderPath


def packaged_spec(
    document: Mapping[str, Any],
    file: str,
    environment: Mapping[str, str],
    parameters: Mapping[str, str] | None = None,
) -> Spec:
    """The spec of a packaged document, with these parameters, or those of the environment; raises GiveUp."""
    unusable = f"the spec `{file}` cannot be run"
    values = values_of_function(document, environment, unusable) if parameters is None else parameters
    try:
        spec = build_spec(document, file, values)
    except SpecValueError as error:
        message = f"{unusable}: {error.code}: {error} (`{'.'.join(map(str, error.path))}`)"
        raise GiveUp(message, help="run `plait validate`") from error
    for key, path in spec.recursions():
        place = ("quarantine",) if key == "quarantine" else ("sink", key)
        places = (place, ("sources", spec.driver.name))
        names = {
            name for at, _, name in references(document) if name and (at[:1] in places or at[:2] in places)
        }
        fit = f"files of `{'.'.join(place)}` fit the path {excerpt(path.text)} of {excerpt(spec.driver.name)}"
        message = f"{unusable}: {fit}, so they would drive it again"
        help = f"give another value to the parameter {' or '.join(map(excerpt, sorted(names)))}"
        raise GiveUp(message, code="recursion", help=help if names else "run `plait validate`")
    return spec


def build_spec(document: Mapping[str, Any], file: str, values: Mapping[str, str]) -> Spec:
    """The spec of a document whose shape was checked, as it is written in its file, and its parameters' `values`.

    What only the checks over a complete spec refuse is built as it stands: of several sources without a join the
    first drives, and where there is none the first source does. Raises SpecValueError.
    """
    for error in check_parameter_values(document, values):
        raise error
    bound = put_in(document, values)
    top: Document = read_struct(Document, bound, ())
    sources = [_source(name, block, bound["sources"][name]) for name, block in top.sources.items()]
    driver = next((source for source in sources if source.join is None), sources[0])
    lookups = tuple(source for source in sources if source is not driver)
    parameters = declared_parameters(document)
    return Spec(
        name=top.name,
        description=top.description,
        file=file,
        digest=digest(document),
        parameters=dict(values),
        unset=tuple(sorted(parameters.keys() - values.keys())),
        driver=driver,
        lookups=lookups,
        order=order_of_lookups(lookups),
        partition_by=tuple(replace(part, name=name) for name, part in (top.partition_by or {}).items()),
        sink=Target(*_connected(bound["sink"], ("sink",)), top.sink.conditional),
        quarantine=_quarantine(top.quarantine) if top.quarantine else None,
        variables={name: block["env"] for name, block in parameters.items() if block.get("env")},
        deploy=top.deploy,
    )


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document, free of layout and comments, as hexadecimal text."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def usable_connector(word: str) -> Connector:
    """Load the connector of a word.

    Raises ConnectorUnavailable, also if msgspec cannot read its options, or one of them is a key of the language.
    """
    loaded = connector(word)
    try:
        msgspec.convert({}, loaded.options)
    except msgspec.ValidationError:
        pass
    except (Exception, SystemExit) as error:
        message = f"the options of the connector `{word}` cannot be read: {str(error)[:200]}"
        raise ConnectorUnavailable("broken-connector", message) from error
    clash = {*SourceBlock.__struct_encode_fields__} & {*loaded.options.__struct_encode_fields__}
    if clash:
        message = f"the connector `{word}` has an option `{min(clash)}`, which is a key of the language"
        raise ConnectorUnavailable("broken-connector", message)
    return loaded


def _connected(block: Mapping[str, Any], path: KeyPath) -> tuple[Connector, Any]:
    """The connector of a block and its options; raises SpecValueError."""
    help, at_connector = "`plait connectors` tells more", (*path, "connector")
    with at(at_connector):
        try:
            loaded = usable_connector(block["connector"])
        except ConnectorUnavailable as error:
            raise SpecValueError(error.message, code=error.code, help=help) from error
    try:
        return loaded, read_struct(loaded.options, block, path)
    except SpecValueError:
        raise
    except (Exception, SystemExit) as error:
        if not loaded.distribution:
            raise
        message = f"the connector's options cannot be made: {type(error).__name__[:40]}"
        with at(at_connector):
            raise SpecValueError(message, code="broken-connector", help=help) from error


def _source(name: str, block: SourceBlock, raw: Mapping[str, Any]) -> Source:
    path: KeyPath = ("sources", name)
    loaded, options = _connected(raw, path)
    window, join = block.window, block.join
    source = Source(
        name=name,
        connector=loaded,
        options=options,
        columns=None if block.columns is None else tuple(_columns(block.columns, (*path, "columns"))),
        decode=_decodings(block.decode or {}),
        only=tuple((place, tuple(map(comparable, values))) for place, values in (block.only or {}).items()),
        join=_join(join) if join else None,
        window=TimeWindow(column=window.around, before=window.before, after=window.after) if window else None,
        cache=block.cache,
        optional=block.optional,
    )
    with at((*path, "connector")):
        known_fields(source)
    return source


def _columns(blocks: Mapping[str, Type | ColumnBlock], path: KeyPath) -> Iterator[Column]:
    for name, kind in blocks.items():
        block = ColumnBlock(type=kind) if isinstance(kind, Type) else kind
        with at((*path, name, "default")):
            default = (
                None if block.default is msgspec.UNSET else convert(block.default, block.type.in_table())
            )
        yield Column(
            name=name,
            type=block.type,
            origin=block.from_.text if block.from_ else name,
            selector=block.from_.steps if block.from_ else (name,),
            required=block.required,
            default=default,
            description=block.description,
        )


def _decodings(blocks: Mapping[Place, Sequence[str | StepBlock]]) -> tuple[Decoding, ...]:
    """The decoded places, each behind the one that it lies within."""
    decodings = [Decoding(place, tuple(map(_step, steps))) for place, steps in blocks.items()]
    return tuple(sorted(decodings, key=lambda decoding: len(decoding.place.steps)))


def _step(block: str | StepBlock) -> Step:
    if isinstance(block, str):
        return Step(block)
    arguments = msgspec.structs.asdict(block)
    zone = arguments.pop("zone")
    word, argument = next((word, value) for word, value in arguments.items() if value is not msgspec.UNSET)
    return Step(word, argument if zone is msgspec.UNSET else msgspec.structs.replace(argument, zone=zone))


def _join(block: JoinBlock) -> Join:
    names = [block.on] if isinstance(block.on, str) else block.on
    pairs = names.items() if isinstance(names, dict) else ((name, name) for name in dict.fromkeys(names))
    return Join(
        on=tuple(pairs),
        shape=block.shape,
        missing="retry" if isinstance(block.missing, RetryBlock) else block.missing,
        retry_for=block.missing.retry_for if isinstance(block.missing, RetryBlock) else None,
        duplicates=block.duplicates,
    )


def _quarantine(block: FolderPath | QuarantineBlock) -> Quarantine:
    if isinstance(block, QuarantineBlock):
        return Quarantine(path=block.path.literal, payload=block.payload)
    return Quarantine(path=block.literal)


def known_fields(source: Source) -> tuple[str, ...] | None:
    """The fields of a source's records, if its options alone tell them."""
    known, of_key = source.role.known_fields(), [*source.row_columns]
    if source.join and source.open_lookup().repeats_key:
        of_key += [field for _, field in source.join.on]
    return tuple(dict.fromkeys((*known, *of_key))) if known else None


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
