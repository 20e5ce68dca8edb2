"""Places in a record, such as `a.b[0]."c d"`, and what stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from msgspec import Struct

from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
from plait.problems.problem import excerpt
from plait.values.conversion_error import conversion_error

if TYPE_CHECKING:
    from collections.abc import Sequence

QUOTED_PATTERN = r'"(?:[^"\\]|\\.)*"'
NAME_PATTERN = rf'[^.\[\]"]+|{QUOTED_PATTERN}'
PLACE_PATTERN = rf'^(?:[^$.\[\]"][^.\[\]"]*|{QUOTED_PATTERN})(?:\.(?:{NAME_PATTERN})|\[[0-9]{{1,9}}\])*$'
STEP = re.compile(r'\.?(?:"((?:[^"\\]|\\.)*)"|([^.\[\]"]+))|\[([0-9]{1,9})\]')


class Place(Struct, frozen=True):
    """A place in a record such as `a.b[0]`; `facts` are texts with a meaning of their own, which begin with `$`."""

    text: str
    steps: tuple[str | int, ...]
    noun: ClassVar[str] = "a place in a record"
    facts: ClassVar[tuple[str, ...]] = ()
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": PLACE_PATTERN,
        "patternErrorMessage": 'a place in a record is written `a.b[0]."c d"`',
        "examples": ["customer.name", "tags[0]"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a place in a record: dotted names, `[n]`, quoted names; or one of the facts.

        >>> Place.parse('a.b[0]."c d"').steps
        ('a', 'b', 0, 'c d')
        """
        if text in cls.facts:
            return cls(text, (text,))
        if text.startswith("$"):  # `$.a['b']` is how JSONPath writes the place `a.b`
            place = re.sub(r"\['([^']*)'\]", r'."\1"', text[1:].lstrip("."))
            is_path = text.startswith(("$.", "$["))
            help = (
                f"did you mean `{place[:40]}`?" if is_path else "leave out the `$` for a field of the record"
            )
            words = ", ".join(f"`{fact}`" for fact in cls.facts)
            message = f"`{text[:40]}` is " + (
                f"none of {words}, which alone begin with `$`" if words else "no place in a record"
            )
            raise SpecValueError(message, code="wrong-place", help=help, part=text, words=cls.facts)
        return cls(text, _parse_steps(text))


def comparable(value: Any) -> tuple[bool, Any]:
    """A raw value as `only` compares it: true is not 1, and 1.0 is."""
    return isinstance(value, bool), value


def only_text(only: Iterable[tuple[Place, Iterable[tuple[bool, Any]]]]) -> str | None:
    """What `only` takes, in a line; None if it is left out."""
    texts = []
    for place, values in only:
        words = (str(value).lower() if is_boolean else str(value) for is_boolean, value in values)
        texts.append(f"{place.text}: {' or '.join(words)}")
    return ", ".join(texts) or None


def _parse_steps(text: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    end = 0
    for match in STEP.finditer(text):
        is_first = not steps and text[0] not in ".["
        if match.start() != end or not (is_first or (steps and match[0][0] in ".[")):
            break
        quoted, name, index = match.groups()
        steps.append(int(index) if index else re.sub(r"\\(.)", r"\1", quoted) if name is None else name)
        end = match.end()
    if not steps or end != len(text):
        message = f'`{text[:40]}` is no place in a record such as `a.b[0]."c d"`'
        help = "write names with dots between, `[0]` for an element, and quotes around odd names"
        raise SpecValueError(message, code="wrong-place", help=help)
    return tuple(steps)


def pick(fields: Any, steps: Sequence[str | int]) -> Any:
    """The value at a place, None if there is none; raises ConversionError if a step does not apply."""
    value = fields
    for step in steps:
        if isinstance(step, int):
            _require_type(value, list, "a list", step)
            value = value[step] if step < len(value) else None
        else:
            if type(value) is not dict:  # the usual case
                _require_type(value, Mapping, "a mapping", step)
            value = value.get(step)
        if value is None:
            return None
    return value


def _require_type(value: Any, python_type: type, words: str, step: str | int) -> None:
    if not isinstance(value, python_type):
        is_json = isinstance(value, str) and value.lstrip()[:1] in ("{", "[")
        help = "it is JSON within a text: decode it by `json`" if is_json else None
        raise conversion_error(f"expected {words} with {excerpt(str(step))} in it, got {{}}", value, help)


def put(fields: dict[str, Any], steps: Sequence[str | int], value: Any) -> None:
    """Put a value at a place that has one; the lists and mappings on the way are copied, the fields themselves are not."""
    *way, last = steps
    container: Any = fields
    for step in way:
        child = container[step]
        container[step] = dict(child) if isinstance(child, Mapping) else [*child]
        container = container[step]
    container[last] = value


def overlap(place: Sequence[str | int], other: Sequence[str | int]) -> bool:
    """Whether two places are the same, or one is within the other.

    >>> overlap(("a", "b"), ("a",)), overlap(("a", "b"), ("a", 0))
    (True, False)
    """
    return all(step == other_step for step, other_step in zip(place, other, strict=False))
