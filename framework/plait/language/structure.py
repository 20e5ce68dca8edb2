"""The second gate: the shape of a document by its JSON Schema, its secrets and its parameters, in our words."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.build import usable_connector
from plait.language.document import parameter_values, put_in, references
from plait.language.parameter_checks import check_parameters
from plait.language.schema import FORMS, language_schema
from plait.language.secrets import check_secrets, secret_spans
from plait.language.shape.errors import SchemaError, explain, wrong_defaults
from plait.language.shape.keys import misplaced_blocks, problems_of_keys
from plait.plugin.registry import ConnectorUnavailable
from plait.problems.errors import SpecValueError
from plait.problems.problem import Problem, by_place, excerpt
from plait.values.patterns import compile_re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.finding import Finding
    from plait.language.source_map import KeyPath, SourceMap
    from plait.plugin import Connector
    from plait.problems.problem import Span

_FIRST = ("type", "anyOf", "enum", "format")  # of two errors of a value, the one that says most


def check_document(
    source_map: SourceMap, given: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[list[Problem], dict[str, str]]:
    """The problems of a document, and the values of its parameters, which count where no problem is an error."""
    document = source_map.value
    values = parameter_values(document, given, environment)
    found = [*shape_problems(document, schema_of(document))]
    is_well_formed = not found
    secrets = [*check_secrets(document, values)]
    of_parameters = [*check_parameters(source_map, given, values, is_well_formed)]
    if is_well_formed and not any(finding.level != "warning" for finding in of_parameters):
        found = [*check_bound(document, values)]
    places = {finding.path for finding in of_parameters if finding.at == "value"}
    found = [finding for finding in found if finding.path not in places]
    return to_problems([*secrets, *of_parameters, *found], source_map), values


def check_bound(document: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with a document of the right shape once the values of its parameters are put in."""
    bound = put_in(document, values)
    names = {path: name for path, _, name in references(document) if name in values}
    found = [*shape_problems(bound, schema_of(bound))] if bound != document else []
    for finding in found or wrong_defaults(bound):
        name = names.get(finding.path)
        note = finding.note or (f"the value is made of the parameter {excerpt(name)}" if name else None)
        yield replace(finding, note=note)


def schema_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a spec with the connectors that a document names, as far as they can be used."""
    sources = document.get("sources")
    blocks = [*(sources.values() if isinstance(sources, dict) else ()), document.get("sink")]
    words = [block.get("connector") for block in blocks if isinstance(block, dict)]
    connectors = []
    for word in sorted({word for word in words if isinstance(word, str)}):
        with suppress(ConnectorUnavailable):
            connectors.append(usable_connector(word))
    return _schema(tuple(connectors))


@cache
def _schema(connectors: tuple[Connector, ...]) -> dict[str, Any]:
    return language_schema(connectors)


def shape_problems(document: Any, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the shape of a document, each with the path of its place."""
    misplaced = [*misplaced_blocks(document)] if isinstance(document, dict) else []
    yield from (finding for finding, _ in misplaced)
    hidden = [block for _, block in misplaced]
    told = [str(finding.path[-1]) for finding, _ in misplaced] + ["sources"] * (("parameters",) in hidden)
    errors: list[SchemaError] = sorted(_validator_class()(schema).iter_errors(document), key=_rank)
    unparsed = {tuple(error.absolute_path) for error in errors if error.validator == "format"}
    of_keys: dict[KeyPath, list[SchemaError]] = {}
    for error in errors:
        path = tuple(error.absolute_path)
        if any(path[: len(block)] == block for block in hidden):
            continue
        if error.validator in ("additionalProperties", "required"):
            of_keys.setdefault(path, []).append(error)
        elif error.validator != "pattern" or path not in unparsed:
            yield from explain(error)
    for path, errors_of_keys in of_keys.items():
        yield from problems_of_keys(path, errors_of_keys, told)


def _rank(error: SchemaError) -> tuple[int, list[str]]:
    rank = _FIRST.index(error.validator) if error.validator in _FIRST else len(_FIRST)
    return rank, [str(step) for step in error.absolute_path]


@cache
def _validator_class() -> Any:
    """Draft 7 with patterns by RE2, which mean the same to editors, and with the types that have `parse`."""
    import jsonschema

    def pattern(_validator: Any, expression: str, value: Any, _schema: Any) -> Iterable[Any]:
        if isinstance(value, str) and not _matches(expression, value):
            yield jsonschema.ValidationError(f"{value!r} does not match")

    def format_(_validator: Any, name: str, value: Any, _schema: Any) -> Iterable[Any]:
        if name in FORMS and isinstance(value, str) and "${" not in value:
            try:
                FORMS[name].parse(value)
            except ValueError as error:
                yield jsonschema.ValidationError(str(error), cause=error)

    draft = jsonschema.Draft7Validator
    types = draft.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    extend: Any = jsonschema.validators.extend
    return extend(draft, {"pattern": pattern, "format": format_}, type_checker=types)


def _matches(expression: str, text: str) -> bool:
    """Whether a text has a match; by Python where a connector's pattern is none of RE2's."""
    try:
        return compile_re2(expression).search(text) is not None
    except SpecValueError:
        return re.search(expression, text) is not None
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def to_problems(found: Iterable[Finding], source_map: SourceMap) -> list[Problem]:
    """Problems with their places in the text: the first one of each place, and of a secret nothing else."""
    problems = [_to_problem(finding, source_map) for finding in found]
    secrets = secret_spans(problems, source_map)
    by_span: dict[Span | None, Problem] = {}
    for problem in problems:
        is_hidden = any(problem.span and _is_within(problem.span, secret) for secret in secrets)
        if problem.code == "literal-secret" or not is_hidden:
            by_span.setdefault(problem.span, problem)
    return sorted(by_span.values(), key=by_place)


def _is_within(span: Span, outer: Span) -> bool:
    return outer <= span and (span.end_line, span.end_column) <= (outer.end_line, outer.end_column)


def _to_problem(finding: Finding, source_map: SourceMap) -> Problem:
    """The problem of a finding; a key with nothing after it is told as that, and at the key."""
    if finding.path and finding.at == "value" and source_map.is_empty(finding.path):
        finding = replace(finding, at="key")
        if finding.code == "wrong-kind":
            message = f"{excerpt(str(finding.path[-1]))} has no value"
            finding = replace(finding, code="no-value", message=message)
    return finding.problem(source_map)
