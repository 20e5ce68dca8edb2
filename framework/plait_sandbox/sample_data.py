"""A sample of the shop's orders, with every oddity that real ones have, made from a seed."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from plait_sandbox.quirks import QUIRKS, STORE_COUNT, STORES_WITH_CITY, Draft

WORDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
DAYS = 4
START = datetime(2026, 7, 1, tzinfo=UTC)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
SECONDS_PER_DAY = 86400


class Store(NamedTuple):
    """A row of the table of stores."""

    store_id: int
    name: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What each source holds: `objects` by their keys, `logs` as milliseconds and message; `quirks` name their keys."""

    seed: int
    objects: dict[str, bytes]
    stores: list[Store]
    activity: list[dict[str, object]]
    logs: list[tuple[int, str]]
    quirks: dict[str, list[str]]


def generate(orders: int, seed: int, per_quirk: int = 1) -> Sample:
    """Make so many orders, where every quirk occurs at least `per_quirk` times; raises ValueError for too few orders."""
    rng = random.Random(seed)
    customer_count = max(1, orders // 3)
    drafts = [_draft(rng, customer_count) for _ in range(orders)]
    quirks = _add_quirks(drafts, per_quirk)
    objects: dict[str, bytes] = {"transactions/readme.txt": b"One JSON object per order.\n"}
    for draft in drafts:
        objects[draft.key] = _order_json(draft)
        if draft.items is not None:
            objects[f"items/{draft.id}.csv"] = _items_csv(draft)
    quirks["not_json"] = [f"transactions/{draft.id}.txt" for draft in drafts[:per_quirk]]
    objects |= dict.fromkeys(quirks["not_json"], b"not an order\n")
    customers = [f"c-{number:04}" for number in range(customer_count + 1)]
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


def _draft(rng: random.Random, customer_count: int) -> Draft:
    identity = f"{rng.getrandbits(64):016x}"
    at = _time_within(rng, DAYS)
    items = [_item(rng) for _ in range(rng.randint(1, 5))]
    total = sum(int(quantity) * int(price.replace(".", "")) for _, quantity, price in items)
    order: dict[str, Any] = {
        "transaction_id": identity,
        "ordered_at": at.strftime(TIME_FORMAT),
        "store_id": rng.randint(2, STORES_WITH_CITY),
        "customer_id": f"c-{rng.randint(1, customer_count):04}",
        "total": None,
        "embedded_data": None,
        "channel": rng.choice(WORDS["channels"]),
        "device": {"os": rng.choice(WORDS["device_systems"]), "version": rng.randint(9, 18)},
    }
    loyalty = {"loyalty": {"tier": rng.choice(WORDS["loyalty_tiers"]), "points": rng.randint(0, 5000)}}
    scores = {rng.randint(-600, 3000): rng.randint(0, 100)}
    key = f"transactions/{identity}.json"
    return Draft(key, identity, at, order, _price(total), loyalty, items, scores=scores)


def _time_within(rng: random.Random, days: int) -> datetime:
    seconds = rng.randrange(days * SECONDS_PER_DAY)
    return START + timedelta(seconds=seconds, microseconds=rng.randrange(10**6))


def _item(rng: random.Random) -> list[str]:
    return [f"SKU-{rng.randint(1, 9999):05}", str(rng.randint(1, 5)), _price(rng.randint(49, 25000))]


def _price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _add_quirks(drafts: list[Draft], per_quirk: int) -> dict[str, list[str]]:
    """Apply each quirk to the next drafts whose affected parts no other quirk has changed; return their keys by quirk."""
    changed: dict[str, list[Draft]] = {}
    position = 0
    for name, quirk in QUIRKS.items():
        facets = set(quirk.facets.split())
        for number in range(max(per_quirk, quirk.fewest)):
            position = _next_unchanged(drafts, position, facets)
            draft = drafts[position % len(drafts)]
            draft.changed_facets |= facets
            quirk.change(draft, number)
            changed.setdefault(name, []).append(draft)
            position += 1
    return {name: [draft.key for draft in quirk_drafts] for name, quirk_drafts in changed.items()}


def _next_unchanged(drafts: list[Draft], start: int, facets: set[str]) -> int:
    for position in range(start, start + len(drafts)):
        if not drafts[position % len(drafts)].changed_facets & facets:
            return position
    message = "too few orders to show every quirk"
    raise ValueError(message)


def _order_json(draft: Draft) -> bytes:
    order = {**draft.order, "total": "@total@"}
    if "embedded_data" in order and order["embedded_data"] is None and draft.loyalty is not None:
        order["embedded_data"] = base64.b64encode(json.dumps(draft.loyalty).encode()).decode()
    text = json.dumps(order, ensure_ascii=False, indent=draft.indent)
    return draft.rewrite(text.replace('"@total@"', draft.total)).encode()


def _items_csv(draft: Draft) -> bytes:
    text = io.StringIO(newline="")
    rows = [["sku", "quantity", "unit_price"], *(draft.items or ())]
    csv.writer(text, lineterminator=draft.newline).writerows(rows)
    return text.getvalue().encode()


def _log_lines(draft: Draft) -> list[tuple[int, str]]:
    messages = [
        (seconds, f"[fraud] model v{3 + score % 2}: transaction {draft.id} scored {score}")
        for seconds, score in draft.scores.items()
    ]
    messages += [(60 + 5 * number, message) for number, message in enumerate(draft.noise)]
    return [(int((draft.at.timestamp() + seconds) * 1000), message) for seconds, message in messages]


def _stores(rng: random.Random) -> list[Store]:
    def store(number: int) -> Store:
        name = None if number == STORE_COUNT else f"{rng.choice(WORDS['store_names'])} {number}"
        return Store(number, name, rng.choice(WORDS["cities"]) if number <= STORES_WITH_CITY else None)

    return [store(number) for number in range(1, STORE_COUNT + 1)]


def _activity(rng: random.Random, customer: str) -> dict[str, object]:
    return {
        "customer_id": customer,
        "last_seen": _time_within(rng, 20).strftime(TIME_FORMAT),
        "visits": rng.randint(1, 400),
        "segments": [rng.choice(WORDS["customer_segments"])],
    }
