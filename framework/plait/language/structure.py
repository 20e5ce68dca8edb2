"""Judge the shape of a spec by its JSON Schema, and say in our words what `jsonschema` finds."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.schema import FORMS
from plait.language.secret_checks import secret_spans
from plait.language.shape.errors import SchemaError, explain
from plait.language.shape.hints import misplaced_blocks
from plait.language.shape.keys import Keys, note_keys, problems_of_keys
from plait.problems.problem import Problem, by_place, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Span

_FIRST = ("type", "anyOf", "enum", "format")  # of two errors of a value, the one that says most


def check_structure(source_map: SourceMap, schema: Mapping[str, Any]) -> list[Problem]:
    """The problems of a document as it is written, where `${name}` may stand in every text."""
    return to_problems(shape_problems(source_map.value, schema), source_map)


def to_problems(found: Iterable[Finding], source_map: SourceMap) -> list[Problem]:
    """Problems with their places in the text: the first one of each place, and of a secret nothing else."""
    problems = [_to_problem(finding, source_map) for finding in found]
    by_span: dict[Any, Problem] = {}
    secrets = secret_spans(problems, source_map)
    for problem in problems:
        is_hidden = any(_is_within(problem.span, secret) for secret in secrets)
        if problem.code == "literal-secret" or not is_hidden:
            by_span.setdefault(problem.span, problem)
    return sorted(by_span.values(), key=by_place)


def _is_within(span: Span | None, outer: Span) -> bool:
    return (
        span is not None
        and outer <= span
        and (span.end_line, span.end_column) <= (outer.end_line, outer.end_column)
    )


def _to_problem(finding: Finding, source_map: SourceMap) -> Problem:
    """The problem of a finding; a key with nothing after it is told as that, and at the key."""
    path = finding.path
    if path and finding.at == "value" and source_map.is_empty(path):
        finding = replace(finding, at="key")
        if finding.code == "wrong-kind":
            message = f"{excerpt(str(path[-1]))} has no value"
            finding = replace(finding, code="no-value", message=message)
    return finding.problem(source_map)


def shape_problems(document: Any, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the shape of a document, each with the path of its place."""
    misplaced = [*misplaced_blocks(document)] if isinstance(document, dict) else []
    for path, message, help in misplaced:
        yield Finding(path, message, help, code="misplaced-block", at="key")
    hidden = [_block_around(path) for path, *_ in misplaced]
    errors: list[SchemaError] = sorted(_validator_class()(schema).iter_errors(document), key=_rank)
    counted = {tuple(error.absolute_path) for error in errors if error.validator == "maxProperties"}
    unparsed = {tuple(error.absolute_path) for error in errors if error.validator == "format"}
    mappings: dict[KeyPath, Keys] = {}
    for error in errors:
        path = tuple(error.absolute_path)
        is_hidden = any(path[: len(outer)] == outer for outer in hidden)
        if is_hidden or (error.validator == "pattern" and path in unparsed):
            continue
        if error.validator in ("additionalProperties", "required"):
            note_keys(error, mappings.setdefault(path, Keys(error.instance)))
        else:
            yield from explain(error)
    if ("parameters",) in hidden and () in mappings:
        mappings[()].missing.pop("sources", None)
    beside = {path[1] for path, *_ in misplaced if path[0] == "sources" and len(path) == 2}
    for path, keys in mappings.items():
        keys.missing = {word: help for word, help in keys.missing.items() if word not in beside}
        if path not in counted:
            yield from problems_of_keys(path, keys)


def _block_around(path: KeyPath) -> KeyPath:
    """The block of which nothing else is told where a block within it is misplaced."""
    return path if path[0] == "sources" and len(path) == 2 and path[1] != "connector" else path[:-1]


def _rank(error: SchemaError) -> tuple[Any, ...]:
    rank = _FIRST.index(error.validator) if error.validator in _FIRST else len(_FIRST)
    return (rank, [str(step) for step in error.absolute_path])


def _matches(expression: str, text: str) -> bool:
    """Whether a text has a match; by Python where a connector's pattern is none of RE2's."""
    try:
        return _compiled(expression).search(text) is not None
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


@cache
def _compiled(expression: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error:
        return re.compile(expression)


@cache
def _validator_class() -> Any:
    """Draft 7 with patterns by RE2, which mean the same to editors, and with the types that have `parse`."""
    import jsonschema

    def pattern(_validator: Any, expression: str, value: Any, _schema: Any) -> Iterable[Any]:
        if isinstance(value, str) and not _matches(expression, value):
            yield jsonschema.ValidationError(f"{value!r} does not match")

    def format_(_validator: Any, name: str, value: Any, _schema: Any) -> Iterable[Any]:
        parse = _parser(name)
        if parse is None or not isinstance(value, str) or "${" in value:
            return
        try:
            parse(value)
        except ValueError as error:
            yield jsonschema.ValidationError(str(error), cause=error)

    draft = jsonschema.Draft7Validator
    types = draft.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int)
    extend: Any = jsonschema.validators.extend
    return extend(draft, {"pattern": pattern, "format": format_}, type_checker=types)


def _parser(name: str) -> Callable[[str], Any] | None:
    return FORMS[name].parse if name in FORMS else None
