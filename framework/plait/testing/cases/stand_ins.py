"""Stand-ins for services while a case runs: objects in memory, given records, and the case's own time."""

from __future__ import annotations

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
    Written,
)
from plait.testing.cases.case import SourceInputs
from plait.testing.cases.schema import reads_files
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from plait.engine.engine import Engine
    from plait.plugin import File, Key, Window
    from plait.testing.cases.case import CaseObject

NO_INPUTS = SourceInputs(records=())


class MemoryObjects:
    """The `Objects` of the connectors' contract in memory; `puts` are the objects that a run wrote."""

    def __init__(self, objects: Iterable[CaseObject]) -> None:
        self._objects = {case_object.item.uri: case_object for case_object in objects}
        self.puts: list[Put] = []

    def list(self, prefix: str) -> Iterator[Item]:
        """The given objects whose address begins with the prefix, sorted."""
        uris = sorted(uri for uri in self._objects if uri.startswith(normal_uri(prefix)))
        return (self._objects[uri].item for uri in uris)

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """The objects with their bytes, none beyond the limit."""
        for uri in uris:
            held = self._objects.get(normal_uri(uri))
            if held is None or isinstance(held.content, Record):
                yield Missing(uri)
            elif isinstance(held.content, bytes):
                fits = limit is None or len(held.content) <= limit
                yield StoredObject(item=held.item, data=held.content if fits else b"")
            else:
                yield held.content

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Keep what a run writes."""
        self.puts += puts
        return [Written(uri=put.uri, rows=0, bytes=len(put.data)) for put in puts]

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Remove what a run wrote, whatever its version."""
        uris = {item.uri for item in items}
        self.puts = [put for put in self.puts if put.uri not in uris]
        return [None] * len(items)


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

    def __init__(self, inputs: SourceInputs) -> None:
        self.objects = {case_object.item.uri: case_object for case_object in inputs.objects}

    def accepts(self, uri: str) -> bool:
        """Whether the object is given."""
        return uri in self.objects

    def list(self, _window: Window) -> Iterator[Item]:
        """All given objects."""
        return (case_object.item for case_object in self.objects.values())

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """The record of each object."""
        for item in items:
            held = self.objects[item.uri]
            if isinstance(held.content, Record):
                yield structs.replace(held.content, item=held.item)
            elif not isinstance(held.content, bytes):
                yield ReadFailure(item, held.content)


class GivenLookup(Lookup[Any]):
    """A look-up with the given records; the engine chooses those whose keys are equal."""

    def __init__(self, records: Sequence[Record] | PlaitError) -> None:
        self.records = records

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The records within the time window of any key."""
        if isinstance(self.records, PlaitError):
            raise self.records
        return [record for record in self.records if any(key.covers(record.time) for key in keys)]


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
    for source in (engine.spec.driver, *engine.spec.lookups):
        context = services.context(source.name, source.fields, source.body_fields)
        held = inputs.get(source.name)
        if held is None:
            continue
        if not source.join:
            engine.driver = source.open_driver(context) if reads_files(source) else GivenDriver(held)
        elif held.records is None:
            engine.lookups.opened[source.name] = source.open_lookup(context)
        else:
            engine.lookups.opened[source.name] = GivenLookup(held.records)
