"""What the documentation says of values, keys and limits is what is tested."""

from __future__ import annotations

import os

from integration.values.kinds_aws import DYNAMODB
from integration.values.kinds_files import CSV, MEMORY, NO_CSV
from integration.values.kinds_json import JSON, NO_JSON
from integration.values.kinds_keys import KEYS
from integration.values.kinds_mysql import MYSQL
from integration.values.kinds_text import TEXTS
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
    "text": texts_table(TEXTS),
    "json": cells_table(JSON),
    "no_json": names_table(NO_JSON),
    "csv": cells_table(CSV),
    "no_csv": names_table(NO_CSV),
    "memory": cells_table(MEMORY),
    "mysql": cells_table(MYSQL),
    "dynamodb": cells_table(DYNAMODB),
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
