"""The schema of Parquet files by two readers, in words of our own, held against that of a plan."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from kit.tables import table
from plait.plan.plan import Field, Plan
from plait.values.types import Type, spell_name

TYPES: dict[str, list[str]] = table("types.yaml")
WORDS = {arrow: word for word, (arrow, _) in TYPES.items()}

Described = tuple[str, str, bool, tuple[Any, ...]]


def differences(plan: Plan, files: Sequence[Path]) -> list[str]:
    """How the schema of each file differs from the plan, and how the first does that DuckDB reads."""
    promised = [_planned(field) for field in plan.columns]
    schemas = [(file, [_field(field) for field in parquet.read_schema(file)]) for file in files]
    wrong = [f"{file}: {schema} is not {promised}" for file, schema in schemas if schema != promised]
    by_duckdb = _read_by_duckdb(files[0])
    wanted = [(f.name, _duckdb(f.type), f.nullable) for f in plan.columns]
    return wrong if by_duckdb == wanted else [*wrong, f"DuckDB: {by_duckdb} is not {wanted}"]


def _planned(field: Field) -> Described:
    return (field.name, str(field.type.in_table()), field.nullable, tuple(map(_planned, field.fields)))


def _field(field: pa.Field) -> Described:
    """A column; the fields of a list's elements count only where the elements are never null."""
    kind = field.type
    listed = pa.types.is_list(kind) and not kind.value_field.nullable
    assert listed or all(part.nullable for part in _nested(kind)), field
    return (field.name, _word(kind), field.nullable, tuple(map(_field, kind.value_type)) if listed else ())


def _nested(kind: pa.DataType) -> list[pa.Field]:
    """The fields within a type, but for the keys of maps, which are never null."""
    parts = [kind.item_field] if pa.types.is_map(kind) else [kind.field(n) for n in range(kind.num_fields)]
    return [*parts, *(inner for part in parts for inner in _nested(part.type))]


def _word(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array<{_word(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{_word(kind.key_type)},{_word(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{spell_name(part.name)}:{_word(part.type)}' for part in kind)}>"
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return WORDS[str(kind)]


def _read_by_duckdb(file: Path) -> list[tuple[str, str, bool]]:
    with duckdb.connect() as connection:
        query = "DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)"
        types = {row[0]: row[1].replace('"', "") for row in connection.execute(query, [str(file)]).fetchall()}
        query = "SELECT name, repetition_type, coalesce(num_children, 0) FROM parquet_schema(?)"
        [_, *nodes] = connection.execute(query, [str(file)]).fetchall()
    columns = []
    while nodes:
        name, repetition, _ = nodes[0]
        columns.append((name, types[name], repetition == "OPTIONAL"))
        nodes = _after(nodes)
    return columns


def _after(nodes: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """What follows the first node and all that it nests, in a schema written depth first."""
    (_, _, children), following = nodes[0], nodes[1:]
    for _ in range(children):
        following = _after(following)
    return following


def _duckdb(kind: Type) -> str:
    if kind.word == "array":
        return f"{_duckdb(kind.fields[0][1])}[]"
    if kind.word == "map":
        return f"MAP(VARCHAR, {_duckdb(kind.fields[1][1])})"
    if kind.word == "struct":
        return f"STRUCT({', '.join(f'{name} {_duckdb(part)}' for name, part in kind.fields)})"
    return str(kind).upper() if kind.word == "decimal" else TYPES[kind.word][1]
