"""Four pipelines that have little in common: what they read, the events that tell of it, and the rows it gives."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from kit.locked import locked
from kit.oracle import oracle, oracle_lake
from kit.shop import SPEC, Shop, batches
from kit.watch.canaries import PAYLOAD

HERE = Path(__file__).parent / "pipelines"
LINES = 600
AT = datetime(2026, 7, 2, 10, tzinfo=UTC)
REASONS = [f"{PAYLOAD}late", f"{PAYLOAD}broken"]
COURIERS = [(f"{PAYLOAD}ann", True), (f"{PAYLOAD}bo", False)]


@dataclass(frozen=True)
class Job:
    """A pipeline with its driving objects; `rows` and `bad` are what they must give, computed without plait."""

    name: str
    spec: Path
    keys: list[str]
    bad: int
    objects: Mapping[str, bytes] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    settings: Mapping[str, str] = field(default_factory=dict)

    def events(self, size: int = 4) -> list[dict[str, Any]]:
        """The messages that tell of each object once."""
        return batches(self.keys, size)

    def environment(self, shop: Shop, lake: str) -> dict[str, str]:
        """The environment of a process that runs this pipeline."""
        own = {"PLAIT_SPEC": locked(self.spec), "PLAIT_BACKOFF": "0.005", **self.settings}
        return {**shop.environment(lake), **own}

    def fill(self, shop: Shop) -> None:
        """Put what the pipeline reads and the sample of the shop does not have."""
        for key, body in self.objects.items():
            shop.put(key, body)

    def differences(self, files: Mapping[str, bytes]) -> list[str]:
        """How the files of a lake differ from the rows that it must have."""
        rows = oracle_lake.read_files(files)
        if self.spec == SPEC:
            expected = oracle.Expected(rows={str(n): row for n, row in enumerate(self.rows)})
            return oracle_lake.compare(expected, rows)
        return oracle_lake.lost_or_added(map(_as_text, self.rows), map(_as_text, rows))


def _as_text(row: Mapping[str, Any]) -> str:
    """A row as a text, whatever the order of its columns."""
    return repr(sorted(row.items()))


def transactions(shop: Shop) -> Job:
    """The main job over all of the shop's sample."""
    expected = oracle.expect(shop.sample)
    return Job(
        "transactions", SPEC, shop.keys(), len(expected.quarantined), rows=list(expected.rows.values())
    )


def refunds(_shop: Shop) -> Job:
    """A driving source alone: partitions by path and month, a quarantine without payload."""
    objects, rows = {}, []
    for n in range(36):
        region, name = ("es", "fr", "pt & uk")[n % 3], f"r-{n:03}"
        refund = {"refund_id": name, "refunded_at": f"2026-0{n % 4 + 5}-03T10:00:00Z", "amount": f"{n}.50"}
        body = json.dumps({**refund, "reasons": REASONS[: n % 3]}).encode()
        objects[f"refunds/{region}/{name}.json"] = body[:-5] if n % 12 == 7 else body
        if n % 12 != 7:
            rows.append(_refund(n, region, name))
    return Job("refunds", HERE / "refunds.yaml", sorted(objects), 3, objects, rows)


def _refund(n: int, region: str, name: str) -> dict[str, Any]:
    return {
        "refund_id": name,
        "refunded_at": datetime(2026, n % 4 + 5, 3, 10, tzinfo=UTC),
        "amount": Decimal(f"{n}.50"),
        "reasons": REASONS[: n % 3],
        "month": f"2026-0{n % 4 + 5}",
        "region": region,
    }


def lines(shop: Shop) -> Job:
    """Chained look-ups: the store's district names a file of couriers; each line of an order becomes a row."""
    stores = {number: (name, city) for number, name, city in shop.sample.stores}
    cities = sorted({city for _, city in stores.values() if city})
    vans = {city: COURIERS[: n % 3] for n, city in enumerate(cities)}
    objects = {
        f"lines/couriers/{city}.csv": _csv("courier,van", couriers)
        for city, couriers in vans.items()
        if couriers
    }
    rows = []
    for n in range(22):
        name, store = f"o-{n:03}", n + 1 if n % 6 else 9_999_999
        order = {"order_id": name, "ordered_at": AT.isoformat(), "store_id": store}
        items = [(f"{PAYLOAD}sku-{k}", k + n) for k in range(n % 4)]
        body = json.dumps(order).encode()
        objects[f"lines/orders/{name}.json"] = b"{" + body if n == 5 else body
        objects[f"lines/items/{name}.csv"] = _csv("sku,quantity", items)
        store_name, district = stores.get(store, (None, None))
        couriers = [{"courier": who, "van": van} for who, van in vans.get(district or "", ())]
        common = {"order_id": name, "ordered_at": AT, "store_id": store, "store_name": store_name}
        rows += [
            {**common, "district": district, "couriers": couriers, "sku": sku, "quantity": quantity}
            | {"date": "2026-07-02"}
            for sku, quantity in items
            if n != 5
        ]
    keys = sorted(key for key in objects if key.startswith("lines/orders/"))
    return Job("lines", HERE / "lines.yaml", keys, 1, objects, rows)


def _csv(header: str, rows: Iterable[tuple[Any, ...]]) -> bytes:
    return "\n".join([header, *(",".join(str(cell).lower() for cell in row) for row in rows), ""]).encode()


def events(shop: Shop) -> Job:
    """Objects of many lines, each of which takes several batches; one in three has lines that are bad."""
    names = {number: name for number, name, _ in shop.sample.stores}
    stores, objects, rows = [*names], {}, []
    for n in range(6):
        texts = []
        for line in range(1, LINES + 1):
            at, kind = AT + timedelta(hours=line % 30), "visit" if line % 10 == 3 else "sale"
            event = {
                "event_id": f"e-{n}-{line}",
                "at": at.isoformat(),
                "store_id": stores[line % len(stores)],
                "kind": kind,
            }
            is_bad = n % 3 == 1 and line % 70 == 1
            texts.append(json.dumps(event)[is_bad:])
            if kind == "sale" and not is_bad:
                row = {name: event[name] for name in ("event_id", "store_id")} | {"at": at, "line": line}
                rows.append(row | {"store_name": names[event["store_id"]], "date": f"{at:%Y-%m-%d}"})  # type: ignore[index]
        objects[f"events/{n}.jsonl.gz"] = gzip.compress("\n".join(texts).encode(), mtime=0)
    settings = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2"}  # of which a batch is a sixteenth
    return Job("events", HERE / "events.yaml", sorted(objects), 2, objects, rows, settings)


JOBS = (transactions, refunds, lines, events)
