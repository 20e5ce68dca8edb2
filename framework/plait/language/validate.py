"""Validate a spec: from its text to all of its problems, or to the frozen `Spec`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plait.language.build import build_spec
from plait.language.checks import run_checks
from plait.language.finding import one_a_place
from plait.language.parameters import declared_parameters, texts
from plait.language.secret_checks import secret_spans
from plait.language.secrets_in_text import mask
from plait.language.shape.errors import unreadable_text
from plait.language.structure import check_document, to_problems
from plait.language.text import MAX_BYTES
from plait.problems.errors import SpecValueError
from plait.problems.problem import Problem, by_place, excerpt

MISSING_COLUMNS = "missing-columns"

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
        return Validated(None, tuple(sorted(problems, key=by_place)), mask(shown, (), everywhere=True))
    return _judge(source_map, shown, parameters or {}, environment or {})


def _judge(
    source_map: SourceMap, shown: str, given: Mapping[str, str], environment: Mapping[str, str]
) -> Validated:
    """The second gate, the shape of the document, and the third, its meaning."""
    problems, values = check_document(source_map, given, environment)
    spans = secret_spans(problems, source_map)
    shown = mask(shown, spans) if spans else shown
    spec: Spec | None = None
    unset: tuple[str, ...] = ()
    if not _has_error(problems):
        unset = tuple(sorted(declared_parameters(source_map.value).keys() - values.keys()))
        try:
            spec = build_spec(source_map.value, source_map.file, values)
            problems = one_a_place([*problems, *run_checks(spec, source_map)])
        except SpecValueError as error:
            problems += _problem_of_build(error, source_map, unset)
    problems = sorted(problems, key=by_place)
    inferable = None if _has_error(p for p in problems if p.code != MISSING_COLUMNS) else spec
    complete = None if _has_error(problems) else spec
    return Validated(complete, tuple(problems), shown, source_map, unset, inferable)


def _problem_of_build(error: SpecValueError, source_map: SourceMap, unset: tuple[str, ...]) -> list[Problem]:
    """The problem of a text that does not parse, unless it waits for the value of a parameter."""
    text = dict(texts(source_map.value, ())).get(error.path, "")
    waits = any(f"${{{name}}}" in text for name in unset)
    return [] if waits else to_problems([unreadable_text(error, ())], source_map)


def _has_error(problems: Iterable[Problem]) -> bool:
    return any(problem.level == "error" for problem in problems)


def duplicate_names(checked: Mapping[str, Validated]) -> list[Problem]:
    """A problem for each spec, by file, that has the same name as one before it in its folder."""
    first_files: dict[tuple[Path, str], str] = {}
    problems = []
    for file, validated in checked.items():
        source_map = validated.source_map
        name = source_map.value.get("name") if source_map else None
        if source_map is None or not isinstance(name, str):
            continue
        first_file = first_files.setdefault((Path(file).resolve().parent, name), file)
        if first_file != file:
            problem = Problem(
                code="duplicate-name",
                message=f"{excerpt(name)} is the name of two specs of this folder",
                file=file,
                span=source_map.value_span(("name",)),
                help="rename one of them",
                note=f"first given in {first_file}",
            )
            problems.append(problem)
    return problems


def missing_parameters(validated: Validated) -> list[Problem]:
    """A problem for each parameter without a value: `validate` accepts them, a run does not."""
    source_map = validated.source_map
    return [
        Problem(
            code="missing-parameter",
            message=f"the parameter {excerpt(name)} has no value",
            file=source_map.file,
            span=source_map.key_span(("parameters", name)),
            help=f"give `--param {name}=…` or set its environment variable",
        )
        for name in validated.unset
        if source_map and all(problem.code == MISSING_COLUMNS for problem in validated.errors)
    ]


def validate_for_run(file: str, parameters: Mapping[str, str], text: bytes | None = None) -> Validated:
    """Validate a file for a run, for which each parameter needs a value; with `text`, what the file held earlier.

    Values of parameters are taken from `parameters`, from the process's environment, or the defaults.
    """
    return _require_parameters(
        validate(read_bytes(file) if text is None else text, file, parameters, os.environ)
    )


def _require_parameters(validated: Validated) -> Validated:
    missing = missing_parameters(validated)
    if not missing:
        return validated
    return replace(validated, spec=None, inferable=None, problems=(*validated.problems, *missing))
