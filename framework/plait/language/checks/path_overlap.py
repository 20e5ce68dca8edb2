"""Whether files that will be written can fit the path that drives; exact, but for a `{name}` that stands twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plait.values.paths import DriverPath, normal_path
from plait.values.templates import STAR, STARS

if TYPE_CHECKING:
    from collections.abc import Iterable

HEX: Final = "hex digit"
SEGMENT: Final = "character but a slash"
UNSLASHED: Final = "any characters but slashes"
ANYTHING: Final = "any characters"
NAME = (*[HEX] * 32,)
DIGITS = frozenset("0123456789abcdef")


def folder(path: str) -> str:
    """A folder in one spelling, with a slash at its end."""
    return f"{normal_path(path).rstrip('/')}/"


def written(path: str, partitions: Iterable[str], suffix: str) -> tuple[str, ...]:
    """What the paths of files look like that are written under a folder, with its partitions, and a hash for a name."""
    tokens = [*folder(path)]
    for name in partitions:
        tokens += [*f"{name}=", UNSLASHED, "/"]
    return (*tokens, *NAME, *(suffix or [UNSLASHED]))


def drives(path: DriverPath, target: tuple[str, ...]) -> bool:
    """Whether a path of the target's form fits the driving path."""
    literal = normal_path(path.literal + "x")[:-1]
    beginning = "".join(target[: len(literal)])
    if len(beginning) == len(literal) and beginning != literal:
        return False
    return _meet(_tokens(DriverPath.parse(normal_path(path.text))), target)


def _tokens(path: DriverPath) -> tuple[str, ...]:
    tokens: list[str] = []
    for part in path.parts:
        if isinstance(part, str):
            tokens += part
        elif part in (STAR, STARS):
            tokens.append(UNSLASHED if part == STAR else ANYTHING)
        else:
            tokens += [SEGMENT, UNSLASHED]
    return tuple(tokens)


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        if (i, j) == (len(one), len(other)):
            return True
        for step in _steps(one, other, i, j):
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return False


def _steps(one: tuple[str, ...], other: tuple[str, ...], i: int, j: int) -> Iterable[tuple[int, int]]:
    left = one[i] if i < len(one) else None
    right = other[j] if j < len(other) else None
    if left in (UNSLASHED, ANYTHING):
        yield i + 1, j
    if right in (UNSLASHED, ANYTHING):
        yield i, j + 1
    if left and right and _share(left, right):
        yield i + (left not in (UNSLASHED, ANYTHING)), j + (right not in (UNSLASHED, ANYTHING))


def _share(left: str, right: str) -> bool:
    """Whether one character can be both."""
    for a, b in ((left, right), (right, left)):
        if len(a) == 1:
            if len(b) == 1:
                return a == b
            return a in DIGITS if b == HEX else b == ANYTHING or a != "/"
    return True
