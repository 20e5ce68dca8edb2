"""What the documentation says of values, keys and limits is what is tested."""

from __future__ import annotations

import os

from .kinds_aws import DYNAMODB
from .kinds_files import CSV, MEMORY, NO_CSV
from .kinds_json import JSON, NO_JSON
from .kinds_keys import KEYS
from .kinds_mysql import MYSQL
from .kinds_text import TEXTS
from .limits import LIMITS
from .page import PAGE, cells_table, keys_table, limits_table, names_table, renewed, texts_table

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
