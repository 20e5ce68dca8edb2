"""The error of a spec that has problems."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import structs

from plait.plugin import PlaitError
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.problems.problem import Problem

PARAM_OPTION = re.compile(r"`--param (\w+)=…`")
ENV_OPTION = re.compile(r"`--env (\w+)`")


class InvalidSpec(PlaitError):
    """A spec has problems: `problems` holds all of them, `text` the text of the file."""

    code = "invalid-spec"

    def __init__(self, file: str, problems: Sequence[Problem], text: str) -> None:
        super().__init__(full(problems, {file: text}, colour=False))
        self.file, self.problems, self.text = file, tuple(problems), text

    def in_python(self) -> InvalidSpec:
        """The same problems for who calls `plait.load`, where options of the command line are arguments."""
        problems = [
            structs.replace(
                problem,
                message=problem.message.replace("`--param` names", "`plait.load` is given"),
                help=problem.help
                and ENV_OPTION.sub(
                    r'`plait.load(…, env=["\1"])`', PARAM_OPTION.sub(r"`plait.load(…, \1=…)`", problem.help)
                ),
            )
            for problem in self.problems
        ]
        return InvalidSpec(self.file, problems, self.text)
