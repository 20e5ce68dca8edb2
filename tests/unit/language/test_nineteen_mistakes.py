"""Nineteen mistakes of somebody who is new to plait are mended by its messages alone, in four rounds."""

from __future__ import annotations

from kit.paths import DATA
from kit.specs import edited
from kit.tables import table
from plait.language.validate import validate

FOLDER = DATA / "nineteen_mistakes"
ROUNDS = table(FOLDER / "rounds.yaml")["rounds"]


def test_nineteen_mistakes_are_mended_by_the_messages_alone_in_four_rounds() -> None:
    text = (FOLDER / "wrong.yaml").read_text(encoding="utf-8")
    for mistakes in ROUNDS:
        problems = validate(text, "wrong.yaml").problems
        assert [[problem.code, problem.help] for problem in problems] == [
            [code, help] for code, help, _ in mistakes
        ]
        for _, _, edit in mistakes:
            text = edited(text, edit)
    assert validate(text, "wrong.yaml").problems == ()
    assert text == (FOLDER / "fixed.yaml").read_text(encoding="utf-8")
    assert (len(ROUNDS), sum(map(len, ROUNDS))) == (4, 19)
