"""Read a file of cases: the cases that are valid, and every problem of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from msgspec import structs

from plait.language.finding import Finding
from plait.language.structure import shape_problems, to_problems
from plait.language.text import scalar
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.testing.cases.case import Case, GivenFile, Suite
from plait.testing.cases.expected import read_expected
from plait.testing.cases.inputs import read_inputs
from plait.testing.cases.schema import Moment, cases_schema, reads_files
from plait.values.convert import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plait.language.source_map import KeyPath, SourceMap
    from plait.language.spec import Spec
    from plait.language.validate import Validated
    from plait.problems.problem import Problem
    from plait.testing.cases.case import SourceInputs

DEFAULT_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def read_suite(spec: str, spec_text: str, file: str, text: bytes) -> Suite:
    """Read a file of cases beside its spec, and find all problems of both; a case with an error is left out."""
    own_names = {name: name for name in validate(spec_text, spec).unset}

    @cache
    def spec_with(*parameters: tuple[str, str]) -> Validated:
        return validate(spec_text, spec, {**own_names, **dict(parameters)})

    source_map, problems = _locate(text, file, "cases")
    validated = spec_with()
    texts = {spec: validated.text, file: text.decode("utf-8", "replace")}
    suite = Suite(spec=spec, file=file, texts=texts, source_map=source_map)
    if source_map is None or validated.spec is None:
        return replace(suite, problems=(*validated.errors, *problems))
    findings = [*shape_problems(source_map.value, cases_schema(validated.spec))]
    misshapen = [finding.path[1] for finding in findings if finding.path[:1] == ("cases",) != finding.path]
    cases = []
    for name in source_map.value["cases"] if len(misshapen) == len(findings) else ():
        if name not in misshapen:
            case, of_case = _read_case(name, source_map.value, spec_with)
            findings += of_case
            cases += [case] if case and all(finding.level for finding in of_case) else []
    return replace(suite, cases=tuple(cases), problems=tuple(to_problems(findings, source_map)))


def read_given(text: bytes, file: str, spec: Spec, now: datetime) -> GivenFile:
    """Read the `given` that a file has for all of its cases, and find its problems."""
    source_map, problems = _locate(text, file, "given")
    inputs: dict[str, SourceInputs] = {}
    if source_map is not None:
        schema = cases_schema(spec)
        schema |= {"required": ["given"], "properties": {**schema["properties"], "cases": {}}}
        findings = [*shape_problems(source_map.value, schema)]
        if not findings:
            inputs = read_inputs(_with_places(source_map.value, ()), spec, now, findings)
        problems = to_problems(findings, source_map)
    shown = text.decode("utf-8", "replace")
    return GivenFile(file=file, text=shown, source_map=source_map, inputs=inputs, problems=tuple(problems))


def _locate(text: bytes, file: str, first_key: str) -> tuple[SourceMap | None, list[Problem]]:
    """Read YAML with exact fractions; the help for an empty file says with which key such a file begins."""
    source_map, problems = locate(text, file, exact)
    help = f"a file of cases begins with `{first_key}:`"
    return source_map, [
        structs.replace(problem, help=help) if problem.code == "empty-file" else problem
        for problem in problems
    ]


def _read_case(
    name: str, root: dict[str, Any], spec_with: Callable[..., Validated]
) -> tuple[Case | None, list[Finding]]:
    """A case whose shape is right, and what is wrong with its values; a finding without a level is an error."""
    block, path = root["cases"][name], ("cases", name)
    validated = spec_with(*sorted({**root.get("parameters", {}), **block.get("parameters", {})}.items()))
    spec = validated.spec
    if spec is None:
        message = f"with these parameters the spec is not valid: {validated.errors[0].message}"
        owner = path if "parameters" in block else ()
        return None, [Finding((*owner, "parameters"), message, code="invalid-spec", at="key")]
    findings: list[Finding] = []
    now = block.get("now", root.get("now"))
    now = Moment.parse(now) if now else DEFAULT_NOW
    given = _with_places(root, ()) | _with_places(block, path)
    inputs = read_inputs(given, spec, now, findings)
    if spec.driver.name not in inputs and (reads_files(spec.driver) or not spec.driver.role.offline):
        help = f"give an object of `{spec.driver.name}`, the source that drives"
        findings.append(Finding(path, "no object is given", help, code="missing-key", at="key"))
    expected, rows_path = read_expected(block["expect"], (*path, "expect"), spec, findings)
    case = Case(
        name=name, path=path, rows_path=rows_path, spec=spec, now=now, inputs=inputs, expected=expected
    )
    return case, findings


def _with_places(block: Mapping[str, Any], path: KeyPath) -> dict[str, tuple[Any, KeyPath]]:
    """What a block gives for each source, with its place in the file."""
    return {name: (held, (*path, "given", name)) for name, held in block.get("given", {}).items()}


def exact(text: str) -> Any:
    """The value of an unquoted text, a fraction with all of its digits."""
    value = scalar(text)
    return Decimal(text) if isinstance(value, float) and isfinite(value) and NUMBER.match(text) else value
