"""Read YAML 1.2 (core schema) into plain values, with the place of each key and value in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from msgspec.structs import replace

from plait.language.scalars import number_problem, scalar
from plait.language.source_map import FILE_START, KeyPath, Lines, Point, SourceMap
from plait.language.text import read_text
from plait.language.wording import kind_of
from plait.problems.problem import Problem, Span, by_place, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_NODES, MAX_DEPTH = 10_000, 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEY_WITH_VALUE = re.compile(r"([A-Za-z_]\w*):(\S+)")
_BRACKETED = re.compile(r"[^(<]*[(<].{0,400}?[)>]+")


def locate(text: str | bytes, file: str) -> tuple[SourceMap | None, list[Problem]]:
    """Read one YAML document; None beside the problems if there are any."""
    decoded, problems = read_text(text, file)
    if decoded is None:
        return None, problems
    reader = _Reader(decoded, file)
    root = reader.read()
    if not reader.problems:
        return SourceMap(file, decoded, root, reader.key_spans, reader.value_spans), []
    return None, sorted(reader.problems, key=by_place)


class _Stop(Exception):
    """Nothing further is read."""


class _Reader:
    """Builds values and spans from YAML's events, as PyYAML's composer does, which could not refuse anchors."""

    def __init__(self, text: str, file: str) -> None:
        self.file, self.lines = file, Lines(text)
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.nodes = 0
        self.content_end: Point = (1, 1)
        self.key_spans: dict[KeyPath, Span] = {}
        self.value_spans: dict[KeyPath, Span] = {}
        self.problems: list[Problem] = []
        self.anchors: dict[str, int] = {}  # by name, the position of its problem

    def read(self) -> Any:
        """The value of the document; None beside problems where it cannot be read."""
        root = None
        try:
            root = self._document()
        except yaml.MarkedYAMLError as error:
            from plait.language.yaml_errors import explain

            self._add(*explain(error, self.lines))
        except yaml.YAMLError:
            self._add(FILE_START, "yaml-syntax", "the text cannot be read as YAML", "save it as YAML 1.2")
        except _Stop:
            pass
        if not self.problems and root is None:
            self._add(FILE_START, "empty-file", "the file is empty", "a pipeline begins with `plait: 1`")
        elif not self.problems and not isinstance(root, dict):
            help = "write `name: value`, with a space after the colon"
            span = self.value_spans.get((), FILE_START)
            self._add(span, "not-a-mapping", f"expected a mapping, got {kind_of(root)}", help)
        return root

    def _document(self) -> Any:
        documents, root = 0, None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            if documents > 1:
                message, help = "a second document begins here", "keep one pipeline in one file"
                self._add(self._span(event), "yaml-multiple-documents", message, help)
                raise _Stop
            if isinstance(event, yaml.NodeEvent):
                root, _ = self._node(event, (), 0)
        return root

    def _node(self, event: Any, path: KeyPath | None, depth: int) -> tuple[Any, Span]:
        """The value of a node that begins with an event, and its span; one without a path has no place of its own."""
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            help = "put one pipeline into one file" if self.nodes > MAX_NODES else "nest less"
            self._add(self._span(event), "too-large", f"the file has more than {limit}", help)
            raise _Stop
        self._refuse_anchor_and_tag(event)
        start = _point(event.start_mark)
        value: Any = None
        if isinstance(event, yaml.MappingStartEvent):
            value, end = self._mapping(path, depth, bool(event.flow_style))
        elif isinstance(event, yaml.SequenceStartEvent):
            value, end = self._list(path, depth, bool(event.flow_style))
        else:
            span = self._span(event)
            start, end = (span.line, span.column), (span.end_line, span.end_column)
            if isinstance(event, yaml.ScalarEvent):
                value = scalar(event.value) if _is_plain(event) else event.value
            if start != end:
                self.content_end = end
        span = Span(*start, *max(start, end))
        if path is not None and start != end:
            self.value_spans[path] = span
        return value, span

    def _list(self, path: KeyPath | None, depth: int, is_flow: bool) -> tuple[list[Any], Point]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            value, span = self._node(event, None if path is None else (*path, len(values)), depth + 1)
            self._check_number(event, value, span)
            values.append(value)
        return values, self._end(event, is_flow)

    def _mapping(self, path: KeyPath | None, depth: int, is_flow: bool) -> tuple[dict[str, Any], Point]:
        values: dict[str, Any] = {}
        first_spans: dict[str, Span] = {}
        twice: str | None = None
        is_cut = False
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, key_span = self._node(event, None, depth + 1)
            is_usable = self._is_key(event, key, key_span)
            if is_usable and key in first_spans:
                self._add_duplicate(key, key_span, first_spans[key]) if twice is None else None
                twice, is_usable = key, False
            key_path = (*path, key) if is_usable and path is not None else None
            if is_usable:
                first_spans[key] = key_span
            if key_path:
                self.key_spans[key_path] = key_span
            event = next(self.events)
            value, span = self._node(event, key_path, depth + 1)
            self._check_number(event, value, span)
            if is_flow and isinstance(key, str) and not is_cut:
                is_cut = self._is_cut_at_comma(key, value, span)
                self._check_space(key, key_span, span)
            if is_usable:
                values[key] = value
        return values, self._end(event, is_flow)

    def _end(self, event: Any, is_flow: bool) -> Point:
        """Where a collection ends: at its bracket, else with the last of its content."""
        if is_flow:
            self.content_end = _point(event.end_mark)
        return self.content_end

    def _is_key(self, event: Any, key: Any, span: Span) -> bool:
        if isinstance(event, yaml.AliasEvent):
            return False
        if key == "<<" and _is_plain(event):
            self._add(span, "yaml-merge-key", "merge keys (`<<`) are not read here", "write the keys out")
            return False
        if not isinstance(key, str):
            self._add(
                span, "yaml-key", f"a key must be text, this is {kind_of(key)}", "put the key in quotes"
            )
            return False
        return True

    def _add_duplicate(self, key: str, span: Span, first: Span) -> None:
        """Report the first key of a mapping that is given again."""
        help = "write the name of another source above it, or keep one" if key == "connector" else "keep one"
        note = f"first given at line {first.line}"
        self._add(span, "duplicate-key", f"{excerpt(key)} is given twice", help, note)

    def _check_number(self, event: Any, value: Any, span: Span) -> None:
        is_number = (
            isinstance(event, yaml.ScalarEvent) and _is_plain(event) and isinstance(value, (int, float))
        )
        if is_number and (problem := number_problem(event.value, value)):
            self._add(span, *problem)

    def _check_space(self, key: str, key_span: Span, span: Span) -> None:
        """Report `name:value` in `{…}`, which is a key without a value."""
        is_empty = (span.line, span.column) == (span.end_line, span.end_column)
        if is_empty and (match := _KEY_WITH_VALUE.fullmatch(key)):
            name, text = match.groups()
            message = f"a space is missing after {excerpt(name + ':')}"
            self._add(key_span, "yaml-syntax", message, f"write `{name}: {text[:40]}`")

    def _is_cut_at_comma(self, key: str, value: Any, span: Span) -> bool:
        """Report a text in `{…}` such as `decimal(12,2)`, which ends at its comma."""
        text = value if isinstance(value, str) else ""
        is_open = text.count("(") > text.count(")") or text.count("<") > text.count(">")
        line = self.lines.line(span.line)[span.column - 1 :]
        match = _BRACKETED.match(line) if is_open and line.startswith(text) else None
        if match is None or ": " in match[0]:
            return False
        message = f"the comma ends the value of {excerpt(key)}, as it stands in `{{…}}`"
        self._add(span, "unquoted-comma", message, f'put it in quotes: `"{match[0][:40]}"`')
        return True

    def _refuse_anchor_and_tag(self, event: Any) -> None:
        """Report an anchor with the line of its first use, an alias without one, and a tag."""
        span = self._span(event)
        if isinstance(event, yaml.AliasEvent):
            if (index := self.anchors.get(str(event.anchor))) is None:
                message = f"{excerpt(f'*{event.anchor}')} is an alias, which is not read here"
                self._add(span, "yaml-alias", message, "put the text in quotes")
            elif not self.problems[index].note:
                self.problems[index] = replace(self.problems[index], note=f"used at line {span.line}")
            return
        if event.anchor is not None:
            self.anchors[event.anchor] = len(self.problems)
            message = f"the anchor {excerpt('&' + event.anchor)} is not read here"
            self._add(span, "yaml-alias", message, "write the value out wherever it is used")
        if event.tag is not None:
            tag = excerpt(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._add(
                span, "yaml-tag", f"the tag {tag} is not read here", "remove it, or put the text in quotes"
            )

    def _span(self, event: Any) -> Span:
        start, end = _point(event.start_mark), _point(event.end_mark)
        return Span(*start, *end) if end[0] < len(self.lines.lines) else self.lines.span(start, end)

    def _add(self, span: Span, code: str, message: str, help: str, note: str | None = None) -> None:
        self.problems.append(
            Problem(code=code, message=message, file=self.file, span=span, help=help, note=note)
        )


def _is_plain(event: Any) -> bool:
    return not event.style and event.tag != "tag:yaml.org,2002:str"


def _point(mark: Any) -> Point:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
