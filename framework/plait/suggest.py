"""The nearest known word to a mistyped one, and the help line made of it."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from difflib import SequenceMatcher

FEW = 8
_LONGEST = 100


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that was most likely meant, or None where none is near.

    >>> nearest("memroy", ["csv", "memory"])
    'memory'
    """
    if not word or len(word) > _LONGEST:
        return None
    cutoff = 0.6 if len(word) > 3 else 0.65
    scored = [(-_likeness(_plain(word), _plain(other)), other) for other in words]
    score, best = min(scored, default=(0.0, ""))
    return best if -score >= cutoff else None


def help_for(word: str, words: Iterable[str], what: str, listing: str | None) -> str:
    """What to do about an unknown `word`: the nearest one, all of a few, or their listing."""
    known = sorted(words) if isinstance(words, AbstractSet) else list(dict.fromkeys(words))
    if meant := nearest(word, known):
        return f"did you mean `{meant}`?"
    if not known:
        return f"there is no {what} to choose from"
    if len(known) > FEW and listing:
        return f"{listing} lists them"
    rest = f" and {len(known) - FEW} more" if len(known) > FEW else ""
    return "one of " + ", ".join(f"`{name}`" for name in known[:FEW]) + rest


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")


def _likeness(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if _swapped(word, other):
        return 0.95
    return SequenceMatcher(None, word, other[:_LONGEST], autojunk=False).ratio()


def _swapped(word: str, other: str) -> bool:
    """Whether two neighbouring letters changed places, which difflib rates too low in short words."""
    if len(word) != len(other):
        return False
    at = [i for i, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    return len(at) == 2 and at[1] == at[0] + 1 and sorted(word) == sorted(other)
