"""Build the SELECT for many keys: names are quoted, values bound, and no statement is longer than a server takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Key

NAME = "(?:`(?:[^`]|``)+`|[^`.]+)"  # in backticks, as MySQL writes them, a name may have a dot
TABLE = rf"{NAME}(?:\.{NAME})?"
MAX_KEY_BYTES = 65_535
MAX_STATEMENT_BYTES = 1 << 20


def longest_value(key: Key) -> int:
    """Return how many bytes the longest text or binary of a key has."""
    return max(map(_length, key.fields.values()), default=0)


def _length(value: Any) -> int:
    """How many bytes a text or binary has; 0 for any other value."""
    if isinstance(value, str):
        value = value.encode("utf-8", "replace")
    return len(value) if isinstance(value, bytes) else 0


def chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """Cut the keys into as few parts as fit into one statement each; escaping may double the length of a text."""
    chunk: list[Key] = []
    length = 0
    for key in keys:
        key_length = sum(2 * _length(value) + 40 for value in key.fields.values())
        if chunk and length + key_length > MAX_STATEMENT_BYTES:
            yield chunk
            chunk, length = [], 0
        chunk.append(key)
        length += key_length
    if chunk:
        yield chunk


def select(
    table: str,
    fields: Iterable[str] | None,
    floats: frozenset[str],
    keys: Sequence[Key],
    limit: int,
    seconds: float,
) -> str:
    """Return the statement for at most `limit` rows that have one of the keys, if there are any, stopped after `seconds`.

    It selects `fields` and the columns of the key, or all columns if `fields` is None. Columns of type FLOAT,
    named in `floats`, are selected with all of their digits.
    """
    key_columns = tuple(keys[0].fields) if keys else ()
    names = None if fields is None else dict.fromkeys((*fields, *key_columns))
    columns = "*" if names is None else ", ".join(_selected(name, floats) for name in names)
    key_names, placeholders = ", ".join(map(quoted, key_columns)), ", ".join(["%s"] * len(key_columns))
    if len(key_columns) > 1:
        key_names, placeholders = f"({key_names})", f"({placeholders})"
    condition = f"WHERE {key_names} IN ({', '.join([placeholders] * len(keys))}) " if keys else ""
    # MariaDB reads the first of these two comments, MySQL the second.
    mariadb_limit = f"/*M! SET STATEMENT max_statement_time={seconds:.3f} FOR */"
    mysql_limit = f"/*+ MAX_EXECUTION_TIME({seconds * 1000:.0f}) */"
    return (
        f"{mariadb_limit} SELECT {mysql_limit} {columns} FROM {_quoted_table(table)} {condition}LIMIT {limit}"  # noqa: S608 - names are quoted, values bound
    )


def _selected(name: str, floats: frozenset[str]) -> str:
    return f"{quoted(name)} + 0e0 AS {quoted(name)}" if name in floats else quoted(name)


def table_names(table: str) -> list[str]:
    """Return the name of a table, behind that of its database if the text has one; raises GiveUp if it is neither."""
    if not re.fullmatch(TABLE, table):
        raise GiveUp("the option `table` is not `table` or `database.table`")
    return [
        name[1:-1].replace("``", "`") if name.startswith("`") else name for name in re.findall(NAME, table)
    ]


def _quoted_table(table: str) -> str:
    return ".".join(map(quoted, table_names(table)))


def quoted(name: str) -> str:
    """Quote a name, so that it can never be anything else."""
    # PyMySQL fills values with `%`, so a `%` in a name is doubled.
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def charsets(cursor: Any, table: str, columns: Sequence[str]) -> dict[str, str] | None:
    """Ask for the character set of each column that holds text; None if the table is empty."""
    calls = ", ".join(f"CHARSET({quoted(column)})" for column in columns)
    cursor.execute(f"SELECT {calls} FROM {_quoted_table(table)} LIMIT 1", ())  # noqa: S608 - names are quoted
    row = cursor.fetchone()
    if row is None:
        return None
    return {
        column: charset
        for column, charset in zip(columns, row, strict=True)
        if re.fullmatch("[a-z0-9]+", charset) and charset != "binary"
    }


def representable(cursor: Any, keys: Sequence[Key], charsets: Mapping[str, str]) -> list[Key]:
    """Return the keys whose texts survive the character sets of their columns; the others can have no row."""
    remaining = [*keys]
    for column, charset in charsets.items():
        texts = [key.fields[column] for key in remaining]
        if not texts or not isinstance(texts[0], str):
            continue
        cursor.execute(f"SELECT {', '.join([f'CONVERT(%s USING {charset})'] * len(texts))}", texts)
        converted = cursor.fetchone()
        remaining = [
            key for key, text in zip(remaining, converted, strict=True) if text == key.fields[column]
        ]
    return remaining
