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

from kit.oracle_values import Row

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
        found = connection.sql(QUERY, params={"files": files})
        types = {name: str(kind) for name, kind in zip(found.columns, found.types, strict=True)}
        rows = found.project(", ".join(map(_selected, types, types.values()))).fetchall()
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
    wanted, found = _by_id(expected.rows.values()), _by_id(rows)
    differences = []
    for name in sorted({*wanted, *found}, key=str):
        if len(wanted[name]) != len(found[name]):
            differences.append(f"{name}: {len(wanted[name])} rows expected, {len(found[name])} found")
        for want, got in zip(wanted[name], found[name], strict=False):
            differences += [f"{name}: {difference}" for difference in _differences(want, got)]
    return differences


def lost_or_added(wanted: Iterable[Hashable], found: Iterable[Hashable]) -> list[str]:
    """Return a sentence for each row that is not there, or there too often."""
    want, got = Counter(wanted), Counter(found)
    return [f"lost: {row}" for row in want - got] + [f"too many: {row}" for row in got - want]


def _by_id(rows: Iterable[Row]) -> defaultdict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in sorted(rows, key=repr):
        groups[row.get("transaction_id")].append(row)
    return groups


def _differences(want: Row, got: Row) -> list[str]:
    if list(want) != list(got):
        return [f"columns {list(want)} expected, {list(got)} found"]
    return [f"{c}: {want[c]!r} expected, {got[c]!r} found" for c in want if not _same(want[c], got[c])]


def _same(want: Any, got: Any) -> bool:
    if type(want) is not type(got):
        return False
    if isinstance(want, list):
        return len(want) == len(got) and all(map(_same, want, got))
    if isinstance(want, dict):
        return list(want) == list(got) and all(map(_same, want.values(), got.values()))
    return bool(want == got) and (not isinstance(want, Decimal) or want.as_tuple() == got.as_tuple())
