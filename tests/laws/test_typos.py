"""A mistyped letter, in any word that must be known where it stands, is answered by the word that was meant."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from kit.mutants.limited import judge
from kit.mutants.typos import Word, typos, words
from kit.specs import documented_specs
from plait.language.source_map import SourceMap
from plait.language.validate import validate
from plait.language.yaml_reader import locate

LARGE = os.environ.get("PLAIT_BUDGET") == "large"
SAMPLE, CHUNK = 3_000, 10_000
WORDS_OF_THE_LANGUAGE = ("key", "connector", "type", "choice", "step", "function")
RIGHT, ALONE = 0.98, 0.95


@dataclass(frozen=True)
class Spec:
    """A spec, the known words in it by kind, and the code and help of its problems as it stands."""

    source_map: SourceMap
    known: dict[str, set[str]]
    problems: set[tuple[str, str]]


@dataclass(frozen=True)
class Mistake:
    """A word of a spec with one letter wrong."""

    spec: Spec
    word: Word
    typo: str

    @property
    def text(self) -> str:
        """The text of the spec with the mistake in it."""
        text, start = self.spec.source_map.text, self.word.start
        return text[:start] + self.typo + text[start + len(self.word.text) :]

    @property
    def is_another_word(self) -> bool:
        """Whether what was typed is itself a word that the language or the spec has for this."""
        return self.typo in self.spec.known[self.word.kind]


def _spec(text: str) -> Spec:
    source_map, problems = locate(text, "spec.yaml")
    assert source_map is not None, problems
    known: dict[str, set[str]] = {}
    for word in words(source_map):
        known.setdefault(word.kind, set()).add(word.text)
    declared = {
        str(path[-1])
        for path in source_map.key_spans
        if path[:1] == ("sources",) and path[2:3] == ("columns",)
    }
    known.setdefault("column", set()).update(declared)
    as_written = {(problem.code, str(problem.help)) for problem in validate(text, "spec.yaml").problems}
    return Spec(source_map, known, as_written)


def _mistakes() -> Iterator[Mistake]:
    specs = [_spec(text) for text in documented_specs().values()]
    for kind in WORDS_OF_THE_LANGUAGE:
        union = set[str]().union(*(spec.known.get(kind, set()) for spec in specs))
        for spec in specs:
            spec.known[kind] = union
    for spec in specs:
        for word in words(spec.source_map):
            yield from (Mistake(spec, word, typo) for typo in sorted(typos(word.text)))


def test_a_mistyped_letter_is_answered_by_the_word_that_was_meant(figure: Callable[[str], None]) -> None:
    """In 98 of 100 mistakes at least; a mistake that makes another known word is left out."""
    every = [*_mistakes()]
    chosen = every if LARGE else Random(7).sample(every, SAMPLE)
    mistakes = [mistake for mistake in chosen if not mistake.is_another_word]
    count = Counter(mistake.word.kind for mistake in mistakes)
    right, alone, unnoticed, wrong = Counter[str](), 0, [], []
    for start in range(0, len(mistakes), CHUNK):
        chunk = mistakes[start : start + CHUNK]
        verdicts = judge([mistake.text for mistake in chunk])
        for mistake, verdict in zip(chunk, verdicts, strict=True):
            before = mistake.spec.problems
            new = [p for p in verdict["problems"] if (p["code"], str(p["help"])) not in before]
            alone += len(new) == 1
            if not new:
                unnoticed.append((mistake.word, mistake.typo))
            if any(_suggests(str(problem["help"]), mistake.word.text) for problem in new):
                right[mistake.word.kind] += 1
            else:
                wrong.append((mistake.word.text, mistake.typo, new))
    shares = ", ".join(f"{kind} {right[kind] / number:.2%}" for kind, number in count.most_common())
    total = right.total() / len(mistakes)
    figure(f"{len(chosen):,} of {len(every):,} mistyped letters, {len(chosen) - len(mistakes)} of them other words: "
           f"{total:.2%} answered by the word meant ({shares}), {alone / len(mistakes):.1%} by one problem alone")  # fmt: skip
    assert unnoticed == []
    assert total >= RIGHT, wrong[:20]
    assert alone / len(mistakes) >= ALONE


def _suggests(help: str, word: str) -> bool:
    return "did you mean" in help and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", help) is not None
