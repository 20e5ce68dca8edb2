"""Read YAML 1.2 (core schema) into plain values, with the place of each key and value in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from plait.language.source_map import KeyPath, SourceMap
from plait.language.text import FILE_START, number_problem, read_text, scalar, split_lines
from plait.language.wording import kind_of
from plait.problems.problem import Problem, Span, by_place, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_NODES, MAX_DEPTH, MAX_SYNTAX_PROBLEMS = 10_000, 50, 20
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Point = tuple[int, int]  # line and column, both from 1


def locate(
    text: str | bytes, file: str, read_plain: Callable[[str], Any] = scalar
) -> tuple[SourceMap | None, list[Problem]]:
    """Read one YAML document, its unquoted texts by `read_plain`; None beside the problems if there are any."""
    decoded, problems = read_text(text, file)
    if problems:
        return None, problems
    reader = _Reader(decoded, file, read_plain)
    root = reader.read()
    if not reader.problems:
        reader.check_root(root)
    if not reader.problems:
        return SourceMap(file, decoded, root, reader.key_spans, reader.value_spans), []
    by_span = {problem.span: problem for problem in reader.problems}
    for _ in range(MAX_SYNTAX_PROBLEMS):
        if not reader.broken_line:
            break
        lines = reader.lines  # with an empty one in place of the broken one, what is wrong below is told too
        readable = "\n".join([*lines[: reader.broken_line - 1], "", *lines[reader.broken_line :]])
        reader = _Reader(readable, file, read_plain)
        reader.read()
        by_span = {problem.span: problem for problem in reader.problems} | by_span
    return None, sorted(by_span.values(), key=by_place)


class _Stop(Exception):
    """Nothing further is read."""


class _Reader:
    """Builds values and spans from YAML's events, as PyYAML's composer does, which could not refuse anchors."""

    def __init__(self, text: str, file: str, read_plain: Callable[[str], Any]) -> None:
        self.file, self.lines, self.read_plain = file, split_lines(text), read_plain
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.nodes = 0
        self.content_end: _Point = (1, 1)
        self.key_spans: dict[KeyPath, Span] = {}
        self.value_spans: dict[KeyPath, Span] = {}
        self.problems: list[Problem] = []
        self.anchors: set[str] = set()
        self.broken_line: int | None = None

    def read(self) -> Any:
        """The value of the document; None beside problems where it cannot be read."""
        root = None
        try:
            root = self._document()
        except yaml.MarkedYAMLError as error:
            from plait.language.yaml_errors import explain, lone_line

            (line, column), width, *words = explain(error, self.lines)
            self._add(self._span((line, column), (line, column + width)), *words)
            self.broken_line = lone_line(error, self.lines)
        except yaml.YAMLError:
            self._add(FILE_START, "yaml-syntax", "the text cannot be read as YAML", "save it as YAML 1.2")
        except _Stop:
            pass
        return root

    def check_root(self, root: Any) -> None:
        """Refuse a document that is no mapping."""
        if root is None:
            self._add(FILE_START, "empty-file", "the file is empty", "a pipeline begins with `plait: 1`")
        elif not isinstance(root, dict):
            help = "write `name: value`, with a space after the colon"
            span = self.value_spans.get((), FILE_START)
            self._add(span, "not-a-mapping", f"expected a mapping, got {kind_of(root)}", help)

    def _document(self) -> Any:
        documents, root = 0, None
        for event in self.events:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                message, help = "a second document begins here", "keep one pipeline in one file"
                self._add(self._span_of(event), "yaml-multiple-documents", message, help)
                raise _Stop
            if isinstance(event, yaml.NodeEvent):
                root, _ = self._node(event, (), 0)
        return root

    def _node(self, event: Any, path: KeyPath | None, depth: int) -> tuple[Any, Span]:
        """The value of a node that begins with an event, and its span; one without a path has no place of its own."""
        self.nodes += 1
        span = self._span_of(event)
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            help = "put one pipeline into one file, and nest less"
            self._add(span, "too-large", f"the file has more than {limit}", help)
            raise _Stop
        self._refuse_anchor_and_tag(event, span)
        value: Any = None
        if isinstance(event, yaml.CollectionStartEvent):
            read = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
            value = read(path, depth, bool(event.flow_style))
            span = Span(span.line, span.column, *max((span.line, span.column), self.content_end))
        elif isinstance(event, yaml.ScalarEvent):
            value = self.read_plain(event.value) if _is_plain(event) else event.value
            if path and _is_plain(event) and (problem := number_problem(event.value, value)):
                self._add(span, *problem)
        if not _is_empty(span):
            self.content_end = (span.end_line, span.end_column)
            if path is not None:
                self.value_spans[path] = span
        return value, span

    def _list(self, path: KeyPath | None, depth: int, is_flow: bool) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._node(event, None if path is None else (*path, len(values)), depth + 1)[0])
        self._end(event, is_flow)
        return values

    def _mapping(self, path: KeyPath | None, depth: int, is_flow: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        is_doubled = is_cut = False
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, key_span = self._node(event, None, depth + 1)
            is_usable = self._is_key(event, key, key_span)
            if is_usable and key in first_lines:
                if not is_doubled:
                    self._add_duplicate(key, key_span, first_lines[key])
                is_doubled, is_usable = True, False
            key_path = (*path, key) if is_usable and path is not None else None
            if key_path:
                self.key_spans[key_path] = key_span
            value, span = self._node(next(self.events), key_path, depth + 1)
            if is_usable:
                first_lines[key] = key_span.line
                values[key] = value
            if is_flow and isinstance(key, str) and not is_cut:
                is_cut = self._is_wrong_in_flow(key, key_span, value, span)
        self._end(event, is_flow)
        return values

    def _end(self, event: Any, is_flow: bool) -> None:
        """Note where a collection ends: at its bracket, else with the last of its content."""
        if is_flow:
            span = self._span_of(event)
            self.content_end = (span.end_line, span.end_column)

    def _is_key(self, event: Any, key: Any, span: Span) -> bool:
        if key == "<<" and _is_plain(event):
            self._add(span, "yaml-merge-key", "merge keys (`<<`) are not read here", "write the keys out")
        elif not isinstance(key, str) and not isinstance(event, yaml.AliasEvent):
            message = f"a key must be text, this is {kind_of(key)}"
            self._add(span, "yaml-key", message, "put the key in quotes")
        else:
            return isinstance(key, str)
        return False

    def _add_duplicate(self, key: str, span: Span, first_line: int) -> None:
        """Report the first key of a mapping that is given again."""
        help = "write the name of another source above it, or keep one" if key == "connector" else "keep one"
        note = f"first given at line {first_line}"
        self._add(span, "duplicate-key", f"{excerpt(key)} is given twice", help, note)

    def _is_wrong_in_flow(self, key: str, key_span: Span, value: Any, span: Span) -> bool:
        """Report `name:value` in `{…}`, a key without a value, and a text such as `decimal(12,2)`, cut at its comma."""
        name, colon, text = key.partition(":")
        if colon and text and _is_empty(span):
            message = f"a space is missing after {excerpt(name + colon)}"
            self._add(key_span, "yaml-syntax", message, f"write `{name[:40]}: {text[:40]}`")
            return False
        text = value if isinstance(value, str) else ""
        is_open = text.count("(") > text.count(")") or text.count("<") > text.count(">")
        if is_open and self.lines[span.end_line - 1][span.end_column - 1 :].startswith(","):
            message = f"the comma ends the value of {excerpt(key)}, as it stands in `{{…}}`"
            self._add(span, "unquoted-comma", message, 'put the whole value in quotes: `"…"`')
            return True
        return False

    def _refuse_anchor_and_tag(self, event: Any, span: Span) -> None:
        """Report an anchor, an alias without one, and a tag."""
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                message = f"{excerpt(f'*{event.anchor}')} is an alias, which is not read here"
                self._add(span, "yaml-alias", message, "put the text in quotes")
            return
        if event.anchor is not None:
            self.anchors.add(event.anchor)
            message = f"the anchor {excerpt('&' + event.anchor)} is not read here"
            self._add(span, "yaml-alias", message, "write the value out wherever it is used")
        if event.tag is not None:
            message = f"the tag {excerpt(event.tag.replace('tag:yaml.org,2002:', '!!'))} is not read here"
            self._add(span, "yaml-tag", message, "remove it, or put the text in quotes")

    def _span_of(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return self._span((start.line + 1, start.column + 1), (end.line + 1, end.column + 1))

    def _span(self, start: _Point, end: _Point) -> Span:
        """The span between two points, moved into the text where one lies behind its end."""
        last = len(self.lines)
        if end[0] < last:
            return Span(*start, *end)
        line, end_line = min(start[0], last), min(end[0], last)
        column = min(start[1], len(self.lines[line - 1]) + 1)
        return Span(line, column, end_line, min(end[1], len(self.lines[end_line - 1]) + 1))

    def _add(self, span: Span, code: str, message: str, help: str, note: str | None = None) -> None:
        self.problems.append(
            Problem(code=code, message=message, file=self.file, span=span, help=help, note=note)
        )


def _is_plain(event: Any) -> bool:
    return not event.style and event.tag != "tag:yaml.org,2002:str"


def _is_empty(span: Span) -> bool:
    return (span.line, span.column) == (span.end_line, span.end_column)
