"""Problems of one kind as one, for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plait.engine.transform import Late

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.problems.problem import Problem


def grouped(problems: Sequence[Problem]) -> Iterable[Problem]:
    """Group problems of one kind into one, shown at the first of their objects; errors come first.

    Problems are of one kind if they have their code, and the column or else the text but for its numbers in common.
    """
    groups: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        text = problem.message.replace(problem.file or "\0", "")
        text = re.sub(r"(`[^`]*`)|[0-9]+", lambda match: match[1] or "#", text)
        kind = (problem.cell,) if problem.cell else (text, problem.help or "")
        groups.setdefault((problem.level, problem.code, *kind), []).append(problem)
    for same in sorted(groups.values(), key=lambda same: (same[0].level, -len(same))):
        notes = [problem.note for problem in same if problem.note]
        is_first = len({*notes}) > 1 and same[0].code != Late.code
        shown = f"first {notes[0]}" if is_first else max(notes, default="the first is shown")
        note = f"{len(same):,} times; {shown}" if len(same) > 1 else same[0].note
        yield replace(same[0], note=note)
