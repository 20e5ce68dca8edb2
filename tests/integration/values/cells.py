"""A cell of the value table: a kind of value in a source, and what becomes of it as a type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kit import fakes
from kit.tables import table
from plait.engine.read import cast
from plait.plugin import Record
from plait.plugin.registry import connector
from plait.values.decode import Step
from plait.values.types import INTEGERS, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.language.spec import Source
    from plait.values.types import Type

WORDS: dict[str, Any] = table("kinds/usual.yaml")
CROWD = 200


@dataclass(frozen=True)
class Kind:
    """A kind of value: its name in the documentation, how its source has it, and what it is as each type.

    A type that `fits` does not name refuses the value with `code`.
    """

    name: str
    source: Any
    fits: Mapping[str, Any] = field(default_factory=dict)
    code: str = "bad-value"

    @property
    def words(self) -> tuple[str, ...]:
        """The types that the value is tried as: the usual ones, and what it fits beyond them."""
        return tuple(dict.fromkeys((*WORDS, *self.fits)))


def source_of(word: str, kind: str, *steps: Step) -> Source:
    """A source of a connector, with one column `v` of a type, its field decoded by the steps."""
    decode = {"v": steps} if steps else None
    return fakes.source(fakes.column("v", kind), connector=connector(word), decode=decode)


def verdict(records: Sequence[Record], source: Source) -> Any:
    """What becomes of the last of some records: its value, or the code of what is wrong with it."""
    typed = cast(records, source)
    last = len(records) - 1
    if last in typed.faults:
        return typed.faults[last].code
    assert typed.record_numbers[-1] == last
    return typed.table["v"].to_pylist(maps_as_pydicts="strict")[-1]


def verdicts(record: Record, source: Source) -> Iterator[Any]:
    """What becomes of a record's value alone, and behind two hundred others."""
    (column,) = source.columns or ()
    usual = None if source.decode else WORDS[_usual(column.type)]
    yield verdict([record], source)
    yield verdict([*[Record(fields={"v": usual})] * CROWD, record], source)


def _usual(kind: Type) -> str:
    return next(word for word in WORDS if family(word) == family(str(kind)))


def family(kind: str) -> str:
    """A type's word, of numbers the widest that is meant alike."""
    word = parse(kind).word
    return "bigint" if word in INTEGERS else "double" if word == "float" else word


def same(actual: Any, expected: Any) -> bool:
    """Whether two values are the same, their types and the sign of a zero included."""
    if type(actual) is not type(expected):
        return False
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(expected, dict):
        return list(actual) == list(expected) and all(map(same, actual.values(), expected.values()))
    return bool(actual == expected) and str(actual).startswith("-") == str(expected).startswith("-")
