"""The shop's orders, with every oddity that real ones have, from a seed."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from plait_sandbox.quirks import KNOWN, QUIRKS, STORES, Draft

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 4
START = datetime(2026, 7, 1, tzinfo=UTC)
ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
CITIES = ("Madrid", "Málaga", "A Coruña", "Zürich", "東京", "New York", "Łódź", "Σύρος")
NAMES = ("Corner", "Market", "Señor Pan", "L'Épicerie", "Haus & Hof", "百貨店", "Outlet 🛒", "Kiosk")
TIERS = ("basic", "silver", "gold", "platinum")


class Store(NamedTuple):
    """A row of the table of stores."""

    store_id: int
    name: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What each source holds, and which objects show which quirk."""

    seed: int
    objects: dict[str, bytes]
    stores: list[Store]
    activity: list[dict[str, object]]
    logs: list[tuple[int, str]]
    quirks: dict[str, list[str]]


def generate(orders: int, seed: int, each: int = 1) -> Sample:
    """Make this many orders, where every quirk occurs at least `each` times."""
    rng = random.Random(seed)
    drafts = [_draft(rng, max(1, orders // 3)) for _ in range(orders)]
    quirks = _afflict(drafts, each)
    objects: dict[str, bytes] = {"transactions/readme.txt": b"One JSON object per order.\n"}
    for draft in drafts:
        objects[draft.key] = _document(draft)
        if draft.lines is not None:
            objects[f"items/{draft.id}.csv"] = _items(draft)
    quirks["not_json"] = [f"transactions/{draft.id}.txt" for draft in drafts[:each]]
    objects |= dict.fromkeys(quirks["not_json"], b"not an order\n")
    customers = [f"c-{n:04}" for n in range(max(1, orders // 3) + 1)]
    activity = [_activity(rng, customer) for customer in customers]
    logs = sorted(line for draft in drafts for line in _log_lines(draft))
    return Sample(seed, objects, _stores(rng), activity, logs, quirks)


def sample() -> Sample:
    """Make the small sample of the demo."""
    return generate(orders=24, seed=1)


def write(sample: Sample, folder: Path) -> None:
    """Write the objects as files below a folder."""
    for key, body in sample.objects.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def _draft(rng: random.Random, customers: int) -> Draft:
    identity = f"{rng.getrandbits(64):016x}"
    at = START + timedelta(seconds=rng.randrange(DAYS * 86400), microseconds=rng.randrange(10**6))
    lines = [_line(rng) for _ in range(rng.randint(1, 5))]
    cents = sum(int(quantity) * int(price.replace(".", "")) for _, quantity, price in lines)
    order: dict[str, Any] = {
        "transaction_id": identity,
        "ordered_at": at.strftime(ISO),
        "store_id": rng.randint(2, KNOWN),
        "customer_id": f"c-{rng.randint(1, customers):04}",
        "total": None,
        "embedded_data": None,
        "channel": rng.choice(("web", "app", "till")),
        "device": {"os": rng.choice(("ios", "android", "other")), "version": rng.randint(9, 18)},
    }
    loyalty = {"loyalty": {"tier": rng.choice(TIERS), "points": rng.randint(0, 5000)}}
    scores = {rng.randint(-600, 3000): rng.randint(0, 100)}
    key, total = f"transactions/{identity}.json", _money(cents)
    return Draft(key, identity, at, order, total, loyalty, lines, scores=scores)


def _line(rng: random.Random) -> list[str]:
    return [f"SKU-{rng.randint(1, 9999):05}", str(rng.randint(1, 5)), _money(rng.randint(49, 25000))]


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _afflict(drafts: list[Draft], each: int) -> dict[str, list[str]]:
    chosen: dict[str, list[Draft]] = {}
    place = 0
    for quirk, (facets, least, change) in QUIRKS.items():
        for n in range(max(each, least)):
            place = _next(drafts, place, set(facets.split()))
            draft = drafts[place % len(drafts)]
            draft.taken |= set(facets.split())
            change(draft, n)
            chosen.setdefault(quirk, []).append(draft)
            place += 1
    return {quirk: [draft.key for draft in found] for quirk, found in chosen.items()}


def _next(drafts: list[Draft], start: int, facets: set[str]) -> int:
    for place in range(start, start + len(drafts)):
        if not drafts[place % len(drafts)].taken & facets:
            return place
    message = "too few orders to show every quirk"
    raise ValueError(message)


def _document(draft: Draft) -> bytes:
    order = {**draft.order, "total": "@total@"}
    if "embedded_data" in order and order["embedded_data"] is None and draft.loyalty is not None:
        order["embedded_data"] = base64.b64encode(json.dumps(draft.loyalty).encode()).decode()
    text = json.dumps(order, ensure_ascii=False, indent=draft.indent)
    return draft.shape(text.replace('"@total@"', draft.total)).encode()


def _items(draft: Draft) -> bytes:
    text = io.StringIO(newline="")
    rows = [["sku", "quantity", "unit_price"], *(draft.lines or ())]
    csv.writer(text, lineterminator=draft.newline).writerows(rows)
    return text.getvalue().encode()


def _log_lines(draft: Draft) -> list[tuple[int, str]]:
    scored = [
        (after, f"[fraud] model v{3 + score % 2}: transaction {draft.id} scored {score}")
        for after, score in draft.scores.items()
    ]
    noise = [(60 + 5 * n, message) for n, message in enumerate(draft.noise)]
    return [(int((draft.at.timestamp() + after) * 1000), message) for after, message in scored + noise]


def _stores(rng: random.Random) -> list[Store]:
    def store(n: int) -> Store:
        name = None if n == STORES else f"{rng.choice(NAMES)} {n}"
        return Store(n, name, rng.choice(CITIES) if n <= KNOWN else None)

    return [store(n) for n in range(1, STORES + 1)]


def _activity(rng: random.Random, customer: str) -> dict[str, object]:
    seen = START + timedelta(seconds=rng.randrange(20 * 86400), microseconds=rng.randrange(10**6))
    return {
        "customer_id": customer,
        "last_seen": seen.strftime(ISO),
        "visits": rng.randint(1, 400),
        "segments": [rng.choice(("new", "loyal", "lapsed"))],
    }
