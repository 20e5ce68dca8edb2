"""Validate a spec: from its text to all of its problems, or to the frozen `Spec`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plait.language.build import build_spec
from plait.language.checks import run_checks
from plait.language.document import allowed, declared_parameters, references, refused_variables
from plait.language.finding import Finding, one_a_place
from plait.language.secrets import mask, secret_spans
from plait.language.shape.errors import unreadable_text
from plait.language.structure import check_document, to_problems
from plait.language.text import MAX_BYTES
from plait.problems.errors import SpecValueError
from plait.problems.problem import Problem, by_place, excerpt

MISSING_COLUMNS = "missing-columns"

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from plait.language.source_map import SourceMap
    from plait.language.spec import Spec


@dataclass(frozen=True, slots=True)
class Validated:
    """The outcome of validation: the problems, and the spec if none of them is an error.

    `inferable` is the spec also where all that it lacks are `columns`. `text` is the spec's text with its secrets masked,
    for rendering. `unset` are the parameters without a value; a spec that cannot be read without them is None, though
    no problem is an error.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    text: str
    source_map: SourceMap | None = field(default=None, repr=False)
    unset: tuple[str, ...] = ()
    inferable: Spec | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the spec unusable."""
        return tuple(problem for problem in self.problems if problem.level == "error")


def validate_file(
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Validate a file; raises OSError if it cannot be read."""
    return validate(read_bytes(file), file, parameters, environment)


def read_bytes(file: str) -> bytes:
    """Read a file, at most one byte more than the largest spec may have; raises OSError."""
    with Path(file).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def validate(
    text: bytes | str,
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Find every problem of a spec; where neither `parameters` nor `environment` has a value, the default counts."""
    from plait.language.yaml_reader import locate

    source_map, problems = locate(text, file)
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if source_map is None or _has_error(problems):
        return Validated(None, tuple(problems), mask(shown, ()))
    problems, values = check_document(source_map, parameters or {}, environment or {})
    shown = mask(shown, secret_spans(problems, source_map))
    spec: Spec | None = None
    unset: tuple[str, ...] = ()
    if not _has_error(problems):
        unset = tuple(sorted(declared_parameters(source_map.value).keys() - values.keys()))
        try:
            spec = build_spec(source_map.value, file, values)
            problems = one_a_place([*problems, *run_checks(spec, source_map)])
        except SpecValueError as error:
            problems += _problem_of_build(error, source_map, unset)
    problems = sorted(problems, key=by_place)
    inferable = None if _has_error(p for p in problems if p.code != MISSING_COLUMNS) else spec
    complete = None if _has_error(problems) else spec
    return Validated(complete, tuple(problems), shown, source_map, unset, inferable)


def _problem_of_build(error: SpecValueError, source_map: SourceMap, unset: tuple[str, ...]) -> list[Problem]:
    """The problem of a text that does not parse, unless it waits for the value of a parameter."""
    waiting = {path for path, _, name in references(source_map.value) if name in unset}
    return [] if error.path in waiting else to_problems([unreadable_text(error, ())], source_map)


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.level == "error" for problem in problems)


def duplicate_names(checked: Mapping[str, Validated]) -> list[Problem]:
    """A problem for each spec, by file, that has the same name as one before it in its folder."""
    first_files: dict[tuple[Path, str], str] = {}
    problems = []
    for file, validated in checked.items():
        source_map = validated.source_map
        name = source_map.value.get("name") if source_map else None
        first_file = first_files.setdefault((Path(file).resolve().parent, str(name)), file)
        if source_map and isinstance(name, str) and first_file != file:
            message = f"{excerpt(name)} is the name of two specs of this folder"
            note = f"first given in {first_file}"
            finding = Finding(("name",), message, "rename one of them", note, code="duplicate-name")
            problems.append(finding.problem(source_map))
    return problems


def missing_parameters(validated: Validated) -> list[Problem]:
    """A problem for each parameter without a value: `validate` accepts them, a run does not."""
    if not validated.source_map or any(problem.code != MISSING_COLUMNS for problem in validated.errors):
        return []
    problems = []
    for name in validated.unset:
        message = f"the parameter {excerpt(name)} has no value"
        help = f"give `--param {name}=…` or set its environment variable"
        finding = Finding(("parameters", name), message, help, at="key", code="missing-parameter")
        problems.append(finding.problem(validated.source_map))
    return problems


def refused_parameters(
    validated: Validated,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
    env: Collection[str] = (),
) -> list[Problem]:
    """A problem for each parameter whose variable is set and not allowed: a run does not go on without it."""
    if not (validated.source_map and isinstance(validated.source_map.value, dict)):
        return []
    problems = []
    refused = refused_variables(validated.source_map.value, parameters, environment, env)
    for name, variable in refused.items():
        message = f"the variable {excerpt(variable)} is set, and nobody allowed a spec to read it"
        path, help = ("parameters", name, "env"), f"allow it by `--env {variable}`"
        finding = Finding(path, message, help, code="refused-variable")
        problems.append(finding.problem(validated.source_map))
    return problems


def validate_for_run(
    file: str, parameters: Mapping[str, str], text: bytes | None = None, env: Collection[str] = ()
) -> Validated:
    """Validate a file for a run, for which each parameter needs a value; with `text`, what the file held earlier.

    Values of parameters are taken from `parameters`, from the variables that `env` or PLAIT_ENV_ALLOW name, or the defaults.
    """
    text = read_bytes(file) if text is None else text
    validated = validate(text, file, parameters, allowed(os.environ, env))
    refused = refused_parameters(validated, parameters, os.environ, env)
    problems = (*validated.problems, *(refused or missing_parameters(validated)))
    if len(problems) == len(validated.problems):
        return validated
    return replace(validated, spec=None, inferable=None, problems=problems)
