"""Read a file of cases: the cases that are valid, and every problem of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.problems.problem import Problem, by_place, excerpt
from plait.problems.suggest import help_for
from plait.testing.cases.case import Case
from plait.testing.cases.expected import read_expected
from plait.testing.cases.inputs import needs_objects, read_inputs
from plait.testing.cases.keys import CaseBlock, CasesBlock
from plait.testing.cases.problem_collector import ProblemCollector
from plait.testing.cases.yaml_text import YamlText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath, SourceMap
    from plait.language.spec import Spec
    from plait.language.validate import Validated

DEFAULT_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class SpecVariants:
    """A spec with the parameters of its cases; a parameter without a value has its own name as its value."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.unchanged = validate(text, file)
        spec = self.unchanged.spec
        self.names = (*spec.parameters, *spec.unset) if spec else ()
        self._own_names = {name: name for name in spec.unset} if spec else {}
        self._validated: dict[tuple[tuple[str, str], ...], Validated] = {}

    def with_parameters(self, parameters: Mapping[str, str]) -> Validated:
        """The spec with these values of its parameters, validated once."""
        values = {**self._own_names, **parameters}
        key = tuple(sorted(values.items()))
        if key not in self._validated:
            self._validated[key] = validate(self.text, self.file, values)
        return self._validated[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A file of cases; `yaml_text` is None if it cannot be read as YAML, and `cases` are those without an error."""

    file: str
    text: str
    yaml_text: YamlText | None
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def read_cases(text: bytes, file: str, specs: SpecVariants) -> CaseFile:
    """Read a file of cases and find all of its problems; a case with an error is left out of `cases`."""
    source_map, problems = locate_cases(text, file)
    decoded = text.decode("utf-8", "replace")
    if source_map is None:
        return CaseFile(file=file, text=decoded, yaml_text=None, cases=(), problems=tuple(problems))
    reader = _CaseReader(specs, ProblemCollector(source_map), YamlText(source_map))
    reader.collector.problems += problems
    cases = reader.cases(source_map.value)
    sorted_problems = tuple(sorted(set(reader.collector.problems), key=by_place))
    return CaseFile(
        file=file, text=decoded, yaml_text=reader.yaml_text, cases=tuple(cases), problems=sorted_problems
    )


def locate_cases(text: bytes, file: str, first_key: str = "cases") -> tuple[SourceMap | None, list[Problem]]:
    """Read YAML as `locate` does; the help for an empty file says with which key such a file begins."""
    source_map, problems = locate(text, file)
    help = f"a file of cases begins with `{first_key}:`"
    return source_map, [
        replace(problem, help=help) if problem.code == "empty-file" else problem for problem in problems
    ]


@dataclass(frozen=True, slots=True)
class _CaseReader:
    """Reads the cases of a document, and collects its problems."""

    specs: SpecVariants
    collector: ProblemCollector
    yaml_text: YamlText

    def cases(self, root: dict[str, Any]) -> list[Case]:
        shared: CasesBlock | None = self.collector.read_struct(CasesBlock, root, ())
        now = shared.now.time if shared and shared.now else DEFAULT_NOW
        blocks = root.get("cases")
        if not isinstance(blocks, dict) or self.specs.unchanged.spec is None:
            return []
        cases = [self._case(name, block, root, now) for name, block in blocks.items()]
        return [case for case in cases if case]

    def _case(self, name: str, block: Any, root: dict[str, Any], now: datetime) -> Case | None:
        errors_before = self._count_errors()
        path: KeyPath = ("cases", name)
        case_block: CaseBlock | None = self.collector.read_struct(CaseBlock, block, path)
        if case_block is None:
            return None
        spec = self._spec(block, path, root)
        if spec is None:
            return None
        now = case_block.now.time if case_block.now else now
        inputs = read_inputs(self._given_blocks(block, path, root), spec, now, self.collector, self.yaml_text)
        if spec.driver.name not in inputs and needs_objects(spec.driver):
            help = f"give an object of `{spec.driver.name}`, the source that drives"
            self.collector.add_at_key(path, "missing-key", "no object is given", help=help)
        expected, rows_path = read_expected(
            block["expect"], (*path, "expect"), spec, self.collector, self.yaml_text
        )
        if self._count_errors() > errors_before:
            return None
        return Case(
            name=name, path=path, rows_path=rows_path, spec=spec, now=now, inputs=inputs, expected=expected
        )

    def _count_errors(self) -> int:
        return sum(problem.level == "error" for problem in self.collector.problems)

    @staticmethod
    def _given_blocks(
        block: dict[str, Any], path: KeyPath, root: dict[str, Any]
    ) -> dict[str, tuple[Any, KeyPath]]:
        """The block of each source that is given, with its place; a case's own block wins over the shared one."""
        blocks: dict[str, tuple[Any, KeyPath]] = {}
        for given, given_path in ((root.get("given"), ("given",)), (block.get("given"), (*path, "given"))):
            for name, source_block in given.items() if isinstance(given, dict) else ():
                blocks[name] = source_block, (*given_path, name)
        return blocks

    def _spec(self, block: dict[str, Any], path: KeyPath, root: dict[str, Any]) -> Spec | None:
        """The spec with the shared parameters and those of the case; None, and a problem, if it is not valid."""
        values: dict[str, str] = {}
        for parameters, owner in ((root.get("parameters"), ()), (block.get("parameters"), path)):
            for name, value in parameters.items() if isinstance(parameters, dict) else ():
                if name not in self.specs.names:
                    help = help_for(name, self.specs.names, "parameter", None)
                    message = f"the spec has no parameter {excerpt(name)}"
                    self.collector.add_at_key(
                        (*owner, "parameters", name), "unknown-parameter", message, help=help
                    )
                elif isinstance(value, str):
                    values[name] = value
        validated = self.specs.with_parameters(values)
        if validated.spec is None:
            message = f"with these parameters the spec is not valid: {validated.errors[0].message}"
            owner = path if "parameters" in block else ()
            self.collector.add_at_key((*owner, "parameters"), "invalid-spec", message)
        return validated.spec
