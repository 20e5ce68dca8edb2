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
# The message and the help of each code; `{}` stands for what was found.
_TEXTS = {
    "empty-file": ("the file is empty", "a pipeline begins with `plait: 1`"),
    "not-a-mapping": ("expected a mapping, got {}", "write `name: value`, with a space after the colon"),
    "yaml-multiple-documents": ("a second document begins here", "keep one pipeline in one file"),
    "too-large": ("the file has more than {}", "put one pipeline into one file, and nest less"),
    "yaml-syntax": ("the text cannot be read as YAML", "save it as YAML 1.2"),
    "yaml-merge-key": ("merge keys (`<<`) are not read here", "write the keys out"),
    "yaml-key": ("a key must be text, this is {}", "put the key in quotes"),
    "yaml-alias": ("{} is an anchor or an alias, which are not read here", "write the value out, or put the text in quotes"),
    "yaml-tag": ("the tag {} is not read here", "remove it, or put the text in quotes"),
    "duplicate-key": ("{} is given twice", "keep one, or write a name above what follows"),
    "unquoted-comma": ("the comma ends the value of {}, as it stands in `{{…}}`", 'put the whole value in quotes: `"…"`'),
}  # fmt: skip


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
        self.anchors: set[str | None] = {None}  # by name; each is told once
        self.broken_line: int | None = None

    def read(self) -> Any:
        """The value of the document; None beside problems where it cannot be read."""
        try:
            return self._document()
        except yaml.MarkedYAMLError as error:
            from plait.language.yaml_errors import explain, lone_line

            (line, column), width, *words, is_above = explain(error, self.lines)
            told = [
                problem.span.line for problem in self.problems if problem.span and problem.code == "yaml-key"
            ]
            if line not in told:
                self._add_problem(self._span((line, column), (line, column + width)), *words)
            self.broken_line = line if is_above else lone_line(error, self.lines)
        except yaml.YAMLError:
            self._add(FILE_START, "yaml-syntax")
        except _Stop:
            pass
        return None

    def check_root(self, root: Any) -> None:
        """Refuse a document that is no mapping."""
        if root is None:
            self._add(FILE_START, "empty-file")
        elif not isinstance(root, dict):
            self._add(self.value_spans.get((), FILE_START), "not-a-mapping", kind_of(root))

    def _document(self) -> Any:
        documents, root = 0, None
        for event in self.events:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                self._stop(self._span_of(event), "yaml-multiple-documents")
            if isinstance(event, yaml.NodeEvent):
                root, _ = self._value(event, (), 0)
        return root

    def _value(self, event: Any, path: KeyPath, depth: int) -> tuple[Any, Span]:
        """The value that begins with an event, and its span, which is kept unless it is empty."""
        value, span = self._node(event, path, depth)
        if not _is_empty(span):
            self.value_spans[path] = span
        return value, span

    def _node(self, event: Any, path: KeyPath, depth: int) -> tuple[Any, Span]:
        self.nodes += 1
        span = self._span_of(event)
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            self._stop(span, "too-large", limit)
        if event.anchor not in self.anchors:
            self.anchors.add(event.anchor)
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
            self._add(span, "yaml-alias", excerpt(f"{mark}{event.anchor}"))
        if getattr(event, "tag", None) is not None:
            self._add(span, "yaml-tag", excerpt(event.tag.replace("tag:yaml.org,2002:", "!!")))
        value: Any = None
        if isinstance(event, yaml.CollectionStartEvent):
            read = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._list
            value = read(path, depth + 1, bool(event.flow_style))
            span = Span(span.line, span.column, *max((span.line, span.column), self.content_end))
        elif isinstance(event, yaml.ScalarEvent):
            value = self.read_plain(event.value) if _is_plain(event) else event.value
            if _is_plain(event) and (problem := number_problem(event.value, value)):
                self._add_problem(span, *problem)
        if not _is_empty(span):
            self.content_end = (span.end_line, span.end_column)
        return value, span

    def _list(self, path: KeyPath, depth: int, is_flow: bool) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self._value(event, (*path, len(values)), depth)[0])
        self._end(event, is_flow)
        return values

    def _mapping(self, path: KeyPath, depth: int, is_flow: bool) -> dict[str, Any]:
        values: dict[str, Any] = {}
        is_doubled = is_cut = False
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, key_span = self._node(event, path, depth)
            key = "null" if key is None and getattr(event, "value", "") == "null" else key
            if key == "<<" and _is_plain(event):
                self._add(key_span, "yaml-merge-key")
            elif not isinstance(key, str) and not isinstance(event, yaml.AliasEvent):
                self._add_key_problem(key_span, key)
            key_path = (*path, str(key))
            if isinstance(key, str) and key in values and not is_doubled:
                is_doubled = True
                note = f"first given at line {self.key_spans[key_path].line}"
                self._add(key_span, "duplicate-key", excerpt(key), note=note)
            self.key_spans[key_path] = key_span
            values[str(key)], span = self._value(next(self.events), key_path, depth)
            is_text = is_flow and isinstance(key, str)
            is_cut = is_cut or (is_text and self._is_cut(key, key_span, values[key], span))
        self._end(event, is_flow)
        return values

    def _add_key_problem(self, span: Span, key: Any) -> None:
        """Report a key that is no text; `{{name}}` is how templates of other tools write a parameter."""
        message, help = _TEXTS["yaml-key"]
        if isinstance(key, dict):
            name = next((name for name in key if name.isidentifier()), "name")[:40]
            help = f"put the whole value in quotes, or write `${{{name}}}` for a parameter"
        self._add_problem(span, "yaml-key", message.format(kind_of(key)), help)

    def _end(self, event: Any, is_flow: bool) -> None:
        """Note where a collection ends: at its bracket, else with the last of its content."""
        if is_flow:
            span = self._span_of(event)
            self.content_end = (span.end_line, span.end_column)

    def _is_cut(self, key: str, key_span: Span, value: Any, span: Span) -> bool:
        """Report a text such as `decimal(12,2)` in `{…}`, cut at its comma, and `name:value`, a key without a value."""
        name, colon, text = key.partition(":")
        if colon and text and _is_empty(span):
            message = f"a space is missing after {excerpt(name + colon)}"
            self._add_problem(key_span, "yaml-syntax", message, f"write `{name[:40]}: {text[:40]}`")
        is_quoted = self.lines[span.line - 1][span.column - 1 :].startswith(("'", '"'))
        text = value if isinstance(value, str) and not is_quoted else ""
        is_open = text.count("(") > text.count(")") or text.count("<") > text.count(">")
        if not is_open or not self.lines[span.end_line - 1][span.end_column - 1 :].startswith(","):
            return False
        self._add(span, "unquoted-comma", excerpt(key))
        return True

    def _span_of(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return self._span((start.line + 1, start.column + 1), (end.line + 1, end.column + 1))

    def _span(self, start: _Point, end: _Point) -> Span:
        """The span between two points, each moved into the text where it lies behind the end of it or of its line."""
        return Span(*self._within(start), *self._within(end))

    def _within(self, point: _Point) -> _Point:
        line = min(point[0], len(self.lines))
        return line, min(point[1], len(self.lines[line - 1]) + 1)

    def _add(self, span: Span, code: str, value: str = "", note: str | None = None) -> None:
        message, help = _TEXTS[code]
        self._add_problem(span, code, message.format(value), help, note)

    def _stop(self, span: Span, code: str, value: str = "") -> None:
        self._add(span, code, value)
        raise _Stop

    def _add_problem(self, span: Span, code: str, message: str, help: str, note: str | None = None) -> None:
        problem = Problem(code=code, message=message, file=self.file, span=span, help=help, note=note)
        self.problems.append(problem)


def _is_plain(event: Any) -> bool:
    return not event.style and event.tag != "tag:yaml.org,2002:str"


def _is_empty(span: Span) -> bool:
    return (span.line, span.column) == (span.end_line, span.end_column)
