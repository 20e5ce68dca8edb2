"""What `pipelines/transactions.yaml` must give for a sample, computed a second time without plait."""

import binascii
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from kit.oracle.oracle_lake import compare, read_files, read_lake
from kit.oracle.oracle_values import BadRecordError, Row, integer, money, parse, read_csv, text, timestamp

__all__ = ["COLUMNS", "Expected", "Sample", "compare", "expect", "read_files", "read_lake"]

COLUMNS = (
    "transaction_id",
    "ordered_at",
    "store_id",
    "customer_id",
    "total",
    "loyalty_tier",
    "loyalty_points",
    "items",
    "store_name",
    "store_city",
    "customer_last_seen",
    "fraud_score",
    "date",
)
HOUR = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCORE = re.compile(r".*transaction (\S+) scored (\S+)", re.DOTALL)


class Sample(Protocol):
    """What the sources hold."""

    @property
    def objects(self) -> Mapping[str, bytes]: ...
    @property
    def stores(self) -> Iterable[tuple[int, str | None, str | None]]: ...
    @property
    def activity(self) -> Iterable[Mapping[str, Any]]: ...
    @property
    def logs(self) -> Iterable[tuple[int, str]]: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """The row, or the reason for having none, of each object by its key; and the keys that do not match."""

    rows: dict[str, Row] = field(default_factory=dict)
    quarantined: dict[str, str] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)


def expect(sample: Sample) -> Expected:
    """Return what a run over all of the sample must give."""
    expected, lookups = Expected(), _Lookups(sample)
    for key in sorted(sample.objects):
        if not key.startswith("transactions/"):
            continue
        if not re.fullmatch(r"transactions/[^/]*\.json", key):
            expected.skipped.add(key)
            continue
        try:
            expected.rows[key] = _row(sample.objects[key], lookups)
        except BadRecordError as error:
            expected.quarantined[key] = str(error)
    return expected


class _Lookups:
    def __init__(self, sample: Sample) -> None:
        self.objects = sample.objects
        self.stores: defaultdict[int, list[tuple[str | None, str | None]]] = defaultdict(list)
        for store_id, name, city in sample.stores:
            self.stores[store_id].append((name, city))
        self.activity = {item["customer_id"]: item.get("last_seen") for item in sample.activity}
        self.scores: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for epoch_ms, message in sample.logs:
            if match := SCORE.fullmatch(message):
                self.scores[match[1]].append((EPOCH + timedelta(milliseconds=epoch_ms), match[2]))

    def items(self, transaction_id: str) -> list[Row]:
        if any(c == "/" or unicodedata.category(c) == "Cc" for c in transaction_id) or ".." in transaction_id:
            raise BadRecordError("transaction_id cannot stand in a path")
        data = self.objects.get(f"items/{transaction_id}.csv") if transaction_id else None
        return [_item(record, transaction_id) for record in read_csv(data)] if data else []

    def store(self, store_id: int | None) -> tuple[str | None, str | None]:
        matches = self.stores.get(store_id, []) if store_id is not None else []
        if len(matches) > 1:
            raise BadRecordError(f"{len(matches)} stores have the id {store_id}")
        return matches[0] if matches else (None, None)

    def score(self, transaction_id: str, ordered_at: datetime | None) -> int:
        if ordered_at is None:
            return 0
        scores = self.scores.get(transaction_id, [])
        near = [(at, score) for at, score in scores if abs(at - ordered_at) <= HOUR]
        if not near:
            return 0
        latest = max(at for at, _ in near)
        return integer([score for at, score in near if at == latest][-1], bits=32) or 0


def _row(data: bytes, lookups: _Lookups) -> Row:
    order = parse(data)
    if not isinstance(order, dict):
        raise BadRecordError("not a JSON object")
    loyalty = _loyalty(order.get("embedded_data"))
    row: Row = {
        "transaction_id": text(order.get("transaction_id")),
        "ordered_at": timestamp(order.get("ordered_at")),
        "store_id": integer(order.get("store_id")),
        "customer_id": text(order.get("customer_id")),
        "total": money(order.get("total")),
        "loyalty_tier": text(loyalty.get("tier")),
        "loyalty_points": integer(loyalty.get("points")),
    }
    if row["transaction_id"] is None:
        raise BadRecordError("transaction_id is required")
    row["items"] = lookups.items(row["transaction_id"])
    row["store_name"], row["store_city"] = lookups.store(row["store_id"])
    row["customer_last_seen"] = timestamp(lookups.activity.get(row["customer_id"]))
    row["fraud_score"] = lookups.score(row["transaction_id"], row["ordered_at"])
    row["date"] = row["ordered_at"].date().isoformat() if row["ordered_at"] else None
    return row


def _loyalty(embedded: object) -> dict[str, Any]:
    """Decode and descend; null on the way is null at the end, anything else that is no mapping is refused."""
    if embedded is None:
        return {}
    if not isinstance(embedded, str):
        raise BadRecordError("embedded_data is no text")
    try:
        document = parse(binascii.a2b_base64(embedded.encode("ascii"), strict_mode=True))
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BadRecordError("embedded_data is not base64") from error
    for name in (None, "loyalty"):
        document = document if name is None else document.get(name)
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise BadRecordError("embedded_data leads through something that is no mapping")
    return dict(document)


def _item(record: Row, transaction_id: str) -> Row:
    if record.get("transaction_id", transaction_id) != transaction_id:
        raise BadRecordError("an item belongs to another transaction")
    return {
        "sku": text(record.get("sku")),
        "quantity": integer(record.get("quantity"), bits=32),
        "unit_price": money(record.get("unit_price")),
    }
