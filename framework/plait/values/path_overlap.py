"""Tell whether files that will be written can fit the path that drives.

The answer is exact unless a `{name}` stands twice in the path: then it may be yes where no file fits.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING

from plait.values.driver_path import DriverPath
from plait.values.paths import normal_path
from plait.values.templates import FOLDERS, STAR, STARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# A token of the form of a path: the characters of which one stands there, or one of these words.
HEX_DIGIT = "0123456789abcdef"
NO_SLASH, NO_SLASHES, ANYTHING = "any but a slash", "any number but slashes", "any number of any"
REPEATED = (NO_SLASHES, ANYTHING)


def normal_folder(path: str) -> str:
    """A folder in one spelling, with a slash at its end."""
    return f"{normal_path(path).rstrip('/')}/"


def can_drive(path: DriverPath, folder: str, partitions: Iterable[str], suffix: str) -> bool:
    """Whether files below a folder fit the path: in folders of their partitions, with a hash as name."""
    written = [*normal_folder(folder)]
    for name in partitions:
        written += [*f"{name}=", NO_SLASHES, "/"]
    written += [HEX_DIGIT] * 32 + [*(suffix or [NO_SLASHES])]
    forms = _forms_of(DriverPath.parse(normal_path(path.text)))
    return any(_have_common_text(form, written) for form in forms)


def _forms_of(path: DriverPath) -> Iterator[list[str]]:
    """The forms of the paths that fit: `**/` is nothing, or anything up to a slash."""
    choices = {STAR: [[NO_SLASHES]], STARS: [[ANYTHING]], FOLDERS: [[], [ANYTHING, "/"]]}
    tokens = (
        [[*part]] if isinstance(part, str) else choices.get(part, [[NO_SLASH, NO_SLASHES]])
        for part in path.parts
    )
    return ([*chain.from_iterable(form)] for form in product(*tokens))


def _have_common_text(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether some text has both forms: a search through pairs of positions in the two."""
    seen: set[tuple[int, int]] = set()
    waiting = [(0, 0)]
    while waiting:
        i, j = positions = waiting.pop()
        if positions == (len(left), len(right)):
            return True
        if positions in seen:
            continue
        seen.add(positions)
        token, other = "".join(left[i : i + 1]), "".join(right[j : j + 1])
        waiting += [(i + 1, j)] if token in REPEATED else []
        waiting += [(i, j + 1)] if other in REPEATED else []
        if token and other and _overlap(token, other):
            waiting.append((i + (token not in REPEATED), j + (other not in REPEATED)))
    return False


def _overlap(token: str, other: str) -> bool:
    """Whether one character fits both tokens."""
    if {token, other} & {NO_SLASH, NO_SLASHES, ANYTHING}:
        return ANYTHING in (token, other) or "/" not in (token, other)
    return not {*token}.isdisjoint(other)
