"""Stand-ins for services while a case runs: objects in memory, given records, and the case's own time."""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.context import Services
from plait.plugin import (
    Driver,
    GiveUp,
    Item,
    Lookup,
    Missing,
    PlaitError,
    Put,
    ReadFailure,
    Record,
    Sink,
    StoredObject,
    TryAgain,
    Written,
)
from plait.testing.cases.case import SourceInputs
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from plait.engine.engine import Engine
    from plait.language.spec import Source
    from plait.plugin import File, Key, Window
    from plait.testing.cases.case import CaseObject

NO_INPUTS = SourceInputs(records=())


def service_error(failure: str, subject: str) -> PlaitError:
    """The error that a failing source of a case raises."""
    if failure == "throttled":
        return TryAgain(f"{subject} is throttled in this case")
    return GiveUp(f"{subject} is denied in this case")


class MemoryObjects:
    """The `Objects` of the connectors' contract in memory; `puts` are the objects that a run wrote."""

    def __init__(self, objects: Iterable[CaseObject]) -> None:
        self._objects = {case_object.uri: case_object for case_object in objects}
        self.puts: list[Put] = []

    def list(self, prefix: str) -> Iterator[Item]:
        """The given objects whose address begins with the prefix, sorted."""
        uris = sorted(uri for uri in self._objects if uri.startswith(normal_uri(prefix)))
        return (item_of(self._objects[uri]) for uri in uris)

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """The objects with their bytes, none beyond the limit."""
        return (self._get(uri, limit) for uri in uris)

    def _get(self, uri: str, limit: int | None) -> StoredObject | Missing | PlaitError:
        case_object = self._objects.get(normal_uri(uri))
        if case_object is None or (case_object.data is None and case_object.fails is None):
            return Missing(uri)
        data = case_object.data or b""
        fits = limit is None or len(data) <= limit
        return _failure_of(case_object) or StoredObject(item=item_of(case_object), data=data if fits else b"")

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Keep what a run writes."""
        self.puts += puts
        return [Written(uri=put.uri, rows=0, bytes=len(put.data)) for put in puts]

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Remove what a run wrote, whatever its version."""
        uris = {item.uri for item in items}
        self.puts = [put for put in self.puts if put.uri not in uris]
        return [None] * len(items)


def item_of(case_object: CaseObject) -> Item:
    """An object of a case as a listing returns it."""
    data = case_object.data or b""
    etag = case_object.etag or hashlib.sha256(data).hexdigest()[:32]
    return Item(uri=case_object.uri, size=len(data), modified=case_object.modified, etag=etag)


def _failure_of(case_object: CaseObject) -> PlaitError | None:
    return service_error(case_object.fails, f"`{case_object.uri}`") if case_object.fails else None


class OfflineServices(Services):
    """A time and objects that are given; the client of any service is refused."""

    def __init__(self, now: datetime, inputs: Mapping[str, SourceInputs]) -> None:
        super().__init__(now=lambda: now)
        self.client: Any = _refuse
        self.objects: MemoryObjects = MemoryObjects(
            chain.from_iterable(held.objects for held in inputs.values())
        )

    def secret(self, name: str, *, fresh: bool = False) -> Any:  # noqa: ARG002 - the contract's parameters
        """Refuse any secret: a case has none."""
        return _refuse("secretsmanager")


def _refuse(service: str) -> Any:
    raise GiveUp(f"a case asks no service, but this one asked for `{service}`", code="not-offline")


class GivenDriver(Driver[Any]):
    """A driver whose objects are given as records."""

    def __init__(self, objects: dict[str, CaseObject]) -> None:
        self.objects = objects

    def accepts(self, uri: str) -> bool:
        """Whether the object is given."""
        return uri in self.objects

    def list(self, _window: Window) -> Iterator[Item]:
        """All given objects."""
        return map(item_of, self.objects.values())

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """The record of each object."""
        for item in items:
            case_object = self.objects[item.uri]
            if case_object.record is None:
                yield ReadFailure(item, _failure_of(case_object) or Missing(item.uri))
            else:
                yield structs.replace(case_object.record, item=item_of(case_object))


class GivenLookup(Lookup[Any]):
    """A look-up with the given records; the engine chooses those whose keys are equal."""

    def __init__(self, name: str, inputs: SourceInputs) -> None:
        self.name, self.inputs = name, inputs

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The records within the time window of any key."""
        if self.inputs.fails:
            raise service_error(self.inputs.fails, f"`{self.name}`")
        records = self.inputs.records or ()
        return [record for record in records if any(key.covers(record.time) for key in keys)]


class CapturingSink(Sink[Any]):
    """A sink that keeps the files it should write."""

    def __init__(self) -> None:
        self.captured: list[File] = []

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Keep the files."""
        self.captured += files
        return [Written(uri=f"{file.folder}{file.name}", rows=file.table.num_rows, bytes=0) for file in files]


def stand_in(engine: Engine, inputs: Mapping[str, SourceInputs], services: Services) -> None:
    """Let the sources that these inputs name hold them, and lend them these services, which ask nobody."""
    driver = engine.spec.driver
    if driver.name in inputs:
        engine.driver = _offline_driver(driver, inputs[driver.name], services)
    for source in engine.spec.lookups:
        if source.name in inputs:
            engine.lookups.opened[source.name] = _offline_lookup(source, inputs[source.name], services)


def _offline_driver(source: Source, inputs: SourceInputs, services: Services) -> Driver[Any]:
    objects = {case_object.uri: case_object for case_object in inputs.objects}
    if source.role.offline and all(case_object.record is None for case_object in objects.values()):
        return source.open_driver(services.context(source.name, source.fields))
    return GivenDriver(objects)


def _offline_lookup(source: Source, inputs: SourceInputs, services: Services) -> Lookup[Any]:
    if source.role.offline and inputs.records is None and not inputs.fails:
        return source.open_lookup(services.context(source.name, source.fields))
    return GivenLookup(source.name, inputs)
