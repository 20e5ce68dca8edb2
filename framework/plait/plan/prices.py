"""Read `prices.toml`, the dated table of what AWS charges and allows by default."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec import Struct, convert


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million of a unit."""

    dollars: float
    unit: str


class Quota(Struct, frozen=True, forbid_unknown_fields=True):
    """How many units a second AWS allows by default, and who shares them."""

    per_second: float
    scope: str


class PriceList(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices and quotas by the name of their operation; `concurrency` counts invocations at one time."""

    as_of: str
    basis: str
    concurrency: int
    prices: dict[str, Price]
    quotas: dict[str, Quota]


@cache
def price_list() -> PriceList:
    """The table, read when it is first asked for."""
    import tomllib

    text = Path(__file__).with_name("prices.toml").read_text(encoding="utf-8")
    return convert(tomllib.loads(text), PriceList)
