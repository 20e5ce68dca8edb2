"""What the documentation says of values, keys and limits is what is tested."""

from __future__ import annotations

import os

from integration.values.kinds import KEYS, KINDS
from integration.values.limits import LIMITS
from integration.values.page import (
    PAGE,
    cells_table,
    keys_table,
    limits_table,
    names_table,
    renewed,
    texts_table,
)

TABLES = {
    "text": texts_table(KINDS["text"]),
    **{name: cells_table(KINDS[name]) for name in ("json", "csv", "memory", "mysql", "dynamodb")},
    **{name: names_table(KINDS[name]) for name in ("no_json", "no_csv")},
    "keys": keys_table(KEYS),
    "limits": limits_table(LIMITS),
}


def test_the_tables_of_the_documentation_are_the_cells_that_are_tested() -> None:
    """`PLAIT_UPDATE=1` rewrites them."""
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("PLAIT_UPDATE"):
        page = renewed(page, TABLES)
        PAGE.write_text(page, encoding="utf-8")
    assert renewed(page, TABLES) == page, "run the test with PLAIT_UPDATE=1"
