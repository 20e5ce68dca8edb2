"""Places in a record as a spec writes them, such as `a.b[0]`, and the facts about the driving object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from plait.problems.errors import SpecValueError

OBJECT_FACTS = ("$object", "$modified", "$etag")
_FACT_LIST = ", ".join(f"`{fact}`" for fact in OBJECT_FACTS)
_QUOTED_PATTERN = r'"(?:[^"\\]|\\.)*"'
_NAME_PATTERN = rf'[^.\[\]"]+|{_QUOTED_PATTERN}'
_STEP = re.compile(r'\.?(?:"((?:[^"\\]|\\.)*)"|([^.\[\]"]+))|\[([0-9]{1,9})\]')


@dataclass(frozen=True, slots=True)
class Selector:
    """A place in a record such as `a.b[0]`, or a fact about the driving object such as `$modified`."""

    text: str
    steps: tuple[str | int, ...]
    noun: ClassVar[str] = "a place in a record"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": (
            rf"^\$(?:object|modified|etag)$"
            rf'|^(?:[^$.\[\]"][^.\[\]"]*|{_QUOTED_PATTERN})(?:\.(?:{_NAME_PATTERN})|\[[0-9]{{1,9}}\])*$'
        ),
        "patternErrorMessage": f'a place in a record is written `a.b[0]."c d"`, or is one of {_FACT_LIST}',
        "examples": ["customer.name", "tags[0]", *OBJECT_FACTS],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a place in a record: dotted names, `[n]`, quoted names; or one of OBJECT_FACTS.

        Raises SpecValueError where the text is neither.

        >>> Selector.parse('a.b[0]."c d"').steps
        ('a', 'b', 0, 'c d')
        """
        if not text.startswith("$"):
            return cls(text, _parse_steps(text))
        if text not in OBJECT_FACTS:
            raise _not_a_fact(text)
        return cls(text, (text,))


def _parse_steps(text: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(text):
        if match.start() != end or (not steps and text[0] in ".["):
            break
        if steps and match[3] is None and not match[0].startswith("."):
            break
        quoted, name, index = match.groups()
        steps.append(int(index) if index else re.sub(r"\\(.)", r"\1", quoted) if name is None else name)
        end = match.end()
    if not steps or end != len(text):
        raise SpecValueError(
            f'`{text[:40]}` is no place in a record such as `a.b[0]."c d"`',
            code="wrong-place",
            help="write names with dots between, `[0]` for an element, and quotes around odd names",
        )
    return tuple(steps)


def _not_a_fact(text: str) -> SpecValueError:
    """Say that only the facts begin with `$`; `$.a['b']` is how JSONPath writes the place `a.b`."""
    message = f"`{text[:40]}` is none of {_FACT_LIST}, which alone begin with `$`"
    field = re.sub(r"\['([^']*)'\]", r'."\1"', text[1:].lstrip("."))
    likely = field if text.startswith(("$.", "$[")) else None
    help = f"did you mean `{likely[:40]}`?" if likely else "leave out the `$` for a field of the record"
    return SpecValueError(message, code="wrong-place", help=help, part=text, words=OBJECT_FACTS)
