"""Build the SELECT for many keys of a table of Athena: literals by the types of its columns, no text longer than it takes."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plait.plugin import GiveUp, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Key

MAX_TEXT_BYTES = 240_000  # of the 262,144 that Athena takes, the rest is for names
NUMBERS = ("tinyint", "smallint", "int", "integer", "bigint", "decimal", "float", "double", "real")
INTEGER = re.compile("-?(0|[1-9][0-9]*)")
FAMILIES = {
    **dict.fromkeys(("string", "varchar", "char"), "text"),
    **dict.fromkeys(NUMBERS, "number"),
    **{word: word for word in ("boolean", "date", "timestamp", "binary")},
}
MOMENT = "%Y-%m-%d %H:%M:%S.%f"


def quoted_text(text: str) -> str:
    """A text as a literal: of Trino's texts only the quote is special; a NUL is spelled out, since no parser is sure to take it.

    Athena's execution parameters save no quoting: each is the text of a literal too, with its quotes, of 1,024 characters at most.
    """
    return "'" + text.replace("'", "''").replace("\0", "'||chr(0)||'") + "'"


def quoted_name(name: str) -> str:
    """Quote a name, so that it can never be anything else; Athena compares names without their case."""
    return '"' + name.replace('"', '""') + '"'


def _text_literal(value: str) -> str | None:
    """A text as a literal; None for half of a surrogate pair, which no UTF-8 has."""
    return None if re.search("[\ud800-\udfff]", value) else quoted_text(value)


def _number_literal(value: float | Decimal) -> str | None:
    if isinstance(value, int):
        return str(value)
    return f"DECIMAL '{value:f}'" if isinstance(value, Decimal) and value.is_finite() else _double(value)


def _double(value: float | Decimal) -> str | None:
    """A number as a literal of type double; None for one that is equal to none."""
    return f"CAST('{value}' AS double)" if math.isfinite(value) else None


def _integer_literal(value: str) -> str | None:
    return value if INTEGER.fullmatch(value) and abs(int(value)) < 1 << 63 else None


# How a value of a key (by its class) is compared with a column (by the family of its type): the expression that stands for
# the column, and the literal for the value, None where no value of the column can be equal.
Comparison = tuple[str, "Callable[[Any], str | None]"]
PLAIN = "{}"
COMPARISONS: dict[tuple[type, str], Comparison] = {
    (str, "text"): (PLAIN, _text_literal),
    (str, "number"): (PLAIN, _integer_literal),
    **{(kind, "number"): (PLAIN, _number_literal) for kind in (int, Decimal, float)},
    # `7.0` and `7e0` are the number 7 as well.
    **{(kind, "text"): ("TRY_CAST({} AS double)", _double) for kind in (int, Decimal, float)},
    (bool, "boolean"): (PLAIN, lambda value: str(value).lower()),
    (bool, "text"): (PLAIN, lambda value: f"'{str(value).lower()}'"),
    (date, "date"): (PLAIN, lambda value: f"DATE '{value.isoformat()}'"),
    (date, "text"): (PLAIN, lambda value: f"'{value.isoformat()}'"),
    **{
        (datetime, family): (PLAIN, lambda value: f"TIMESTAMP '{_moment(value)}'")
        for family in ("timestamp", "date")
    },
    (bytes, "binary"): (PLAIN, lambda value: f"X'{value.hex()}'"),
}


def _moment(value: datetime) -> str:
    return f"{value.year:04}{value.strftime(MOMENT.removeprefix('%Y'))}"


class TableColumns(Struct, frozen=True):
    """The columns of a table as the catalogue has them: types by name, the names of its partitions, and its location."""

    name: str
    types: Mapping[str, str]
    partitions: tuple[str, ...]
    location: str

    def require(self, names: Iterable[str]) -> None:
        """Raise GiveUp for the first name that no column has."""
        for name in names:
            if name.lower() not in self.types:
                help = f"its columns are {', '.join(map(excerpt, [*self.types][:20]))}"
                raise GiveUp(
                    f"table `{self.name}` has no column {excerpt(name)}", code="not-found", help=help
                )

    def comparison(self, name: str, value: Any) -> Comparison:
        """How to compare a column with a value of a key; raises GiveUp if no value of it could ever be equal."""
        kind = self.types[name.lower()]
        family = FAMILIES.get(re.split("[(<]", kind, maxsplit=1)[0])
        comparison = COMPARISONS.get((type(value), family or ""))
        if comparison is None:
            message = (
                f"column {excerpt(name)} of table `{self.name}` is {kind}, which no key of this type equals"
            )
            help = "give the column that the join is on the type of the table's column"
            raise GiveUp(message, code="wrong-type", help=help)
        return comparison


class Condition(Struct, frozen=True):
    """A key as SQL: the expressions for the columns, and a literal for each."""

    key: Key
    expressions: tuple[str, ...]
    literals: tuple[str, ...]

    @property
    def length(self) -> int:
        """How many bytes of a statement it takes: a key of several columns stands twice in it."""
        length = sum(len(literal.encode()) + 2 for literal in self.literals)
        return length if len(self.literals) == 1 else 2 * length + 4


def conditions(
    table: TableColumns, keys: Iterable[Key], column_of: Callable[[str], str]
) -> Iterator[Condition]:
    """Yield the keys that rows can have; `column_of` returns the column that a field of a key is read from."""
    for key in keys:
        comparisons = [table.comparison(column_of(name), value) for name, value in key.fields.items()]
        expressions = (
            expression.format(quoted_name(column_of(name).lower()))
            for name, (expression, _) in zip(key.fields, comparisons, strict=True)
        )
        literals = [
            literal(value) for value, (_, literal) in zip(key.fields.values(), comparisons, strict=True)
        ]
        if all(literal is not None for literal in literals):
            yield Condition(key, tuple(expressions), tuple(map(str, literals)))


def chunks(conditions: Iterable[Condition]) -> Iterator[list[Condition]]:
    """Cut the keys into as few parts as fit into one statement each."""
    chunk: list[Condition] = []
    length = 0
    for condition in conditions:
        if chunk and length + condition.length > MAX_TEXT_BYTES:
            yield chunk
            chunk, length = [], 0
        chunk.append(condition)
        length += condition.length
    if chunk:
        yield chunk


def select(table: TableColumns, columns: Iterable[str], conditions: Sequence[Condition], limit: int) -> str:
    """Return the SELECT for at most `limit` rows that have one of the keys, if there are any.

    Each column of the key has a list of its own, by which Athena leaves out partitions and parts of files.
    """
    names = ", ".join(map(quoted_name, columns))
    database, _, name = table.name.partition(".")
    where = ""
    if conditions:
        expressions = conditions[0].expressions
        by_column = zip(*(condition.literals for condition in conditions), strict=True)
        terms = [
            f"{expression} IN ({', '.join(dict.fromkeys(literals))})"
            for expression, literals in zip(expressions, by_column, strict=True)
        ]
        if len(expressions) > 1:
            rows = ", ".join(f"({', '.join(condition.literals)})" for condition in conditions)
            terms.append(f"({', '.join(expressions)}) IN ({rows})")
        where = f" WHERE {' AND '.join(terms)}"
    return f"SELECT {names} FROM {quoted_name(database)}.{quoted_name(name)}{where} LIMIT {limit}"  # noqa: S608 - names and values are quoted
