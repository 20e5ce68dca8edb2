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
    return _alike(plain, known)


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


def _alike(word: str, known: Sequence[str]) -> str | None:
    """The word that the fewest letters tell from this one, else one of which this is the beginning or a part."""
    near = ((_letters(word, _plain(other)), n) for n, other in enumerate(known))
    best = min(((letters, n) for letters, n in near if letters is not None), default=None)
    if best is not None:
        return known[best[1]]
    return next((other for other in known if _holds(_plain(other), word)), None)


def _letters(word: str, other: str) -> int | None:
    """How many letters were added, left out, changed or swapped, or None where that is too many."""
    shorter, longer = sorted((len(word), len(other)))
    most = 3 if shorter > 8 else 2 if shorter > 5 else 1
    if longer - shorter > most or longer > _LONGEST or len(set(word) ^ set(other)) > 2 * most:
        return None
    above: list[int] = []
    row = [*range(len(other) + 1)]
    for n, letter in enumerate(word):
        before, above, row = above, row, [n + 1]
        for m, one in enumerate(other):
            row.append(min(above[m] + (letter != one), above[m + 1] + 1, row[m] + 1))
            if n and m and letter == other[m - 1] and word[n - 1] == one:
                row[-1] = min(row[-1], before[m - 1] + 1)
    return row[-1] if row[-1] <= most and row[-1] < longer else None


def _lacks_two(longer: str, shorter: str) -> bool:
    rest = iter(longer)
    return len(longer) - len(shorter) <= 2 and all(letter in rest for letter in shorter)


def _holds(other: str, word: str) -> bool:
    """Whether a word is the beginning of another, all but two of its letters or some of its parts, or the other way round."""
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) > 3 and (longer.startswith(shorter) or _lacks_two(longer, shorter)):
        return True
    return len(shorter) > 2 and set(shorter.split("_")) <= set(longer.split("_"))
