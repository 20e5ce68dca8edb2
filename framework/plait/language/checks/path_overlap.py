"""Tell whether files that will be written can fit the path that drives.

The answer is exact unless a `{name}` stands twice in the path: then it may be yes where no file fits.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Final

from plait.values.driver_path import DriverPath
from plait.values.paths import normal_path
from plait.values.templates import FOLDERS, STAR, STARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Tokens of the form of a path; every other token is a character that stands for itself.
HEX_DIGIT: Final = "hex digit"
NO_SLASH: Final = "character but a slash"
NO_SLASHES: Final = "any characters but slashes"
ANYTHING: Final = "any characters"
REPEATED = (NO_SLASHES, ANYTHING)
HASH = (*[HEX_DIGIT] * 32,)
HEX_DIGITS = frozenset("0123456789abcdef")


def normal_folder(path: str) -> str:
    """A folder in one spelling, with a slash at its end."""
    return f"{normal_path(path).rstrip('/')}/"


def written_form(folder: str, partitions: Iterable[str], suffix: str) -> tuple[str, ...]:
    """The form of the paths of files written below a folder: its partitions, then a hash as the name of the file."""
    tokens = [*normal_folder(folder)]
    for name in partitions:
        tokens += [*f"{name}=", NO_SLASHES, "/"]
    return (*tokens, *HASH, *(suffix or [NO_SLASHES]))


def can_drive(path: DriverPath, form: tuple[str, ...]) -> bool:
    """Whether some path of this form fits the driving path."""
    literal = normal_path(path.literal + "x")[:-1]
    beginning = "".join(form[: len(literal)])
    if len(beginning) == len(literal) and beginning != literal:
        return False
    forms = _forms_of(DriverPath.parse(normal_path(path.text)))
    return any(_have_common_text(driving, form) for driving in forms)


def _forms_of(path: DriverPath) -> Iterator[tuple[str, ...]]:
    """The forms of the paths that fit: `**/` is nothing, or anything up to a slash."""
    choices = {STAR: [[NO_SLASHES]], STARS: [[ANYTHING]], FOLDERS: [[], [ANYTHING, "/"]]}
    tokens = (
        [[*part]] if isinstance(part, str) else choices.get(part, [[NO_SLASH, NO_SLASHES]])
        for part in path.parts
    )
    for form in product(*tokens):
        yield tuple(chain.from_iterable(form))


def _have_common_text(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether some text has both forms: a search through pairs of positions in the two."""
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        if (i, j) == (len(left), len(right)):
            return True
        for positions in _next_positions(left, right, i, j):
            if positions not in seen:
                seen.add(positions)
                waiting.append(positions)
    return False


def _next_positions(
    left: tuple[str, ...], right: tuple[str, ...], i: int, j: int
) -> Iterable[tuple[int, int]]:
    left_token = left[i] if i < len(left) else None
    right_token = right[j] if j < len(right) else None
    if left_token in REPEATED:
        yield i + 1, j
    if right_token in REPEATED:
        yield i, j + 1
    if left_token and right_token and _can_be_same(left_token, right_token):
        yield i + (left_token not in REPEATED), j + (right_token not in REPEATED)


def _can_be_same(left: str, right: str) -> bool:
    """Whether one character fits both tokens."""
    for character, other in ((left, right), (right, left)):
        if len(character) == 1:
            if len(other) == 1:
                return character == other
            if other == HEX_DIGIT:
                return character in HEX_DIGITS
            return other == ANYTHING or character != "/"
    return True
