"""The nearest known word to a mistyped one, and the help line made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

FEW = 8
_LONGEST = 100
_MOST = 2_000
_ONE_EDIT = 0.95


def nearest(word: str, words: Iterable[str], preferred: Sequence[str] = ()) -> str | None:
    """The one of `words` that was most likely meant, or None where none is near.

    A word one edit away wins over all others; of equals, one of `preferred`, else the first.

    >>> nearest("memroy", ["csv", "memory"])
    'memory'
    """
    if not word or len(word) > _LONGEST:
        return None
    known = list(dict.fromkeys((*preferred, *_ordered(words))))[:_MOST]
    plain = _plain(word)
    for likely in (_same, _one_edit):
        if meant := next((other for other in known if likely(plain, _plain(other))), None):
            return meant
    return _alike(plain, known, preferred)


def help_for(word: str, words: Iterable[str], what: str, listing: str | None) -> str:
    """What to do about an unknown `word`: the nearest one, all of a few, or their listing."""
    known = list(dict.fromkeys(_ordered(words)))
    if meant := nearest(word, known):
        return f"did you mean `{meant}`?"
    if not known:
        return f"there is no {what} to choose from"
    if len(known) > FEW and listing:
        return f"{listing} lists them"
    return one_of(known)


def one_of(words: Iterable[str]) -> str:
    """The words, or the first few of them."""
    known = list(words)
    rest = f" and {len(known) - FEW} more" if len(known) > FEW else ""
    return ("one of " if len(known) > 1 else "write ") + ", ".join(f"`{name}`" for name in known[:FEW]) + rest


def edited_once(word: str, other: str) -> bool:
    """Whether one letter was added, left out, changed or swapped with its neighbour, or none at all."""
    return _same(_plain(word), _plain(other)) or _one_edit(_plain(word), _plain(other))


def _ordered(words: Iterable[str]) -> Iterable[str]:
    return sorted(words) if isinstance(words, AbstractSet) else words


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")


def _same(word: str, other: str) -> bool:
    return word == other


def _one_edit(word: str, other: str) -> bool:
    """Whether one letter was added, left out, changed or swapped with its neighbour."""
    if abs(len(word) - len(other)) > 1 or min(len(word), len(other)) == 0:
        return False
    head = _shared(word, other)
    tail = _shared(word[head:][::-1], other[head:][::-1])
    left, right = word[head : len(word) - tail], other[head : len(other) - tail]
    if len(word) != len(other):
        return not left or not right
    if len(left) == 1:
        return len(word) > 1
    return len(left) == 2 and left == right[::-1]


def _shared(word: str, other: str) -> int:
    pairs = enumerate(zip(word, other, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(word), len(other)))


def _alike(word: str, known: Sequence[str], preferred: Sequence[str]) -> str | None:
    from difflib import SequenceMatcher

    best, score = None, 0.6 if len(word) > 3 else 0.65
    matcher = SequenceMatcher(None, "", word, autojunk=False)
    for other in known:
        matcher.set_seq1(_plain(other)[:_LONGEST])
        bonus = 0.05 if other in preferred else 0.0
        if matcher.real_quick_ratio() + bonus >= score and matcher.quick_ratio() + bonus >= score:
            ratio = matcher.ratio() + bonus
            if ratio > score or (ratio == score and best is None):
                best, score = other, ratio
    return best
