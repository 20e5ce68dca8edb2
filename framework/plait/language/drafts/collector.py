"""Validate one block of a spec against its struct: collect every problem, and return what could be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.drafts.misplaced_keys import help_for_misplaced, synonym
from plait.language.drafts.struct_fields import Kind, StructField, fields_of
from plait.language.secrets_in_text import MOVE_KEY_HELP, is_credential_key
from plait.language.wording import conversion_error, kind_of, wrong_kind_error
from plait.problems.problem import Problem, Span, excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath, SourceMap


FAILED: Any = object()
OWN_PACKAGES = ("plait", "plait_connectors")


class ProblemCollector:
    """Collects the problems of a spec, each at a place in its text.

    `secret_spans` are the values that must not be shown, `unset_parameters` the parameters without a value.
    """

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map
        self.problems: list[Problem] = []
        self.secret_spans: set[Span] = set()
        self.unset_parameters: set[str] = set()
        self._muted = set(source_map.problem_spans)

    def add(self, span: Span, code: str, message: str, **more: Any) -> None:
        """Add a problem at a span, unless the span is muted or within a value with a YAML tag."""
        is_tagged = any(
            tagged <= span <= Span(tagged.end_line, tagged.end_column, 0, 0)
            for tagged in self.source_map.tagged_spans
        )
        if span not in self._muted and not is_tagged:
            problem = Problem(code=code, message=message, file=self.source_map.file, span=span, **more)
            self.problems.append(problem)

    def add_at_key(self, path: KeyPath, code: str, message: str, **more: Any) -> None:
        """Add a problem of a key, or of what is missing below it; one of the whole spec is put at its first key."""
        first_key = next(iter(self.source_map.key_spans.values()), None)
        span = self.source_map.key_span(path) if path or first_key is None else first_key
        self.add(span, code, message, **more)

    def add_at(self, path: KeyPath, code: str, message: str, *, part: str | None = None, **more: Any) -> None:
        """Add a problem of a value, or of a `part` of its text."""
        self.add(self.span(path, part), code, message, **more)

    def span(self, path: KeyPath, part: str | None = None) -> Span:
        """Where a value stands, or a part of its text; of a muted value the whole, so that its parts are muted too."""
        span = self.source_map.value_span(path)
        return self.source_map.part_span(span, part) if part and span not in self._muted else span

    def add_error(self, path: KeyPath, error: ValueError, help: str | None = None) -> None:
        """Add the problem of a value that could not be read; the help of the error goes before `help`."""
        code, part = getattr(error, "code", "wrong-value"), getattr(error, "part", None)
        if meant := nearest(part or "", getattr(error, "words", ())):
            error.help = f"did you mean `{meant}`?"  # type: ignore[attr-defined]
        self.add_at(path, code, str(error), help=getattr(error, "help", None) or help, part=part)

    def add_secret(self, path: KeyPath, message: str, help: str, key: KeyPath | None = None) -> None:
        """Add a problem of a value that must not be shown; it is put at `key` if that is given."""
        if span := self.source_map.value_spans.get(path):
            self.secret_spans.add(span)
        span = self.source_map.key_span(key) if key else self.source_map.value_span(path)
        self.add(span, "literal-secret", message, help=help)
        self.mute_value(path)

    def awaits_parameter(self, value: object) -> bool:
        """Whether a text refers to a parameter without a value, so that it cannot be judged."""
        return isinstance(value, str) and any(f"${{{name}}}" in value for name in self.unset_parameters)

    def mute_value(self, path: KeyPath) -> None:
        """Add no further problem of a value."""
        self._muted.add(self.source_map.value_span(path))

    def mute_key(self, path: KeyPath) -> None:
        """Add no further problem of a key."""
        self._muted.add(self.source_map.key_span(path))

    def line(self, path: KeyPath) -> int:
        """The line on which the key of a path stands."""
        return self.source_map.key_span(path).line


@dataclass(slots=True)
class BlockValues:
    """The values of a block that could be read, by key; `complete` if the block has no problem."""

    values: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    def get(self, word: str) -> Any:
        """The value of a key; None if it was not given or could not be read."""
        return self.values.get(word)

    def make_struct(self, cls: type[msgspec.Struct], path: KeyPath, collector: ProblemCollector) -> Any:
        """Make the struct of the values; None, after adding the problem, if it does not accept them together."""
        fields = fields_of(cls)
        try:
            return cls(**{fields[word].name: value for word, value in self.values.items() if word in fields})
        except ValueError as error:
            collector.add_error(path, error)
        except (Exception, SystemExit) as error:
            if cls.__module__.partition(".")[0] in OWN_PACKAGES:
                raise
            message = f"the connector's options cannot be made: {type(error).__name__[:40]}"
            collector.add_at(
                (*path, "connector"), "broken-connector", message, help="`plait connectors` tells more"
            )
        return None


def read_struct(
    cls: type[msgspec.Struct], value: Any, path: KeyPath, collector: ProblemCollector, help: str | None = None
) -> Any:
    """Read a block as a struct; None, after adding each of its problems, if there are any."""
    block = read_keys(fields_of(cls), value, path, collector, help=help)
    return block.make_struct(cls, path, collector) if block.complete else None


def read_keys(
    fields: Mapping[str, StructField],
    value: Any,
    path: KeyPath,
    collector: ProblemCollector,
    *,
    closed: bool = True,
    help: str | None = None,
) -> BlockValues:
    """Read the values of a block's keys, and add each problem; a block that is not `closed` may have other keys."""
    if not isinstance(value, dict):
        words = ", ".join(f"`{word}`" for word in fields)
        add_wrong_kind(value, "a mapping", path, collector, help or f"its keys are {words}")
        return BlockValues(complete=False)
    block = BlockValues(complete=_check_names(fields, value, path, collector) if closed else True)
    for word, key in fields.items():
        if word not in value:
            continue
        converted = _read_key(value[word], key, (*path, word), collector)
        if converted is FAILED:
            block.complete = False
        else:
            block.values[word] = converted
    return block


def add_wrong_kind(
    value: Any, expected: str, path: KeyPath, collector: ProblemCollector, help: str | None
) -> None:
    """Add the problem of a value of the wrong kind, such as a list where a mapping belongs."""
    if value is None and collector.source_map.is_empty(path):
        if path[-1] not in collector.source_map.skipped_keys:
            collector.add_at_key(path, "no-value", f"{excerpt(str(path[-1]))} has no value", help=help)
    else:
        collector.add_at(path, "wrong-kind", f"expected {expected}, got {kind_of(value)}", help=help)


def _read_key(value: Any, key: StructField, path: KeyPath, collector: ProblemCollector) -> Any:
    """The value of a key as its kind; FAILED after adding its problem."""
    if value is None and collector.source_map.is_empty(path):
        if key.word not in collector.source_map.skipped_keys:
            collector.add_at_key(path, "no-value", f"{excerpt(key.word)} has no value", help=key.help)
        return FAILED
    return _read_value(value, key.kind, path, collector, key)


def _read_value(value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField) -> Any:
    """A value as its kind; the entries of a mapping or list are read one by one, so that each problem is added."""
    if value is None and kind.nullable:
        return None
    if kind.words:
        return _read_word(value, kind, path, collector, key)
    if kind.struct is not None:
        struct = read_struct(kind.struct, value, path, collector)
        return FAILED if struct is None else struct
    if kind.element is not None and kind.container is not None and isinstance(value, kind.container):
        return _read_entries(value, kind.element, path, collector, key)
    try:
        return _convert(value, kind)
    except msgspec.ValidationError as error:
        if collector.awaits_parameter(value):
            pass
        elif key.pattern and "matching regex" in str(error):
            _add_bad_name(value, key, path, collector)
        else:
            collector.add_error(path, conversion_error(str(error), value, key.help))
    except ValueError as error:
        if not collector.awaits_parameter(value):
            collector.add_error(path, error, key.help)
    return FAILED


def _add_bad_name(value: str, key: StructField, path: KeyPath, collector: ProblemCollector) -> None:
    """Add the problem of a text that does not match the pattern of its key."""
    candidate = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    likely = candidate if key.word == "name" and re.match(str(key.pattern), candidate) else None
    message = f"{excerpt(value)} does not fit: expected {key.description}"
    help = f"did you mean {excerpt(likely)}?" if likely else f"write it as in `{key.example}`"
    collector.add_at(path, "bad-name", message, help=help)


def _read_entries(
    value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField
) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    entries = {step: _read_value(entry, kind, (*path, step), collector, key) for step, entry in pairs}
    if any(entry is FAILED for entry in entries.values()):
        return FAILED
    return entries if isinstance(value, dict) else [*entries.values()]


def _read_word(value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField) -> Any:
    if isinstance(value, str) and value in kind.words:
        return value
    if not isinstance(value, str):
        add_wrong_kind(value, "text", path, collector, one_of(kind.words))
        return FAILED
    help = help_for(value, kind.words, "word", None)
    collector.add_at(path, "wrong-word", f"{excerpt(value)} is no word for `{key.word}`", help=help)
    return FAILED


def _convert(value: Any, kind: Kind) -> Any:
    """A value as a type with `parse`, or as msgspec converts it; raises ValueError."""
    if kind.parsed is None:
        return msgspec.convert(_unescape(value), kind.annotation)
    if value is None and kind.nullable:
        return None
    if isinstance(value, str):
        return kind.parsed.parse(value)
    spelt = getattr(kind.parsed, "spelt", None)
    raise wrong_kind_error(getattr(kind.parsed, "noun", "text"), value, spelt and spelt(value))


def _unescape(value: Any) -> Any:
    """A text with `${` in place of `$${`; paths and patterns do this themselves."""
    return value.replace("$${", "${") if isinstance(value, str) else value


def _check_names(
    fields: Mapping[str, StructField], value: dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> bool:
    """Add a problem for each key that is unknown or missing; one that was likely meant is not missing too."""
    if path in collector.source_map.merged_mappings:
        return False
    unknown = [name for name in value if name not in fields]
    missing = [word for word, key in fields.items() if key.required and word not in value]
    unused = [word for word in fields if word not in value]
    is_lone_pair = len(unknown) == len(missing) == 1
    for name in unknown:
        if is_credential_key(name):
            message = f"a spec holds no {excerpt(name)}"
            collector.add_secret((*path, name), message, MOVE_KEY_HELP, key=(*path, name))
            continue
        likely, help = _likely_key(name, value[name], unused, missing)
        if likely is None and is_lone_pair:
            likely = missing[0]
            help = f"write `{likely}` in its place: {fields[likely].help}"
        if likely in missing:
            missing.remove(likely)
        collector.add_at_key((*path, name), "unknown-key", f"unknown key {excerpt(name)}", help=help)
    for word in missing:
        collector.add_at_key(path, "missing-key", f"`{word}` is missing", help=fields[word].help)
    return not unknown and not missing


def _likely_key(name: str, value: Any, unused: list[str], missing: list[str]) -> tuple[str | None, str]:
    """The key that was likely meant by an unknown one, if there is one, and what to do."""
    near = nearest(name, unused, missing)
    if near is None or not edited_once(name, near):
        if help := help_for_misplaced(name, value):
            return None, help
        near = synonym(name, unused) or near
    if near:
        return near, f"did you mean `{near}`?"
    return None, "remove it" + (f", or write {one_of(unused)}" if unused else "")
