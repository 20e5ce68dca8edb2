"""The text of a file of cases to all of its problems, or to the cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plait.language.structure import ProblemCollector, read_struct
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.problems.problem import Problem, by_place, excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import Case
from plait.testing.cases.expected import read_expect
from plait.testing.cases.inputs import needs_objects, read_given
from plait.testing.cases.keys import CaseBlock, CasesBlock
from plait.testing.cases.yaml_text import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath
    from plait.language.spec import Spec
    from plait.language.validate import Validated

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Specs:
    """A spec under the parameters of its cases; one without a default has its own name as its value."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.first = validate(text, file)
        spec = self.first.spec
        self.names = (*spec.parameters, *spec.unset) if spec else ()
        self._stand_ins = {name: name for name in spec.unset} if spec else {}
        self._known: dict[tuple[tuple[str, str], ...], Validated] = {}

    def under(self, parameters: Mapping[str, str]) -> Validated:
        """The spec with these parameters."""
        given = {**self._stand_ins, **parameters}
        key = tuple(sorted(given.items()))
        if key not in self._known:
            self._known[key] = validate(self.text, self.file, given)
        return self._known[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """What a file of cases says; `places` is None where it cannot be read as YAML."""

    file: str
    text: str
    places: Places | None
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def read_cases(text: bytes, file: str, specs: Specs) -> CaseFile:
    """Find every problem of a file of cases; a case with problems is none of `cases`."""
    source_map, problems = locate(text, file)
    shown = text.decode("utf-8", "replace")
    if source_map is None:
        problems = [_of_cases(problem) for problem in problems]
        return CaseFile(file=file, text=shown, places=None, cases=(), problems=tuple(problems))
    reading = _Reading(specs, ProblemCollector(source_map), Places(source_map))
    reading.collector.problems += problems
    cases = reading.cases(source_map.value)
    found = tuple(sorted(set(reading.collector.problems), key=by_place))
    return CaseFile(file=file, text=shown, places=reading.places, cases=tuple(cases), problems=found)


def _of_cases(problem: Problem) -> Problem:
    return (
        replace(problem, help="a file of cases begins with `cases:`")
        if problem.code == "empty-file"
        else problem
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    specs: Specs
    collector: ProblemCollector
    places: Places

    def cases(self, root: dict[str, Any]) -> list[Case]:
        shared: CasesBlock | None = read_struct(CasesBlock, root, (), self.collector)
        now = shared.now.time if shared and shared.now else NOW
        blocks = root.get("cases")
        if not isinstance(blocks, dict) or self.specs.first.spec is None:
            return []
        found = [self._case(name, block, root, now) for name, block in blocks.items()]
        return [case for case in found if case]

    def _case(self, name: str, block: Any, root: dict[str, Any], now: datetime) -> Case | None:
        before = self._errors()
        path: KeyPath = ("cases", name)
        own: CaseBlock | None = read_struct(CaseBlock, block, path, self.collector)
        if own is None:
            return None
        spec = self._spec(block, path, root)
        if spec is None:
            return None
        now = own.now.time if own.now else now
        given = read_given(self._blocks(block, path, root), spec, now, self.collector, self.places)
        if spec.driver.name not in given and needs_objects(spec.driver):
            help = f"give an object of `{spec.driver.name}`, the source that drives"
            self.collector.add_at_key(path, "missing-key", "no object is given", help=help)
        expect, rows_path = read_expect(block["expect"], (*path, "expect"), spec, self.collector, self.places)
        if self._errors() > before:
            return None
        return Case(name=name, path=path, rows_path=rows_path, spec=spec, now=now, given=given, expect=expect)

    def _errors(self) -> int:
        return sum(problem.level == "error" for problem in self.collector.problems)

    @staticmethod
    def _blocks(block: dict[str, Any], path: KeyPath, root: dict[str, Any]) -> dict[str, tuple[Any, KeyPath]]:
        """The block of each source that is given, with its place; a case's own wins."""
        blocks: dict[str, tuple[Any, KeyPath]] = {}
        for given, at in ((root.get("given"), ("given",)), (block.get("given"), (*path, "given"))):
            for name, one in given.items() if isinstance(given, dict) else ():
                blocks[name] = one, (*at, name)
        return blocks

    def _spec(self, block: dict[str, Any], path: KeyPath, root: dict[str, Any]) -> Spec | None:
        values: dict[str, str] = {}
        for given, at in ((root.get("parameters"), ()), (block.get("parameters"), path)):
            for name, value in given.items() if isinstance(given, dict) else ():
                if name not in self.specs.names:
                    help = help_for(name, self.specs.names, "parameter", None)
                    message = f"the spec has no parameter {excerpt(name)}"
                    self.collector.add_at_key(
                        (*at, "parameters", name), "unknown-parameter", message, help=help
                    )
                elif isinstance(value, str):
                    values[name] = value
        found = self.specs.under(values)
        if found.spec is None:
            message = f"with these parameters the spec is not valid: {found.errors[0].message}"
            at = path if "parameters" in block else ()
            self.collector.add_at_key((*at, "parameters"), "invalid-spec", message)
        return found.spec
