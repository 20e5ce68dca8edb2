"""Each command does and says what the cases of `tests/data/commands` tell."""

from __future__ import annotations

from typing import Any

import pytest

from kit.console import Console
from kit.paths import DATA
from kit.tables import table

FILES = {file.stem: table(file) for file in sorted((DATA / "commands").glob("*.yaml"))}


@pytest.mark.parametrize(
    ("before", "case"),
    [
        pytest.param(
            content.get("before", []),
            case,
            id=f"{command}: {case['case']}",
            marks=[pytest.mark.fault(fault) for fault in case.get("faults", ())],
        )
        for command, content in FILES.items()
        for case in content["cases"]
    ],
)
def test_a_command_does_what_the_case_says(console: Console, before: list[Any], case: dict[str, Any]) -> None:
    """The steps before each case of the file are taken first, then the case itself and its own steps."""
    for step in (*before, case, *case.get("steps", ())):
        console.take(step)
