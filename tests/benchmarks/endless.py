"""A process that runs the main job over any number of orders in memory, and prints its peak memory in MB."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.plugin import File, Item, Missing, Sink, StoredObject, Written

from .peers import by_hand
from .shop import Memory, clean, engine, items_of, orders_of, sides_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DISTINCT = 2_000
NUMBER = re.compile(r"/\d+-")


class Repeated(Memory):
    """The orders of a sample, each under any number of names."""

    def get(self, uris: Sequence[str], limit: int | None = None) -> Iterator[StoredObject | Missing]:
        """The bodies, under the names that were asked for."""
        for uri in uris:
            (answer,) = super().get([NUMBER.sub("/", uri)], limit)
            yield Missing(uri) if isinstance(answer, Missing) else structs.replace(answer, item=Item(uri=uri))


class Counted(Sink[Any]):
    """A sink that takes files and keeps nothing of them: what encoding takes is no part of this."""

    rows = 0

    def write(self, files: Sequence[File]) -> list[Written]:
        """Count the rows."""
        self.rows += sum(file.table.num_rows for file in files)
        return [Written(uri=f"memory://{file.name}", rows=file.table.num_rows, bytes=1) for file in files]


def by_plait(orders: int) -> None:
    """Run the engine over so many orders, which are named one after the other."""
    sample = clean(DISTINCT)
    keys = orders_of(sample)
    made = engine(sample)
    made.services.objects = Repeated({f"s3://shop-raw/{key}": body for key, body in sample.objects.items()})
    made.sink = sink = Counted(None)
    names = [key.removeprefix("transactions/") for key in keys]
    uris = (f"s3://shop-raw/transactions/{n}-{names[n % len(names)]}" for n in range(orders))
    report = made.run(Item(uri=uri) for uri in uris)
    assert (report.counts["done"], sink.rows) == (orders, orders)


def by_hand_at_once(orders: int) -> None:
    """Run the program by hand over so many orders in one batch."""
    sample = clean(DISTINCT)
    keys = orders_of(sample)
    some = [keys[number % len(keys)] for number in range(orders)]
    documents = [sample.objects[key] for key in some]
    items = [sample.objects[items_of(key)] for key in some]
    assert [*by_hand.files(by_hand.rows(documents, items, sides_of(sample)))]


def peak() -> float:
    """The largest memory of this process so far, in MB; what `getrusage` tells on Linux begins with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.open() if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    {"plait": by_plait, "hand": by_hand_at_once}[sys.argv[1]](int(sys.argv[2]))
    print(peak())
