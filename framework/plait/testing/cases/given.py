"""Read what sources hold from a file of cases, or from a file with `given` alone, for a run that is no case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plait.problems.problem import Problem, by_place
from plait.testing.cases.inputs import read_inputs
from plait.testing.cases.keys import GivenFileBlock
from plait.testing.cases.problem_collector import ProblemCollector
from plait.testing.cases.read import locate_cases
from plait.testing.cases.yaml_text import YamlText

if TYPE_CHECKING:
    from datetime import datetime

    from plait.language.spec import Spec
    from plait.testing.cases.case import SourceInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """What the sources of a spec hold, by name; `yaml_text` is None if the file cannot be read as YAML."""

    file: str
    text: str
    yaml_text: YamlText | None
    inputs: dict[str, SourceInputs]
    problems: tuple[Problem, ...]


def read_given(text: bytes, file: str, spec: Spec, now: datetime) -> GivenFile:
    """Read the `given` that a file has for all of its cases, and find its problems."""
    source_map, problems = locate_cases(text, file, "given")
    decoded = text.decode("utf-8", "replace")
    if source_map is None:
        return GivenFile(file=file, text=decoded, yaml_text=None, inputs={}, problems=tuple(problems))
    collector, yaml_text = ProblemCollector(source_map), YamlText(source_map)
    given = source_map.value.get("given")
    blocks = (
        {name: (block, ("given", name)) for name, block in given.items()} if isinstance(given, dict) else {}
    )
    collector.read_struct(GivenFileBlock, source_map.value, ())
    inputs = read_inputs(blocks, spec, now, collector, yaml_text)
    problems = sorted({*problems, *collector.problems}, key=by_place)
    return GivenFile(file=file, text=decoded, yaml_text=yaml_text, inputs=inputs, problems=tuple(problems))
