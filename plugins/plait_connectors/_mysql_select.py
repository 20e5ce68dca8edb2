"""The SELECT for many keys: names quoted, values bound, no statement longer than a server takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Key

NAME = "[A-Za-z0-9_$]+"
LONGEST = 65_535
STATEMENT = 1 << 20
UNHELD = {1267, 1271}


def longest(key: Key) -> int:
    """How many bytes the longest text of a key has."""
    return max(map(_bytes, key.fields.values()), default=0)


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace")
    return len(value) if isinstance(value, bytes) else 0


def chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    """The keys in turn, as many at once as a server takes in one statement; escapes may double a text."""
    chunk: list[Key] = []
    length = 0
    for key in keys:
        more = sum(2 * _bytes(value) + 40 for value in key.fields.values())
        if chunk and length + more > STATEMENT:
            yield chunk
            chunk, length = [], 0
        chunk.append(key)
        length += more
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
    """The rows of some keys, at most `limit`, within some seconds.

    The columns of `floats` are given in full, and all columns without `fields`.
    """
    key = tuple(keys[0].fields)
    names = None if fields is None else dict.fromkeys((*fields, *key))
    columns = "*" if names is None else ", ".join(_column(name, floats) for name in names)
    left, right = ", ".join(map(quoted, key)), ", ".join(["%s"] * len(key))
    if len(key) > 1:
        left, right = f"({left})", f"({right})"
    where = f"WHERE {left} IN ({', '.join([right] * len(keys))}) LIMIT {limit}"
    # The one comment is for MariaDB, the other for MySQL.
    patience = f"/*M! SET STATEMENT max_statement_time={seconds:.3f} FOR */"
    hint = f"/*+ MAX_EXECUTION_TIME({seconds * 1000:.0f}) */"
    return f"{patience} SELECT {hint} {columns} FROM {_table(table)} {where}"  # noqa: S608 - names are quoted, values bound


def _column(name: str, floats: frozenset[str]) -> str:
    return f"{quoted(name)} + 0e0 AS {quoted(name)}" if name in floats else quoted(name)


def _table(table: str) -> str:
    if not re.fullmatch(rf"{NAME}(\.{NAME})?", table):
        raise GiveUp("the option `table` is not `table` or `database.table`")
    return ".".join(map(quoted, table.split(".")))


def quoted(name: str) -> str:
    """A name that is never anything else."""
    # PyMySQL fills values with `%`, so a `%` in a name is doubled.
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def charsets(cursor: Any, table: str, names: Sequence[str]) -> dict[str, str] | None:
    """The character sets of columns that hold text, by name; None where the table is empty."""
    columns = ", ".join(f"CHARSET({quoted(name)})" for name in names)
    cursor.execute(f"SELECT {columns} FROM {_table(table)} LIMIT 1", ())  # noqa: S608 - names are quoted
    row = cursor.fetchone()
    if row is None:
        return None
    found = dict(zip(names, row, strict=True))
    return {
        name: word for name, word in found.items() if re.fullmatch("[a-z0-9]+", word) and word != "binary"
    }


def held(cursor: Any, keys: Sequence[Key], sets: Mapping[str, str]) -> list[Key]:
    """The keys whose texts their columns can hold: one that is changed by the character set has no row."""
    kept = [*keys]
    for name, word in sets.items():
        texts = [key.fields[name] for key in kept]
        if not texts or not isinstance(texts[0], str):
            continue
        cursor.execute(f"SELECT {', '.join([f'CONVERT(%s USING {word})'] * len(texts))}", texts)
        kept = [key for key, text in zip(kept, cursor.fetchone(), strict=True) if text == key.fields[name]]
    return kept
