"""A block of the spec meets its struct: every problem of the block, and whatever could be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.misplaced_keys import help_for_misplaced, synonym
from plait.language.secrets_in_text import SAFE_HELP, is_credential_key
from plait.language.struct_fields import Kind, StructField, fields_of
from plait.language.wording import conversion_error, kind_of, wrong_kind_error
from plait.problems.problem import Problem, Span, excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath, SourceMap


FAILED: Any = object()
OURS = ("plait", "plait_connectors")


class ProblemCollector:
    """The problems found so far, each at a place of the spec."""

    def __init__(self, source_map: SourceMap) -> None:
        self.source_map = source_map
        self.problems: list[Problem] = []
        self.secret_spans: set[Span] = set()
        self.unset: set[str] = set()
        self._muted = set(source_map.problem_spans)

    def add(self, span: Span, code: str, message: str, **more: Any) -> None:
        """Add a problem at a span, unless one was already reported there."""
        dark = any(
            one <= span <= Span(one.end_line, one.end_column, 0, 0) for one in self.source_map.tagged_spans
        )
        if span not in self._muted and not dark:
            problem = Problem(code=code, message=message, file=self.source_map.file, span=span, **more)
            self.problems.append(problem)

    def add_at_key(self, path: KeyPath, code: str, message: str, **more: Any) -> None:
        """Add a problem of a key, or of what is missing below it; the first key stands for the whole spec."""
        first = next(iter(self.source_map.key_spans.values()), None)
        self.add(self.source_map.key_span(path) if path or first is None else first, code, message, **more)

    def add_at(self, path: KeyPath, code: str, message: str, *, part: str | None = None, **more: Any) -> None:
        """Add a problem of a value, or of a `part` of its text."""
        self.add(self.span(path, part), code, message, **more)

    def span(self, path: KeyPath, part: str | None = None) -> Span:
        """Where a value stands, or a part of its text; the whole value settles its parts."""
        span = self.source_map.value_span(path)
        return self.source_map.part_span(span, part) if part and span not in self._muted else span

    def add_error(self, path: KeyPath, error: ValueError, help: str | None = None) -> None:
        """A problem of a value that could not be read from its text; its own help wins."""
        code, part = getattr(error, "code", "wrong-value"), getattr(error, "part", None)
        self.add_at(path, code, str(error), help=getattr(error, "help", None) or help, part=part)

    def add_secret(self, path: KeyPath, message: str, help: str, key: KeyPath | None = None) -> None:
        """A problem of a value that must not be shown; the caret stands under `key` if that is given."""
        if span := self.source_map.value_spans.get(path):
            self.secret_spans.add(span)
        span = self.source_map.key_span(key) if key else self.source_map.value_span(path)
        self.add(span, "literal-secret", message, help=help)
        self.mute_value(path)

    def awaits_parameter(self, value: object) -> bool:
        """Whether a text names a parameter that has no value, so that nothing can be said of it."""
        return isinstance(value, str) and any(f"${{{name}}}" in value for name in self.unset)

    def mute_value(self, path: KeyPath) -> None:
        """Let a value have no further problem."""
        self._muted.add(self.source_map.value_span(path))

    def mute_key(self, path: KeyPath) -> None:
        """Let a key have no further problem."""
        self._muted.add(self.source_map.key_span(path))

    def line(self, path: KeyPath) -> int:
        """The line on which the key of a path stands."""
        return self.source_map.key_span(path).line


@dataclass(slots=True)
class BlockValues:
    """What could be read of a block, by key; `complete` where the block has no problem."""

    values: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    def get(self, word: str) -> Any:
        """The value of a key; None where it was not given or could not be read."""
        return self.values.get(word)

    def struct(self, cls: type[msgspec.Struct], path: KeyPath, collector: ProblemCollector) -> Any:
        """The struct of the values, or None where it does not accept them together."""
        keys = fields_of(cls)
        try:
            return cls(**{keys[word].name: one for word, one in self.values.items() if word in keys})
        except ValueError as error:
            collector.add_error(path, error)
        except (Exception, SystemExit) as error:
            if cls.__module__.partition(".")[0] in OURS:
                raise
            message = f"the connector's options cannot be made: {type(error).__name__[:40]}"
            collector.add_at(
                (*path, "connector"), "broken-connector", message, help="`plait connectors` tells more"
            )
        return None


def read_struct(
    cls: type[msgspec.Struct], value: Any, path: KeyPath, collector: ProblemCollector, help: str | None = None
) -> Any:
    """The struct of a block, or None after reporting each of its problems."""
    given = read_keys(fields_of(cls), value, path, collector, help=help)
    return given.struct(cls, path, collector) if given.complete else None


def read_keys(
    keys: Mapping[str, StructField],
    value: Any,
    path: KeyPath,
    collector: ProblemCollector,
    *,
    closed: bool = True,
    help: str | None = None,
) -> BlockValues:
    """The values of a block's keys after reporting each problem; unless `closed`, there may be others."""
    if not isinstance(value, dict):
        add_wrong_kind(value, "a mapping", path, collector, help or f"its keys are {_listed(keys)}")
        return BlockValues(complete=False)
    given = BlockValues(complete=_names(keys, value, path, collector) if closed else True)
    for word in (word for word in keys if word in value):
        one = _key(value[word], keys[word], (*path, word), collector)
        if one is FAILED:
            given.complete = False
        else:
            given.values[word] = one
    return given


def add_wrong_kind(
    value: Any, expected: str, path: KeyPath, collector: ProblemCollector, help: str | None
) -> None:
    """A problem of a value that is a list where a mapping belongs, and the like."""
    if value is None and collector.source_map.is_empty(path):
        if path[-1] not in collector.source_map.skipped_keys:
            collector.add_at_key(path, "no-value", f"{excerpt(str(path[-1]))} has no value", help=help)
    else:
        collector.add_at(path, "wrong-kind", f"expected {expected}, got {kind_of(value)}", help=help)


def _key(value: Any, key: StructField, path: KeyPath, collector: ProblemCollector) -> Any:
    if value is None and collector.source_map.is_empty(path):
        if key.word not in collector.source_map.skipped_keys:
            collector.add_at_key(path, "no-value", f"{excerpt(key.word)} has no value", help=key.help)
        return FAILED
    return _value(value, key.kind, path, collector, key)


def _value(value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField) -> Any:
    """One value in its kind; in a mapping or list each entry on its own, so that each problem is told."""
    if value is None and kind.nullable:
        return None
    if kind.words:
        return _word(value, kind, path, collector, key)
    if kind.struct is not None:
        found = read_struct(kind.struct, value, path, collector)
        return FAILED if found is None else found
    if kind.element is not None and kind.container is not None and isinstance(value, kind.container):
        return _entries(value, kind.element, path, collector, key)
    try:
        return _converted(value, kind)
    except msgspec.ValidationError as error:
        if collector.awaits_parameter(value):
            pass
        elif key.pattern and "matching regex" in str(error):
            _misspelt(value, key, path, collector)
        else:
            collector.add_error(path, conversion_error(str(error), value, key.help))
    except ValueError as error:
        if not collector.awaits_parameter(value):
            collector.add_error(path, error, key.help)
    return FAILED


def _misspelt(value: str, key: StructField, path: KeyPath, collector: ProblemCollector) -> None:
    """A text that does not have the form that its key asks for."""
    likely = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    meant = likely if key.word == "name" and re.match(str(key.pattern), likely) else None
    message = f"{excerpt(value)} does not fit: expected {key.description}"
    help = f"did you mean {excerpt(meant)}?" if meant else f"write it as in `{key.example}`"
    collector.add_at(path, "bad-name", message, help=help)


def _entries(value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    entries = {step: _value(one, kind, (*path, step), collector, key) for step, one in pairs}
    if any(one is FAILED for one in entries.values()):
        return FAILED
    return entries if isinstance(value, dict) else [*entries.values()]


def _word(value: Any, kind: Kind, path: KeyPath, collector: ProblemCollector, key: StructField) -> Any:
    if isinstance(value, str) and value in kind.words:
        return value
    if not isinstance(value, str):
        add_wrong_kind(value, "text", path, collector, one_of(kind.words))
        return FAILED
    help = help_for(value, kind.words, "word", None)
    collector.add_at(path, "wrong-word", f"{excerpt(value)} is no word for `{key.word}`", help=help)
    return FAILED


def _converted(value: Any, kind: Kind) -> Any:
    if kind.parsed is None:
        return msgspec.convert(_plain(value), kind.annotation)
    if value is None and kind.nullable:
        return None
    if isinstance(value, str):
        return kind.parsed.parse(value)
    spelt = getattr(kind.parsed, "spelt", None)
    raise wrong_kind_error(getattr(kind.parsed, "noun", "text"), value, spelt and spelt(value))


def _plain(value: Any) -> Any:
    """Text with `$${` as the `${` that it stands for; paths and patterns read it themselves."""
    return value.replace("$${", "${") if isinstance(value, str) else value


def _names(
    keys: Mapping[str, StructField], value: dict[str, Any], path: KeyPath, collector: ProblemCollector
) -> bool:
    if path in collector.source_map.merged_mappings:
        return False
    unknown = [name for name in value if name not in keys]
    missing = [word for word, key in keys.items() if key.required and word not in value]
    free = [word for word in keys if word not in value]
    lone = len(unknown) == len(missing) == 1
    for name in unknown:
        if is_credential_key(name):
            collector.add_secret(
                (*path, name), f"a spec holds no {excerpt(name)}", SAFE_HELP, key=(*path, name)
            )
            continue
        meant, help = _meant(name, value[name], free, missing)
        if meant is None and lone:
            meant = missing[0]
            help = f"write `{meant}` in its place: {keys[meant].help}"
        if meant in missing:
            missing.remove(meant)
        collector.add_at_key((*path, name), "unknown-key", f"unknown key {excerpt(name)}", help=help)
    for word in missing:
        collector.add_at_key(path, "missing-key", f"`{word}` is missing", help=keys[word].help)
    return not unknown and not missing


def _meant(name: str, value: Any, free: list[str], missing: list[str]) -> tuple[str | None, str]:
    """The key that was meant, if there is one, and what to do."""
    near = nearest(name, free, missing)
    if near is None or not edited_once(name, near):
        if help := help_for_misplaced(name, value):
            return None, help
        near = synonym(name, free) or near
    if near:
        return near, f"did you mean `{near}`?"
    return None, "remove it" + (f", or write {one_of(free)}" if free else "")


def _listed(words: Mapping[str, StructField]) -> str:
    return ", ".join(f"`{word}`" for word in words)
