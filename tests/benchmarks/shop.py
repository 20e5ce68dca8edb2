"""The shop in memory: the real spec, connectors and engine, and no network below them."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import plait
from kit.shop import SPEC
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.partition import folders
from plait.engine.settle import Outcomes
from plait.plugin import Item, Lookup, Missing, Record, StoredObject, Written
from plait_connectors.parquet import encode
from plait_sandbox import generate

from .peers import by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.plugin import Key, Put
    from plait_sandbox.sample_data import Sample


def clean(orders: int) -> Sample:
    """Orders that any program can read: those with a quirk are left out, and their items."""
    sample = generate(orders, seed=1)
    odd = {key for keys in sample.quirks.values() for key in keys} | {"transactions/readme.txt"}
    for key in odd:
        del sample.objects[key]
        sample.objects.pop(items_of(key), None)
    return sample


def items_of(key: str) -> str:
    """The key of an order's items."""
    return f"items/{key.removeprefix('transactions/').removesuffix('.json')}.csv"


def orders_of(sample: Sample) -> list[str]:
    """The keys of the orders, oldest first, as they came in."""
    keys = [key for key in sample.objects if key.startswith("transactions/") and key.endswith(".json")]
    return sorted(keys, key=lambda key: str(json.loads(sample.objects[key])["ordered_at"]))


@dataclass
class Memory:
    """`Objects` in memory; what is put is only measured."""

    bodies: dict[str, bytes]
    written: Counter[str] = field(default_factory=Counter)

    def list(self, prefix: str) -> Iterator[Item]:
        """The objects below a prefix."""
        return (Item(uri=uri, size=len(b)) for uri, b in self.bodies.items() if uri.startswith(prefix))

    def get(self, uris: Sequence[str], limit: int | None = None) -> Iterator[StoredObject | Missing]:
        """The bodies."""
        for uri in uris:
            body = self.bodies.get(uri)
            yield (
                Missing(uri) if body is None else StoredObject(item=Item(uri=uri, size=len(body)), data=body)
            )

    def put(self, puts: Sequence[Put]) -> Sequence[Written]:
        """Count files and bytes."""
        self.written.update(files=len(puts), bytes=sum(len(put.data) for put in puts))
        return [Written(uri=put.uri, rows=0, bytes=len(put.data)) for put in puts]

    def delete(self, uris: Sequence[str]) -> None:
        """Nothing is kept, so nothing is deleted."""

    def remove(self, items: Sequence[Item]) -> Sequence[None]:
        """Nothing is kept, so nothing is removed."""
        return [None] * len(items)


class Stores(Lookup[Any]):
    """The table of stores, as PyMySQL gives its rows."""

    def __init__(self, sample: Sample) -> None:
        self.rows = {store.store_id: store._asdict() for store in sample.stores}

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The rows of the keys."""
        rows = (self.rows.get(key.fields["store_id"]) for key in keys)
        return [Record(fields=row) for row in rows if row]


class DynamoDB:
    """A boto3 client of DynamoDB with one table."""

    def __init__(self, sample: Sample) -> None:
        self.items = {
            customer["customer_id"]: {
                name: {"S": str(customer[name])} for name in ("customer_id", "last_seen")
            }
            for customer in sample.activity
        }

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        """The items of the keys."""
        ((table, request),) = RequestItems.items()
        items = [self.items.get(key["customer_id"]["S"]) for key in request["Keys"]]
        return {"Responses": {table: [item for item in items if item]}}


class Logs:
    """A boto3 client of CloudWatch Logs with one group."""

    def __init__(self, sample: Sample) -> None:
        self.events = [{"timestamp": at, "message": line} for at, line in sample.logs]

    def get_paginator(self, _operation: str) -> Logs:
        """The client itself."""
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """The events within the stretch of time, in pages."""
        low, high = request["startTime"], request["endTime"]
        events = [event for event in self.events if low <= event["timestamp"] <= high]
        yield from ({"events": events[n : n + 10_000]} for n in range(0, len(events) or 1, 10_000))


def engine(sample: Sample) -> Engine:
    """The engine of the main job over a sample in memory."""
    services = Services()
    clients = {"dynamodb": DynamoDB(sample), "logs": Logs(sample)}
    services.client = clients.__getitem__  # type: ignore[assignment]
    services.objects = Memory({f"s3://shop-raw/{key}": body for key, body in sample.objects.items()})
    made = Engine(plait.load(str(SPEC)).spec, services)
    made.lookups.opened["stores"] = Stores(sample)
    return made


def sides_of(sample: Sample) -> dict[str, Any]:
    """What the look-ups of a sample hold, for the program by hand."""
    seen = {str(customer["customer_id"]): str(customer["last_seen"]) for customer in sample.activity}
    return by_hand.sides(sample.stores, seen, sample.logs)


def run_by_hand(
    sample: Sample, keys: list[str], sides: dict[str, Any] | None = None, batch: int = 10_000
) -> float:
    """Seconds of the program by hand over the orders, of this process alone; with a file for each batch and partition."""
    started, files = time.process_time(), 0
    sides = sides or sides_of(sample)
    for start in range(0, len(keys), batch):
        some = keys[start : start + batch]
        orders, items = ([sample.objects[key] for key in of] for of in (some, map(items_of, some)))
        files += sum(bool(body) for _, body in by_hand.files(by_hand.rows(orders, items, sides)))
    assert files
    return time.process_time() - started


def run_by_object(made: Engine, items: list[Item], batch: int = 10_000) -> dict[str, float]:
    """Seconds of each phase, the total of this process alone; with a file for each object."""
    started = time.process_time()
    seconds = dict(made.run(items, batch=batch).seconds)
    return {**seconds, "total": time.process_time() - started}


def run_by_batch(made: Engine, items: list[Item], batch: int = 10_000) -> dict[str, float]:
    """Seconds of each phase, the total of this process alone; with a file for each batch and partition."""
    started, rows, encoding = time.process_time(), 0, 0.0
    for start in range(0, len(items), batch):
        for made_batch in made._batches(items[start : start + batch], Outcomes(made.report)):
            begin = time.process_time()
            rows += made_batch.rows.table.num_rows
            _encode(made_batch.rows.table, folders(made_batch.rows.table, made.spec.partition_by))
            encoding += time.process_time() - begin
    assert rows == len(items)
    return {**made.report.seconds, "encode": encoding, "total": time.process_time() - started}


def _encode(table: Any, placed: list[str]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    codes = pa.array(placed).dictionary_encode()
    return sum(
        len(encode(table.filter(pc.equal(codes.indices, n)), "snappy")) for n in range(len(codes.dictionary))
    )
