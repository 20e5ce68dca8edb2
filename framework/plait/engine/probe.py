"""Check whether each block of a spec can be reached, by the calls of a run for something that does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plait.aws.environment import endpoint
from plait.engine.absence import CODES, FEWEST
from plait.engine.answers import key_pairs
from plait.engine.counts import SourceCounts
from plait.engine.places import cell_of, decoded_fields
from plait.engine.read import cast
from plait.language.spec import options_of_type
from plait.plan.plan import plan, remarks
from plait.plugin import (
    BadRecord,
    DriverPath,
    FolderPath,
    GiveUp,
    Item,
    Key,
    KeyFailed,
    Missing,
    PlaitError,
    Put,
    ReadFailure,
    Record,
    Window,
)
from plait.values.patterns import Hole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plait.engine.context import Services
    from plait.engine.engine import Engine
    from plait.language.spec import Column, Source, Spec, Target
    from plait.problems.problem import Problem
    from plait.values.types import Type

ABSENT_NAME = "plait-check"
WINDOW = timedelta(minutes=1)
ABSENT_VALUES: dict[str, Any] = {
    "string": ABSENT_NAME,
    "binary": ABSENT_NAME.encode(),
    "boolean": False,
    "decimal": Decimal(0),
    "date": date(1970, 1, 1),
    "timestamp": datetime(1970, 1, 1, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """A block of the spec, what its options say about its target, and why it cannot be used (None if it can)."""

    block: str
    connector: str
    facts: tuple[str, ...]
    error: PlaitError | None


def probe_blocks(spec: Spec, services: Services) -> Iterator[ProbeResult]:
    """Ask every source, the sink and the quarantine, one after the other; nothing stays written."""
    column_types: dict[str, Type | None] = {field.name: field.type for field in plan(spec).fields}
    driver, sink = spec.driver, spec.sink
    yield _probe(driver.name, driver, services, lambda: _probe_driver(driver, services))
    for source in spec.lookups:
        yield _probe(source.name, source, services, partial(_probe_lookup, source, services, column_types))
    yield _probe("sink", sink, services, lambda: _probe_sink(sink, services))
    if spec.quarantine:
        error = _error_of(lambda: _probe_folders([spec.quarantine.path], ".json", services))  # type: ignore[union-attr]
        yield ProbeResult(block="quarantine", connector="", facts=(), error=error)


def sample(engine: Engine) -> list[Problem]:
    """Read the first objects and their look-ups as a run would, write nothing, and return what is never there."""
    engine.new_report()
    for source in engine.spec.lookups:
        counts = cast([*engine.lookups.open(source).sample()], source).counts
        engine.unjudged.sources.setdefault(source.name, SourceCounts()).add(counts)
    engine.preview([*islice(engine.find(), FEWEST)], FEWEST)
    return [problem for problem in engine.report.problems if problem.code in CODES]


def _probe(block: str, target: Source | Target, services: Services, ask: Callable[[], None]) -> ProbeResult:
    error = _error_of(ask)
    facts = remarks(target)
    facts_error = _error_of(lambda: facts.extend(target.open(services.context(block, None)).facts()))
    return ProbeResult(
        block=block, connector=target.connector.name, facts=tuple(facts), error=error or facts_error
    )


def _error_of(ask: Callable[[], None]) -> PlaitError | None:
    try:
        ask()
    except PlaitError as error:
        return error
    return None


def _probe_driver(source: Source, services: Services) -> None:
    """Read an object that is not there, and list, as a run over history does."""
    driver = source.open_driver(services.context(source.name, source.fields, source.body_fields))
    uris = [_absent_uri(path) for path in options_of_type(source.options, DriverPath)]
    for answer in driver.read([Item(uri=uri) for uri in uris]):
        if isinstance(answer, ReadFailure) and not isinstance(answer.error, Missing):
            raise answer.error
    next(iter(driver.list(Window())), None)


def _probe_lookup(source: Source, services: Services, column_types: Mapping[str, Type | None]) -> None:
    lookup = source.open_lookup(services.context(source.name, source.fields))
    fields = {field: _absent_value(column_types.get(column)) for column, field in key_pairs(source)}
    now = services.now()
    since, until = (now - WINDOW, now) if source.window else (None, None)
    for record in lookup.fetch([Key(fields=fields, since=since, until=until)]):
        if isinstance(record, Record) and isinstance(record.fault, KeyFailed):
            raise record.fault.error
        if isinstance(record, Record) and record.fault:
            raise GiveUp(f"`{source.name}`: {record.fault.message}", help=record.fault.help)
        break
    sample = [*lookup.sample()]
    faults = [fault for column in source.columns or () if (fault := _misfit(column, sample, source))]
    if faults:
        message = f"no record of `{source.name}` fits: {'; '.join(fault.bare for fault in faults)}"
        raise GiveUp(message, code="bad-value", help=faults[0].help)


def _misfit(column: Column, records: Iterable[Record], source: Source) -> BadRecord | None:
    """Why no value of these records fits a column; None if one does, or if there is none."""
    faults = []
    for record in records:
        try:
            nullable = replace(column, default=None, required=False)
            if cell_of(nullable, record, decoded_fields(record, source)) is not None:
                return None
        except BadRecord as fault:
            faults.append(fault)
    return faults[0] if faults else None


def _absent_value(column_type: Type | None) -> Any:
    return ABSENT_VALUES.get(column_type.word if column_type else "string", 0)


def _probe_sink(sink: Target, services: Services) -> None:
    """Look for a file; where a store stands in AWS's place, create and replace one to prove its conditions, and remove it."""
    folders = [folder for folder in _folders(sink.options) if folder.startswith("s3://")]
    _probe_folders(folders, ".parquet", services)
    for folder in folders if endpoint() and sink.conditional else ():
        item = Item(uri=f"{folder.rstrip('/')}/_{ABSENT_NAME}", etag=ABSENT_NAME)
        puts = [Put(uri=item.uri, data=b"", source=item)]
        answers = [*services.objects.put(puts), *services.objects.put(puts)]
        for answer in (*answers, *services.objects.remove([Item(uri=item.uri)])):
            if isinstance(answer, PlaitError):
                raise answer


def _probe_folders(folders: Iterable[str], suffix: str, services: Services) -> None:
    """Look for a file that is not there: the answer shows whether the bucket is there and may be listed."""
    uris = [f"{folder.rstrip('/')}/{ABSENT_NAME}{suffix}" for folder in folders if folder.startswith("s3://")]
    for answer in services.objects.get(uris):
        if isinstance(answer, PlaitError):
            raise answer


def _folders(options: Any) -> list[str]:
    return [path.literal for path in options_of_type(options, FolderPath)]


def _absent_uri(path: DriverPath) -> str:
    return "".join(ABSENT_NAME if isinstance(part, Hole) else part for part in path.parts)
