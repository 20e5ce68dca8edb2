"""Ten thousand texts that are hard to ask a database for, and the tables that hold half of them."""

from __future__ import annotations

import random

from kit.tables import table

TABLES = table("values/hostile.yaml")
FRAGMENTS, COLLATIONS = TABLES["fragments"], TABLES["collations"]


def hostile_texts(number: int = 10_000) -> list[str]:
    """Distinct texts, the empty one and some of the longest that a column can hold among them."""
    chance = random.Random(7)
    texts = {"": None, **{"'" * (60_000 + n): None for n in range(5)}, **dict.fromkeys(FRAGMENTS)}
    while len(texts) < number:
        texts["".join(chance.choices(FRAGMENTS, k=chance.randint(1, 6)))] = None
    return [*texts]
