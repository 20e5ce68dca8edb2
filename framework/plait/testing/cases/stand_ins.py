"""What stands in for services while a case runs: objects in memory, given records, and no clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.engine.context import Services
from plait.plugin import (
    GiveUp,
    Item,
    Missing,
    PlaitError,
    Put,
    ReadFailure,
    Record,
    StoredObject,
    TryAgain,
    Written,
)
from plait.testing.cases.case import CaseInputs
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plait.language.spec import Source, Spec
    from plait.plugin import File, Key, Window
    from plait.testing.cases.case import Case, Object

NOTHING = CaseInputs(records=())


def trouble(word: str, what: str) -> PlaitError:
    """The error that a case asks for."""
    if word == "throttled":
        return TryAgain(f"{what} is throttled in this case")
    return GiveUp(f"{what} is denied in this case")


class MemoryObjects:
    """The `Objects` of the contract in memory; what is put is kept in `puts`."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._objects = {normal_uri(one.uri): one for one in objects}
        self.puts: list[Put] = []

    def list(self, prefix: str) -> Iterator[Item]:
        """The given objects whose address begins with the prefix."""
        named = sorted(uri for uri in self._objects if uri.startswith(normal_uri(prefix)))
        return (item(self._objects[uri]) for uri in named)

    def get(
        self, uris: Sequence[str], limit: int | None = None
    ) -> Iterator[StoredObject | Missing | PlaitError]:
        """The given bytes."""
        return (self._get(uri, limit) for uri in uris)

    def _get(self, uri: str, limit: int | None) -> StoredObject | Missing | PlaitError:
        one = self._objects.get(normal_uri(uri))
        if one is None or (one.data is None and one.fails is None):
            return Missing(uri)
        data = one.data or b""
        fits = limit is None or len(data) <= limit
        return _failed(one) or StoredObject(item=item(one), data=data if fits else b"")

    def put(self, puts: Sequence[Put]) -> Sequence[Written | PlaitError]:
        """Keep what a run puts."""
        self.puts += puts
        return [Written(uri=put.uri, rows=0, bytes=len(put.data)) for put in puts]

    def remove(self, items: Sequence[Item]) -> Sequence[PlaitError | None]:
        """Forget what was put, whatever its version."""
        uris = {item.uri for item in items}
        self.puts = [put for put in self.puts if put.uri not in uris]
        return [None] * len(items)


def item(one: Object) -> Item:
    """The driving object as a listing names it."""
    data = one.data or b""
    etag = one.etag or hashlib.sha256(data).hexdigest()[:32]
    return Item(uri=one.uri, size=len(data), modified=one.modified, etag=etag)


def _failed(one: Object) -> PlaitError | None:
    return trouble(one.fails, f"`{one.uri}`") if one.fails else None


class Offline(Services):
    """The clock of a case, and its objects; anything else of a service is refused."""

    def __init__(self, case: Case, held: MemoryObjects) -> None:
        super().__init__(now=lambda: case.now)
        self.client: Any = _refuse
        self.objects = held

    def secret(self, name: str, *, fresh: bool = False) -> Any:  # noqa: ARG002 - the contract's parameters
        """A case has no secrets."""
        return _refuse("secretsmanager")


def _refuse(service: str) -> Any:
    raise GiveUp(f"a case asks no service, but this one asked for `{service}`", code="not-offline")


@dataclass(frozen=True, slots=True)
class GivenDriver:
    """The driver of a case whose objects are given as records."""

    objects: dict[str, Object]

    def accepts(self, uri: str) -> bool:
        """Whether the object is given."""
        return uri in self.objects

    def list(self, _window: Window) -> Iterator[Item]:
        """All that is given."""
        return map(item, self.objects.values())

    def read(self, items: Sequence[Item]) -> Iterator[Record | ReadFailure]:
        """The record of each object."""
        for one in items:
            given = self.objects[one.uri]
            if given.record is None:
                yield ReadFailure(one, _failed(given) or Missing(one.uri))
            else:
                yield structs.replace(given.record, item=item(given))


@dataclass(frozen=True, slots=True)
class GivenLookup:
    """A look-up that holds the records of a case; the engine takes those whose keys are equal."""

    name: str
    given: CaseInputs

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The records within the time of any key."""
        if self.given.fails:
            raise trouble(self.given.fails, f"`{self.name}`")
        records = self.given.records or ()
        return [record for record in records if any(key.covers(record.time) for key in keys)]


class CapturingSink:
    """A sink that keeps the files it is given."""

    def __init__(self) -> None:
        self.files: list[File] = []

    def write(self, files: Sequence[File]) -> Sequence[Written | PlaitError]:
        """Keep the tables."""
        self.files += files
        return [Written(uri=f"{f.folder}{f.name}", rows=f.table.num_rows, bytes=0) for f in files]


def stand_in(case: Case, sink: CapturingSink) -> Spec:
    """The spec of a case with what asks a service replaced by what is given."""
    spec = case.spec
    write = replace(spec.sink.connector, sink=lambda _options, _context: sink)
    return replace(
        spec,
        driver=_driver(spec.driver, case),
        lookups=tuple(_lookup(source, case.given.get(source.name)) for source in spec.lookups),
        sink=replace(spec.sink, connector=write),
    )


def _driver(source: Source, case: Case) -> Source:
    given = case.given.get(source.name, NOTHING)
    objects = {normal_uri(one.uri): one for one in given.objects}
    if source.connector.offline and all(one.record is None for one in objects.values()):
        return source
    driver = GivenDriver(objects)
    return replace(source, connector=replace(source.connector, driver=lambda _options, _context: driver))


def _lookup(source: Source, given: CaseInputs | None) -> Source:
    if source.connector.offline and (given is None or (given.records is None and not given.fails)):
        return source
    lookup = GivenLookup(source.name, given or NOTHING)
    return replace(source, connector=replace(source.connector, lookup=lambda _options, _context: lookup))
