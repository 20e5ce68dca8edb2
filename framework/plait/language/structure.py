"""Judge the shape of a spec by its JSON Schema, and say in our words what `jsonschema` finds."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.forms import PARSERS
from plait.language.hints import misplaced_blocks
from plait.language.schema import FORMS
from plait.language.secret_checks import secret_spans
from plait.language.shape_errors import SchemaError, ShapeProblem, explain
from plait.language.shape_keys import Keys, note_keys, problems_of_keys
from plait.problems.problem import Problem, by_place, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Span

_FIRST = ("type", "anyOf", "enum", "format")  # of two errors of a value, the one that says most


def check_structure(source_map: SourceMap, schema: Mapping[str, Any]) -> list[Problem]:
    """The problems of a document as it is written, where `${name}` may stand in every text."""
    return to_problems(shape_problems(source_map.value, schema), source_map)


def to_problems(found: Iterable[ShapeProblem], source_map: SourceMap) -> list[Problem]:
    """Problems with their places in the text: the first one of each place, and of a secret nothing else."""
    problems = [_to_problem(problem, source_map) for problem in found]
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


def _to_problem(found: ShapeProblem, source_map: SourceMap) -> Problem:
    path, code, message = found.path, found.code, found.message
    is_empty = not found.at_key and source_map.is_empty(path)
    if is_empty and code == "wrong-kind" and path:
        code, message = "no-value", f"{excerpt(str(path[-1]))} has no value"
    span = source_map.key_span(path) if found.at_key or is_empty else source_map.value_span(path)
    if not path:
        span = next(iter(source_map.key_spans.values()), span)
    if found.part:
        span = source_map.part_span(span, found.part)
    lines = sorted({source_map.value_span(other).line for other in found.also_at})
    note = found.note or (f"also at line {', '.join(map(str, lines[:8]))}" if lines else None)
    return Problem(
        code=code,
        message=message,
        file=source_map.file,
        span=span,
        help=found.help,
        note=note,
        level=found.level,
    )


def shape_problems(document: Any, schema: Mapping[str, Any]) -> Iterator[ShapeProblem]:
    """What is wrong with the shape of a document, each with the path of its place."""
    misplaced = [*misplaced_blocks(document)] if isinstance(document, dict) else []
    for path, message, help in misplaced:
        yield ShapeProblem(path, "misplaced-block", message, help, at_key=True)
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
    for path, keys in mappings.items():
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
    return FORMS[name].parse if name in FORMS else PARSERS.get(name)
