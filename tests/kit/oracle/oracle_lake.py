"""What stands in the lake, read by DuckDB, and how it differs from what was expected."""

import io
import tempfile
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow.parquet as pq

from kit.oracle.oracle_values import Row

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"
QUERY = """
    SELECT * FROM read_parquet($files, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)
"""


class HasRows(Protocol):
    """What was expected: a row by its object's key."""

    @property
    def rows(self) -> Mapping[str, Row]: ...


def read_files(files: Mapping[str, bytes]) -> list[Row]:
    """Return the rows of Parquet files given by their keys, whose `name=value` folders become columns."""
    with tempfile.TemporaryDirectory() as folder:
        for key, data in files.items():
            path = Path(folder, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return read_lake(Path(folder))


def rows_of(file: bytes) -> list[Row]:
    """Return the rows of one Parquet file, without its partitions."""
    rows: list[Row] = pq.ParquetFile(io.BytesIO(file)).read().to_pylist()
    return rows


def read_lake(folder: Path) -> list[Row]:
    """Return the rows of all Parquet files under a folder, with timestamps in UTC and partitions as text."""
    files = sorted(map(str, folder.rglob("*.parquet")))
    if not files:
        return []
    with duckdb.connect() as connection:
        relation = connection.sql(QUERY, params={"files": files})
        types = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
        rows = relation.project(", ".join(map(_selected, types, types.values()))).fetchall()
    return [{name: _value(types[name], cell) for name, cell in zip(types, row, strict=True)} for row in rows]


def _selected(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"epoch_us({quoted}) AS {quoted}" if kind.startswith("TIMESTAMP") else quoted


def _value(kind: str, cell: Any) -> Any:
    if cell is None or cell == DEFAULT_PARTITION:
        return None
    return EPOCH + timedelta(microseconds=cell) if kind.startswith("TIMESTAMP") else cell


def compare(expected: HasRows, rows: Iterable[Row]) -> list[str]:
    """Return a sentence for each difference, row for row and value for value, types included."""
    wanted, actual = _by_id(expected.rows.values()), _by_id(rows)
    differences = []
    for name in sorted({*wanted, *actual}, key=str):
        if len(wanted[name]) != len(actual[name]):
            differences.append(f"{name}: {len(wanted[name])} rows expected, {len(actual[name])} found")
        for expected_row, row in zip(wanted[name], actual[name], strict=False):
            differences += [f"{name}: {difference}" for difference in _differences(expected_row, row)]
    return differences


def lost_or_added(wanted: Iterable[Hashable], actual: Iterable[Hashable]) -> list[str]:
    """Return a sentence for each row that is not there, or there too often."""
    wanted_counts, actual_counts = Counter(wanted), Counter(actual)
    return [f"lost: {row}" for row in wanted_counts - actual_counts] + [
        f"too many: {row}" for row in actual_counts - wanted_counts
    ]


def _by_id(rows: Iterable[Row]) -> defaultdict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in sorted(rows, key=repr):
        groups[row.get("transaction_id")].append(row)
    return groups


def _differences(expected: Row, actual: Row) -> list[str]:
    if list(expected) != list(actual):
        return [f"columns {list(expected)} expected, {list(actual)} found"]
    return [
        f"{c}: {expected[c]!r} expected, {actual[c]!r} found"
        for c in expected
        if not _same(expected[c], actual[c])
    ]


def _same(want: Any, actual: Any) -> bool:
    if type(want) is not type(actual):
        return False
    if isinstance(want, list):
        return len(want) == len(actual) and all(map(_same, want, actual))
    if isinstance(want, dict):
        return list(want) == list(actual) and all(map(_same, want.values(), actual.values()))
    return bool(want == actual) and (not isinstance(want, Decimal) or want.as_tuple() == actual.as_tuple())
