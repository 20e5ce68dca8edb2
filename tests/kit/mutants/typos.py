"""The words of a spec that must be known where they stand, and every way to mistype one letter of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase

from kit.mutants.mutation import Place, at, places
from plait.language.source_map import SourceMap
from plait.problems.problem import Span
from plait.values.types import FORMS

NAMED = r"[^/]+"
SOURCE = rf"sources/{NAMED}"
KEYS = {
    "step": rf"{SOURCE}/decode/{NAMED}/#/{NAMED}",
    "decoded field": rf"{SOURCE}/decode/{NAMED}",
    "column": rf"{SOURCE}/join/on/{NAMED}",
    "key": rf"({SOURCE}(/join|/join/missing|/window|/columns/{NAMED})?/|parameters/{NAMED}/|(sink|quarantine|deploy)/)?{NAMED}",
}
WORD = r"[A-Za-z_]\w*"
HOLE = r"(?<![{$])\{(\w+)\}"
TYPE = rf"\b({'|'.join(sorted({re.split('[(<]', form)[0] for form in FORMS}))})\b"
CHOICE = rf"({SOURCE}(/join)?|sink|deploy)/(as|missing|duplicates|tls|compression|files|trigger)"
VALUES = (
    ("connector", rf"({SOURCE}|sink)/connector", WORD),
    ("type", rf"{SOURCE}/columns/{NAMED}(/type)?", TYPE),
    ("column", rf"{SOURCE}/(join/on(/#)?|window/around)", WORD),
    ("step", rf"{SOURCE}/decode/{NAMED}/#", WORD),
    ("column", rf"{SOURCE}/path", HOLE),
    ("pattern", rf"{SOURCE}/pattern", HOLE),
    ("choice", CHOICE, WORD),
    ("function", rf"partition_by/{NAMED}", r"(\w+)\("),
    ("zone", rf"partition_by/{NAMED}", r"\w+/\w+"),
    ("column", rf"partition_by/{NAMED}", rf"(?<![\w/]){WORD}(?![\w(/])"),
    ("parameter", r"(?!parameters/).*", r"(?<!\$)\$\{(\w+)\}"),
)


@dataclass(frozen=True)
class Word:
    """A word at an offset of the text, and what kind of word belongs there."""

    kind: str
    text: str
    start: int


def words(source_map: SourceMap) -> Iterator[Word]:
    """Each word of a spec that is a key, or refers to something that the spec or the language knows."""
    for place in places(source_map.value):
        shape = "/".join("#" if isinstance(step, int) else str(step) for step in place)
        if place in source_map.key_spans and (kind := _kind(shape)):
            yield Word(kind, str(place[-1]), _range(source_map, source_map.key_spans[place])[0])
        if isinstance(at(source_map.value, place), str):
            begin, end = _range(source_map, source_map.value_spans[place])
            for kind, where, what in VALUES:
                if re.fullmatch(where, shape) and not _drives(source_map, place, kind):
                    for match in re.finditer(what, source_map.text[begin:end]):
                        group = match.lastindex or 0
                        yield Word(kind, match[group], begin + match.start(group))


def _kind(shape: str) -> str | None:
    """What kind of word a key is, None where its author chose it."""
    return next((kind for kind, pattern in KEYS.items() if re.fullmatch(pattern, shape)), None)


def _drives(source_map: SourceMap, place: Place, kind: str) -> bool:
    """Whether this is the path of a driving source, whose names in braces are its author's."""
    return kind == "column" and place[-1] == "path" and "join" not in at(source_map.value, place[:2])


def _range(source_map: SourceMap, span: Span) -> tuple[int, int]:
    """The offsets of a span in the text, whose lines end in one character."""
    starts = [0]
    for line in source_map.lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts[span.line - 1] + span.column - 1, starts[span.end_line - 1] + span.end_column - 1


def typos(word: str) -> set[str]:
    """Each word that one letter added, left out, changed, or swapped with its neighbour gives."""
    cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    words = {head + letter + tail for head, tail in cuts for letter in ascii_lowercase}
    words |= {head + tail[1:] for head, tail in cuts if tail}
    words |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase}
    words |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return words - {word, ""}
