"""The path of driving objects: which URIs fit it, what their names say, and whether files that are written may fit."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import chain, product
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import unquote_to_bytes

from plait.problems.errors import SpecValueError
from plait.values.paths import PathTemplate, normal_path, path_pattern
from plait.values.patterns import (
    FOLDERS,
    HOLE_PATTERN,
    STAR,
    STARS,
    UNNAMED,
    Expression,
    Hole,
    Part,
    check_neighbours,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
# A token of the form of a path: the characters of which one stands there, or one of these words.
HEX_DIGIT = "0123456789abcdef"
NO_SLASH, NO_SLASHES, ANYTHING = "any but a slash", "any number but slashes", "any number of any"
REPEATED = (NO_SLASHES, ANYTHING)


def normal_folder(path: str) -> str:
    """A folder in one spelling, with a slash at its end."""
    return f"{normal_path(path).rstrip('/')}/"


class DriverPath(PathTemplate, frozen=True):
    """The path of driving objects.

    `*` stands for text without a slash, `{name}` for at least one such character, `**/` at the beginning of a segment for
    any folders, and `**` as the last segment for any object below. Each takes, from left to right, the shortest text with
    which the rest still fits.
    """

    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": path_pattern(rf"{HOLE_PATTERN}|\*", with_folders=True),
        "patternErrorMessage": "a path begins with literal text, as in `s3://bucket/orders/*.json`",
        "examples": ["s3://bucket/orders/*.json", "sample/orders/{day}/*.json"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a path; raises SpecValueError as `PathTemplate.parse`, and for a `**` that stands for no whole folders."""
        path = super().parse(text)
        parts = _with_folders(path.parts)
        check_neighbours(parts, lambda left, _right: left == FOLDERS)
        return cls(text, parts)

    def match(self, uri: str) -> dict[str, str | None] | None:
        """The text of each `{name}` in a URI that fits the path, or None if it does not fit.

        Behind `text=` and up to the end of a segment a text is read as Hive writes it: `%XX` is a byte of UTF-8, and the
        default partition is null.
        """
        expression, names = self._matcher
        groups = expression.match(uri)
        if groups is None:
            return None
        texts: dict[str, str | None] = {}
        for number, (name, in_hive) in enumerate(names):
            group = groups[f"g{number}"]
            text = hive_text(group) if in_hive else group
            if texts.setdefault(name, text) != text:
                return None
        return texts

    @cached_property
    def _matcher(self) -> tuple[Expression, list[tuple[str, bool]]]:
        """The expression of the URIs that fit, and for each of its groups the name and whether it is Hive's."""
        regex = "(?s)"
        names: list[tuple[str, bool]] = []
        for before, part, after in zip(("", *self.parts), self.parts, (*self.parts[1:], "/"), strict=False):
            if isinstance(part, str):
                regex += re.escape(part)
            elif part in UNNAMED:
                regex += {STAR: "[^/]*?", FOLDERS: "(?:[^/]*/)*?", STARS: ".+"}[part]
            else:
                regex += f"(?P<g{len(names)}>[^/]+?)"
                is_segment_end = isinstance(after, str) and after.startswith("/")
                in_hive = (
                    is_segment_end
                    and isinstance(before, str)
                    and before.endswith("=")
                    and before[-2:-1] not in ("", "/")
                )
                names.append((part.name, in_hive))
        groups = tuple(f"g{number}" for number in range(len(names)))
        return Expression(regex, groups, sum(isinstance(part, Hole) for part in self.parts)), names

    def fits_files_below(self, folder: str, partitions: Iterable[str], suffix: str) -> bool:
        """Whether files that are written below a folder, in folders of their partitions and named by a hash, may fit.

        The answer is exact unless a `{name}` stands twice in the path: then it may be yes where no file fits.
        """
        written = [*normal_folder(folder)]
        for name in partitions:
            written += [*f"{name}=", NO_SLASHES, "/"]
        written += [HEX_DIGIT] * 32 + [*(suffix or [NO_SLASHES])]
        forms = _forms_of(DriverPath.parse(normal_path(self.text)))
        return any(_have_common_text(form, written) for form in forms)


def _with_folders(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts of a path with `**/` as one hole; raises SpecValueError for another `**`."""
    whole: list[Part] = []
    for part in parts:
        before, last = (whole[-1:] or [""])[0], STARS in whole[-1:]
        begins_segment = before == FOLDERS or (isinstance(before, str) and before.endswith("/"))
        if last and isinstance(part, str) and part.startswith("/"):
            whole[-1] = FOLDERS
            whole += [part[1:]] if part[1:] else []
            continue
        if last or (part == STARS and not begins_segment):
            message = "`**` stands for whole folders"
            help = "write `**/` where a segment begins, `**` as the last segment, or `*` for text within one"
            raise SpecValueError(message, code="wrong-path", help=help, part="**")
        whole.append(part)
    return tuple(whole)


def hive_text(text: str) -> str | None:
    """The value that the name of a folder of Hive's stands for: `%XX` decoded if that is UTF-8, null if it is the default.

    >>> hive_text("S%C3%A3o Paulo"), hive_text("100%"), hive_text("__HIVE_DEFAULT_PARTITION__")
    ('São Paulo', '100%', None)
    """
    if text == HIVE_NULL:
        return None
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeError:
        return text


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
