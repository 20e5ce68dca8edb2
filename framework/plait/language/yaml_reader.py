"""Read YAML 1.2 (core schema) into plain values, with the place of each key and value in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from plait.language.characters import read_text
from plait.language.scalars import close_brackets, number_problem, scalar
from plait.language.source_map import FILE_START, KeyPath, Lines, Point, SourceMap
from plait.language.wording import kind_of
from plait.problems.problem import Problem, Span, by_place, excerpt

MAX_NODES, MAX_DEPTH = 10_000, 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEY_WITH_VALUE = re.compile(r"([A-Za-z_]\w*):(\S+)")


def locate(text: str | bytes, file: str) -> tuple[SourceMap | None, list[Problem]]:
    """Read one YAML document; None where its content cannot be judged before the problems are mended."""
    decoded, problems = read_text(text, file)
    if decoded is None:
        return None, problems
    reader = _Reader(decoded, file)
    reader.read()
    if not reader.failed and not isinstance(reader.root, dict):
        reader.add_not_a_mapping()
    problems = sorted(reader.problems, key=by_place)
    return (None if reader.failed else reader.source_map()), problems


@dataclass
class _OpenCollection:
    """A mapping or list that is being read; without a path it is read only for its problems."""

    value: Any
    path: KeyPath | None
    start: Point
    is_flow: bool
    has_tag: bool = False
    key_comes_next: bool = True
    key: str | None = None
    seen_keys: dict[str, Span] = field(default_factory=dict)
    skip_until: Point = (0, 0)

    @property
    def awaits_key(self) -> bool:
        return isinstance(self.value, dict) and self.key_comes_next

    @property
    def next_path(self) -> KeyPath | None:
        """The path of the value that comes next; None if it is read only for its problems."""
        if self.path is None:
            return None
        step = self.key if isinstance(self.value, dict) else len(self.value)
        return None if step is None else (*self.path, step)


class _Reader:
    """Builds values and spans from YAML's events, which needs no recursion however deep they nest."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = Lines(text)
        self.root: Any = None
        self.failed = self.stopped = False
        self.documents = self.nodes = 0
        self.content_end: Point = (1, 1)
        self.open: list[_OpenCollection] = []
        self.key_spans: dict[KeyPath, Span] = {}
        self.value_spans: dict[KeyPath, Span] = {}
        self.problems: list[Problem] = []
        self.anchor_problems: dict[str, int] = {}
        self.skipped_keys: set[str] = set()
        self.tagged_spans: list[Span] = []
        self.merged_mappings: set[KeyPath] = set()

    def read(self) -> None:
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                self._read_event(event)
                if self.stopped or self.documents > 1:
                    return
        except yaml.MarkedYAMLError as error:
            from plait.language.yaml_errors import explain

            self._fail(*explain(error, self.lines))
        except yaml.YAMLError:
            self._fail(FILE_START, "yaml-syntax", "the text cannot be read as YAML")

    def source_map(self) -> SourceMap:
        return SourceMap(
            self.file,
            self.text,
            self.root,
            self.key_spans,
            self.value_spans,
            problem_spans=frozenset(problem.span for problem in self.problems if problem.span),
            skipped_keys=frozenset(self.skipped_keys),
            tagged_spans=tuple(self.tagged_spans),
            merged_mappings=frozenset(self.merged_mappings),
        )

    def add_not_a_mapping(self) -> None:
        if self.root is None:
            self._fail(FILE_START, "empty-file", "the file is empty", "a pipeline begins with `plait: 1`")
        else:
            message = f"expected a mapping, got {kind_of(self.root)}"
            help = "write `name: value`, with a space after the colon"
            self._fail(self.value_spans.get((), FILE_START), "not-a-mapping", message, help)

    def _read_event(self, event: Any) -> None:
        if isinstance(event, yaml.NodeEvent) and self._is_too_much(event):
            return
        if isinstance(event, yaml.ScalarEvent):
            self._read_scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check_anchor_and_tag(event)
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            start, is_flow = _point(event.start_mark), bool(event.flow_style)
            has_tag = event.tag is not None
            self.open.append(_OpenCollection(value, self._next_path(), start, is_flow, has_tag))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close_collection(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._count_document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._refuse_alias(event)

    def _is_too_much(self, event: Any) -> bool:
        self.nodes += 1
        if self.nodes <= MAX_NODES and len(self.open) <= MAX_DEPTH:
            return False
        limit = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
        help = "put one pipeline into one file" if self.nodes > MAX_NODES else "nest less"
        self._fail(self._span(event), "too-large", f"the file has more than {limit}", help)
        self.stopped = True
        return True

    def _count_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            message, help = "a second document begins here", "keep one pipeline in one file"
            self._add(self._span(event), "yaml-multiple-documents", message, help)

    def _refuse_alias(self, event: Any) -> None:
        """Report an alias, at its anchor if that was read: the anchor's problem lists the lines that use it."""
        span = self._span(event)
        if (index := self.anchor_problems.get(event.anchor)) is None:
            message = f"{excerpt('*' + event.anchor)} is an alias, which is not read here"
            self._fail(span, "yaml-alias", message, "put the text in quotes")
        else:
            problem = self.problems[index]
            note = f"{problem.note}, {span.line}" if problem.note else f"used at line {span.line}"
            is_listed = len(note) > 60 or (problem.note or "").endswith(f" {span.line}")
            self.problems[index] = problem if is_listed else replace(problem, note=note)
            self.failed = True
        self.content_end = _point(event.end_mark)
        self._place_value(None, span)

    def _next_path(self) -> KeyPath | None:
        return self.open[-1].next_path if self.open else ()

    def _close_collection(self, event: Any) -> None:
        collection = self.open.pop()
        if collection.is_flow:
            self.content_end = _point(event.end_mark)
        span = Span(*collection.start, *max(collection.start, self.content_end))
        self.tagged_spans += [span] if collection.has_tag else []
        self._place_value(collection.value, span)

    def _read_scalar(self, event: Any) -> None:
        self._check_anchor_and_tag(event)
        span, text = self._span(event), event.value
        is_plain = not event.style and event.tag != "tag:yaml.org,2002:str"
        is_key = bool(self.open) and self.open[-1].awaits_key
        if is_plain and is_key and text == "<<":
            message, help = "merge keys (`<<`) are not read here", "write the keys out"
            self._fail(span, "yaml-merge-key", message, help)
        value = scalar(text) if is_plain and text != "<<" else text
        if is_plain and not is_key:
            if problem := number_problem(text, value):
                self._add(span, *problem)
            value = self._rejoin_at_comma(span, text) if isinstance(value, str) else value
        if not _is_empty(span):
            self.content_end = span.end_line, span.end_column
        self._place_value(value, span)

    def _rejoin_at_comma(self, span: Span, text: str) -> str:
        """Restore a text such as `decimal(12,2)` within `{…}`, which YAML ends at the comma, and report it."""
        mapping = self.open[-1] if self.open else None
        if not mapping or not mapping.is_flow or mapping.key is None:
            return text
        full_text = close_brackets(text, self.lines.line(span.line)[span.column - 1 :])
        if full_text == text or ": " in full_text:
            return text
        mapping.skip_until = span.line, span.column + len(full_text)
        message = f"the comma ends the value of {excerpt(mapping.key)}, as it stands in `{{…}}`"
        self._add(span, "unquoted-comma", message, f'put it in quotes: `"{full_text[:40]}"`')
        return full_text

    def _check_anchor_and_tag(self, event: Any) -> None:
        help = "remove it, or put the text in quotes"
        if event.anchor is not None:
            message = f"the anchor {excerpt('&' + event.anchor)} is not read here"
            self.anchor_problems[event.anchor] = len(self.problems)
            help = "write the value out wherever it is used"
            self._add(self._span(event), "yaml-alias", message, help)
        if event.tag is not None:
            tag = excerpt(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._add(self._span(event), "yaml-tag", f"the tag {tag} is not read here", help)

    def _place_value(self, value: Any, span: Span) -> None:
        """Put what was read into the collection that is open: as a list's element, a mapping's key or its value."""
        path = self._next_path()
        if path is not None and not _is_empty(span):
            self.value_spans[path] = span
        if not self.open:
            self.root = value
            return
        collection = self.open[-1]
        if isinstance(collection.value, list):
            collection.value.append(value)
        elif collection.key_comes_next:
            collection.key_comes_next, collection.key = False, self._read_key(collection, value, span)
        else:
            if collection.key is not None:
                self._set_entry(collection, collection.key, value, span)
            collection.key_comes_next, collection.key = True, None

    def _set_entry(self, mapping: _OpenCollection, key: str, value: Any, span: Span) -> None:
        """Set a key of a mapping; in `{…}`, `name:value` is one key without a value, and meant as both."""
        is_lone_key = mapping.is_flow and value is None and _is_empty(span)
        match = _KEY_WITH_VALUE.fullmatch(key) if is_lone_key else None
        if match is None:
            mapping.value[key] = value
            return
        name, text = match.groups()
        mapping.value[name] = scalar(text)
        if mapping.path is not None:
            key_span = self.key_spans.pop((*mapping.path, key))
            self.key_spans[(*mapping.path, name)] = self.value_spans[(*mapping.path, name)] = key_span
            message = f"a space is missing after {excerpt(name + ':')}"
            self._add(key_span, "yaml-syntax", message, f"write `{name}: {text[:40]}`")

    def _read_key(self, mapping: _OpenCollection, value: Any, span: Span) -> str | None:
        """The key, or None where its value is read only for its problems."""
        if (span.line, span.column) < mapping.skip_until:
            return None
        if not isinstance(value, str):
            message = f"a key must be text, this is {kind_of(value)}"
            self._add(span, "yaml-key", message, "put the key in quotes")
            return None
        if first := mapping.seen_keys.get(value):
            self._add_duplicate_key(mapping, value, span, first)
            self.skipped_keys.add(value)
            return None
        mapping.seen_keys[value] = span
        if mapping.path is None:
            self.skipped_keys.add(value)
        else:
            self.key_spans[(*mapping.path, value)] = span
        return value

    def _add_duplicate_key(self, mapping: _OpenCollection, key: str, span: Span, first: Span) -> None:
        """Report a key given again; one problem alone where a whole block follows without a line between the two."""
        if mapping.path is not None and (key == "connector" or mapping.path in self.merged_mappings):
            if mapping.path in self.merged_mappings:
                return
            self.merged_mappings.add(mapping.path)
            help = "write the name of another source above it, or keep one"
        else:
            help = "keep one"
        note = f"first given at line {first.line}"
        self._add(span, "duplicate-key", f"{excerpt(key)} is given twice", help, note)

    def _span(self, event: Any) -> Span:
        start, end = _point(event.start_mark), _point(event.end_mark)
        return Span(*start, *end) if end[0] < len(self.lines.lines) else self.lines.span(start, end)

    def _add(self, span: Span, code: str, message: str, help: str | None, note: str | None = None) -> None:
        problem = Problem(code=code, message=message, file=self.file, span=span, help=help, note=note)
        self.problems.append(problem)

    def _fail(self, span: Span, code: str, message: str, help: str | None = None) -> None:
        """Report a problem after which the content cannot be judged."""
        self.failed = True
        self._add(span, code, message, help)


def _point(mark: Any) -> Point:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _is_empty(span: Span) -> bool:
    return (span.line, span.column) == (span.end_line, span.end_column)
