"""Find the known word that a mistyped one most likely means, and make the help of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from operator import eq

MAX_LISTED = 8
_MAX_LENGTH = 100
_MAX_WORDS = 2_000
_LIKENESS = 0.75


def nearest(word: str, words: Iterable[str], preferred: Sequence[str] = ()) -> str | None:
    """The word that was most likely meant, or None where none is near.

    A word one edit away wins over all others; of equals, one of `preferred`, else the first.

    >>> nearest("memroy", ["csv", "memory"])
    'memory'
    """
    if not word or len(word) > _MAX_LENGTH:
        return None
    candidates = list(dict.fromkeys((*preferred, *_ordered(words))))[:_MAX_WORDS]
    folded = _fold(word)
    for matches in (eq, _are_one_edit_apart):
        if meant := next((other for other in candidates if matches(folded, _fold(other))), None):
            return meant
    return _most_similar(folded, candidates)


def help_for(word: str, words: Iterable[str], what: str, listing: str | None) -> str:
    """What to do about an unknown word: write the nearest one, choose one of a few, or look where they are listed.

    `what` is what the words are, such as "connector"; `listing` is the command that lists them.
    """
    known_words = list(dict.fromkeys(_ordered(words)))
    if meant := nearest(word, known_words):
        return f"did you mean `{meant}`?"
    if not known_words:
        return f"there is no {what} to choose from"
    if len(known_words) > MAX_LISTED and listing:
        return f"{listing} lists them"
    return one_of(known_words)


def one_of(words: Iterable[str]) -> str:
    """A help that lists the words, or the first few of them."""
    listed = list(words)
    ending = f" and {len(listed) - MAX_LISTED} more" if len(listed) > MAX_LISTED else ""
    return (
        ("one of " if len(listed) > 1 else "write ")
        + ", ".join(f"`{name}`" for name in listed[:MAX_LISTED])
        + ending
    )


def edited_once(word: str, other: str) -> bool:
    """Whether the words are equal or one edit apart; case does not count, and `-` equals `_`."""
    return _fold(word) == _fold(other) or _are_one_edit_apart(_fold(word), _fold(other))


def _ordered(words: Iterable[str]) -> Iterable[str]:
    return sorted(words) if isinstance(words, AbstractSet) else words


def _fold(word: str) -> str:
    return word.casefold().replace("-", "_")


def _are_one_edit_apart(word: str, other: str) -> bool:
    """Whether one added, removed, changed or swapped letter makes one word the other."""
    if min(len(word), len(other)) == 0 or len(word) == len(other) == 1:
        return False
    pairs = enumerate(zip(word, other, strict=False))
    head = next((index for index, (a, b) in pairs if a != b), min(len(word), len(other)))
    rest, other_rest = word[head:], other[head:]
    is_swapped = rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    return is_swapped or rest[1:] in (other_rest, other_rest[1:]) or rest == other_rest[1:]


def _most_similar(word: str, candidates: Sequence[str]) -> str | None:
    """The candidate that has most in common, else the first that contains the word or is contained in it."""
    from difflib import get_close_matches

    by_folded = {_fold(other): other for other in reversed(candidates)}
    if matches := get_close_matches(word, by_folded, n=1, cutoff=_LIKENESS):
        return by_folded[matches[0]]
    return next((other for other in candidates if _contains(_fold(other), word)), None)


def _lacks_at_most_two(longer: str, shorter: str) -> bool:
    """Whether the shorter word is the longer one without one or two of its letters."""
    letters = iter(longer)
    return len(longer) - len(shorter) <= 2 and all(letter in letters for letter in shorter)


def _contains(other: str, word: str) -> bool:
    """Whether one of the words is the beginning of the other, all but two of its letters, or some of its parts."""
    shorter, longer = sorted((word, other), key=len)
    if len(shorter) > 3 and (longer.startswith(shorter) or _lacks_at_most_two(longer, shorter)):
        return True
    return len(shorter) > 2 and set(shorter.split("_")) <= set(longer.split("_"))
