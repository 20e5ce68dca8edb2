"""Judge the shape of a spec by its JSON Schema, and say in our words what `jsonschema` finds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.hints import likely_key, misplaced_blocks, synonym
from plait.language.schema import FORMS
from plait.language.secret_checks import secret_spans
from plait.language.secrets_in_text import MOVE_KEY_HELP, is_credential_key
from plait.language.shape_errors import ShapeProblem, explain, help_of_key
from plait.problems.problem import Problem, by_place, excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import jsonschema

    from plait.language.source_map import KeyPath, SourceMap
    from plait.problems.problem import Span

    Names = dict[KeyPath, "_Names"]

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


@dataclass(slots=True)
class _Names:
    """The keys of a mapping that are unknown and missing there, and all that the mapping takes."""

    value: dict[str, Any]
    unknown: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    code: str | None = None


def shape_problems(document: Any, schema: Mapping[str, Any]) -> Iterator[ShapeProblem]:
    """What is wrong with the shape of a document, each with the path of its place."""
    names: Names = {}
    beside = [*misplaced_blocks(document)]
    yield from (ShapeProblem(path, "misplaced-block", *texts, at_key=True) for path, *texts in beside)
    errors = sorted(_validator_class()(schema).iter_errors(document), key=_rank)
    hidden = {
        path[:-1] if path[-2:] != ("sources", path[-1]) or path[-1] == "connector" else path
        for path, *_ in beside
    }
    counted = {tuple(error.absolute_path) for error in errors if error.validator == "maxProperties"}
    unparsed = {tuple(error.absolute_path) for error in errors if error.validator == "format"}
    for error in errors:
        path = tuple(error.absolute_path)
        is_hidden = any(path[: len(outer)] == outer for outer in hidden)
        if is_hidden or (error.validator == "pattern" and path in unparsed):
            continue
        if error.validator in ("additionalProperties", "required"):
            _note_names(error, names.setdefault(path, _Names(error.instance)))
        else:
            yield from explain(error)
    for path, keys in names.items():
        if not path and any(block[0] == "parameters" for block in hidden):
            keys.missing.pop("sources", None)
        if path not in counted:
            yield from _problems_of_names(path, keys)


def _rank(error: jsonschema.ValidationError) -> tuple[Any, ...]:
    rank = _FIRST.index(error.validator) if error.validator in _FIRST else len(_FIRST)
    return (rank, [str(step) for step in error.absolute_path])


def _note_names(error: jsonschema.ValidationError, names: _Names) -> None:
    """Note the keys that an error calls unknown, or the one that it misses."""
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        names.words = [*schema["properties"]]
        names.unknown = [key for key in error.instance if key not in schema["properties"]]
        names.code = schema.get("code")
        return
    names.words = names.words or [*schema["properties"]]
    word = next(word for word in error.validator_value if f"'{word}'" in error.message)
    of_key = schema["properties"][word]
    names.missing[word] = help_of_key((word,), of_key if isinstance(of_key, dict) else {})


def _problems_of_names(path: KeyPath, names: _Names) -> Iterator[ShapeProblem]:
    """The problems of unknown and missing keys; a missing one that was likely misspelt is told once."""
    if "connector" in names.missing:
        yield from _misspelt_connector(path, names)
    unused = [word for word in names.words if word not in names.value]
    is_lone_pair = len(names.unknown) == len(names.missing) == 1
    for key in names.unknown:
        if names.code == "wrong-step":
            yield _unknown_step((*path, key))
            continue
        if is_credential_key(key):
            message = f"a spec holds no {excerpt(key)}"
            yield ShapeProblem((*path, key), "literal-secret", message, MOVE_KEY_HELP, at_key=True)
            continue
        if (refused := _refused_common_key(path, key, names.value)) is not None:
            yield refused
            continue
        meant, help = likely_key(key, names.value[key], unused, names.missing)
        if meant is None and is_lone_pair:
            meant, text = next(iter(names.missing.items()))
            help = f"write `{meant}` in its place: {text}"
        names.missing.pop(meant or "", None)
        help = help or "remove it" + (f", or write {one_of(unused)}" if unused else "")
        yield ShapeProblem((*path, key), "unknown-key", f"unknown key {excerpt(key)}", help, at_key=True)
    for word, help in names.missing.items():
        yield _missing_key(path, word, help, names.value)


def _missing_key(path: KeyPath, word: str, help: str, block: dict[str, Any]) -> ShapeProblem:
    connector = block.get("connector")
    if path[:1] == ("sources",) and len(path) == 2 and word == "join":
        message = f"`{connector}` cannot drive, and the source has no `join`"
        return ShapeProblem((*path, "connector"), "not-a-driver", message, "give the source a `join`")
    if path[:1] == ("sources",) and len(path) == 2 and word == "window":
        message = f"`{connector}` needs a `window` to read within"
        help = "add `window: {around: a_timestamp_of_the_row, before: 1h, after: 1h}`"
        return ShapeProblem(path, "missing-window", message, help, at_key=True)
    return ShapeProblem(path, "missing-key", f"`{word}` is missing", help, at_key=True)


def _refused_common_key(path: KeyPath, key: str, block: dict[str, Any]) -> ShapeProblem | None:
    """The problem of a key that sources have, though not those of this connector."""
    if path[:1] != ("sources",) or len(path) != 2 or key not in ("join", "window"):
        return None
    word = block.get("connector")
    if key == "join":
        message, help = (
            f"`{word}` cannot be asked by keys, as a `join` does",
            "leave out `join` if it drives, else use another connector",
        )
        return ShapeProblem((*path, "connector"), "not-a-lookup", message, help)
    message = f"records of `{word}` have no time that a `window` could bound"
    return ShapeProblem((*path, key), "window-without-time", message, "remove it", at_key=True)


def _unknown_step(path: KeyPath) -> ShapeProblem:
    from plait.language.keys import STEPS

    word = str(path[-1])
    if word in STEPS:
        return ShapeProblem(
            path, "wrong-step", f"`{word}` takes nothing", f"write `{word}` alone", at_key=True
        )
    help = help_for(word, STEPS, "step", None)
    return ShapeProblem(path, "unknown-step", f"no decode step is called {excerpt(word)}", help, at_key=True)


def _misspelt_connector(path: KeyPath, names: _Names) -> Iterator[ShapeProblem]:
    """The key that was likely meant as `connector`, if there is one."""
    from plait.plugin.registry import offers

    words = {offer.word for offer in offers()}
    for key, value in names.value.items():
        if key in names.words and not names.unknown:
            continue
        text = value if isinstance(value, str) else ""
        if edited_once(key, "connector") or text in words or synonym(key, ["connector"]):
            help = f"did you mean `connector: {nearest(text, words) or 'json'}`?"
            yield ShapeProblem((*path, key), "unknown-key", f"unknown key {excerpt(key)}", help, at_key=True)
            del names.missing["connector"]
            return


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
    return jsonschema.validators.extend(draft, {"pattern": pattern, "format": format_}, type_checker=types)


def _parser(name: str) -> Callable[[str], Any] | None:
    from plait.language.forms import PARSERS

    return FORMS[name].parse if name in FORMS else PARSERS.get(name)
