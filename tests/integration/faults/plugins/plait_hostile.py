"""A connector that fails where and as its options say."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from plait.plugin import (
    BadRecord,
    Connector,
    Driver,
    Item,
    Key,
    Lookup,
    Options,
    Record,
    Sink,
    Written,
    hookimpl,
)

SECRET = f"canary-{'secret'}-4c1e"  # this file is searched too


class Hostile(Options, frozen=True, kw_only=True):
    """Options: where it fails, and how."""

    where: str = ""
    how: str = ""

    def __post_init__(self) -> None:
        fail(self, "options")


class Part(Driver[Hostile], Lookup[Hostile], Sink[Hostile]):
    """A driver, a look-up and a sink."""

    def __init__(self, options: Hostile, context: Any = None) -> None:
        super().__init__(options, context)
        fail(options, "open")

    def known_fields(self) -> list[str] | None:
        fail(self.options, "known_fields")
        return None

    def calls(self) -> list[Any]:
        fail(self.options, "calls")
        return []

    def prepare(self) -> None:
        fail(self.options, "prepare")

    def accepts(self, _uri: str) -> bool:
        fail(self.options, "accepts")
        return True

    def list(self, _window: Any) -> Iterator[Any]:
        yield Item(uri="one")
        yield from wrong(self.options, "list")

    def read(self, items: Any) -> Iterator[Any]:
        yield from (Record(fields={"id": item.uri}, item=item) for item in items)
        yield from wrong(self.options, "read")

    def fetch(self, keys: Sequence[Key]) -> Iterator[Any]:
        keyless = self.options.how == "keyless"
        yield from (Record(fields={**({} if keyless else key.fields), "found": 1}) for key in keys)
        yield from wrong(self.options, "fetch")

    def write(self, files: Any) -> Sequence[Any]:
        if self.options.how == "short":
            return []
        wrote = [Written(uri=file.name, rows=file.table.num_rows, bytes=1) for file in files]
        return [*wrote, *wrong(self.options, "write")]


def wrong(options: Hostile, where: str) -> Iterator[Any]:
    """Fail, or give what is none."""
    if options.where == where and options.how == "misshapen":
        yield Record(fields={}, fault=SECRET)  # type: ignore[arg-type]
    if options.where == where and options.how == "garbage":
        yield {"secret": SECRET}
    fail(options, where)


def fail(options: Hostile, where: str) -> None:
    """Fail if this is where."""
    if options.where != where:
        return
    if options.how == "hang":
        while "ENOUGH" not in os.environ:
            time.sleep(0.05)
    kinds = {"bug": KeyError, "exit": SystemExit, "away": ConnectionError, "bad": BadRecord}
    if options.how in kinds:
        raise kinds[options.how](f"the password is {SECRET}\nand more")


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `hostile`."""
    return [Connector("hostile", "Fails.", Hostile, driver=Part, lookup=Part, sink=Part)]
