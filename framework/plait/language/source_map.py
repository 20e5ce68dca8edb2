"""YAML 1.2 core read into plain values that know where they stand in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from plait.language.characters import read_text
from plait.language.positions import BREAK, START, KeyPath, SourceMap
from plait.language.scalars import LEADING_ZERO, is_too_large, scalar
from plait.language.wording import kind_of
from plait.problems.problem import Problem, Span, excerpt, place

__all__ = ["KeyPath", "SourceMap", "locate"]

_LONGEST_TEXT = 400
MAX_NODES, MAX_DEPTH = 10_000, 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTE = "put it in quotes if it is text"
_CLOSED = re.compile(r"([A-Za-z_]\w*):(\S+)")


def locate(text: str | bytes, file: str) -> tuple[SourceMap | None, list[Problem]]:
    """Read one YAML document; None where nothing can be said about its content."""
    decoded, problems = read_text(text, file)
    if decoded is None:
        return None, problems
    reader = _Reader(decoded, file)
    reader.read()
    if not reader.refused and not isinstance(reader.root, dict):
        reader.not_a_mapping()
    problems = sorted(reader.problems, key=place)
    if reader.refused:
        return None, problems
    told = frozenset(problem.span for problem in problems if problem.span)
    lost = frozenset(reader.lost)
    dark = tuple(reader.dark)
    mixed = frozenset(reader.mixed)
    return SourceMap(
        file, decoded, reader.root, reader.keys, reader.values, told, lost, dark, mixed
    ), problems


@dataclass
class _Frame:
    """A mapping or list that is being read; without a path it is read only for its problems."""

    value: Any
    path: KeyPath | None
    start: tuple[int, int]
    flow: bool
    tagged: bool = False
    waiting: bool = True
    key: str | None = None
    seen: dict[str, Span] = field(default_factory=dict)
    until: tuple[int, int] = (0, 0)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.waiting

    @property
    def slot(self) -> KeyPath | None:
        if self.path is None:
            return None
        step = self.key if isinstance(self.value, dict) else len(self.value)
        return None if step is None else (*self.path, step)


class _Reader:
    """Builds values and spans from YAML's events, which needs no recursion however deep they nest."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = BREAK.split(text)
        self.root: Any = None
        self.refused = self.stopped = False
        self.documents = self.nodes = 0
        self.end = (1, 1)
        self.frames: list[_Frame] = []
        self.keys: dict[KeyPath, Span] = {}
        self.values: dict[KeyPath, Span] = {}
        self.problems: list[Problem] = []
        self.anchors: dict[str, int] = {}
        self.lost: set[str] = set()
        self.dark: list[Span] = []
        self.mixed: set[KeyPath] = set()

    def read(self) -> None:
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                self._event(event)
                if self.stopped or self.documents > 1:
                    return
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError:
            self._refuse(START, "yaml-syntax", "the text cannot be read as YAML")

    def not_a_mapping(self) -> None:
        if self.root is None:
            message, cure = "the file is empty", "a pipeline begins with `plait: 1`"
            self._refuse(START, "empty-file", message, cure)
        else:
            message = f"expected a mapping, got {kind_of(self.root)}"
            cure = "write `name: value`, with a space after the colon"
            self._refuse(self.values.get((), START), "not-a-mapping", message, cure)

    def _event(self, event: Any) -> None:
        if isinstance(event, yaml.NodeEvent) and self._is_too_much(event):
            return
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._decorations(event)
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            start, flow = _point(event.start_mark), bool(event.flow_style)
            self.frames.append(_Frame(value, self._slot(), start, flow, event.tag is not None))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)

    def _is_too_much(self, event: Any) -> bool:
        self.nodes += 1
        if self.nodes <= MAX_NODES and len(self.frames) <= MAX_DEPTH:
            return False
        most = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
        cure = "put one pipeline into one file" if self.nodes > MAX_NODES else "nest less"
        self._refuse(self._span(event), "too-large", f"the file has more than {most}", cure)
        self.stopped = True
        return True

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            message, cure = "a second document begins here", "keep one pipeline in one file"
            self._add(self._span(event), "yaml-multiple-documents", message, cure)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        if (number := self.anchors.get(event.anchor)) is None:
            message = f"{excerpt('*' + event.anchor)} is an alias, which is not read here"
            self._refuse(span, "yaml-alias", message, "put the text in quotes")
        else:
            problem = self.problems[number]
            note = f"{problem.note}, {span.line}" if problem.note else f"used at line {span.line}"
            known = len(note) > 60 or (problem.note or "").endswith(f" {span.line}")
            self.problems[number] = problem if known else replace(problem, note=note)
            self.refused = True
        self.end = _point(event.end_mark)
        self._done(None, span)

    def _slot(self) -> KeyPath | None:
        return self.frames[-1].slot if self.frames else ()

    def _close(self, event: Any) -> None:
        frame = self.frames.pop()
        if frame.flow:
            self.end = _point(event.end_mark)
        span = Span(*frame.start, *max(frame.start, self.end))
        self.dark += [span] if frame.tagged else []
        self._done(frame.value, span)

    def _scalar(self, event: Any) -> None:
        self._decorations(event)
        span, text = self._span(event), event.value
        plain = not event.style and event.tag != "tag:yaml.org,2002:str"
        wants_key = bool(self.frames) and self.frames[-1].wants_key
        if plain and wants_key and text == "<<":
            message, cure = "merge keys (`<<`) are not read here", "write the keys out"
            self._refuse(span, "yaml-merge-key", message, cure)
        value = scalar(text) if plain and text != "<<" else text
        if plain and not wants_key:
            self._number(span, text, value)
            value = self._comma(span, text) if isinstance(value, str) else value
        if not _empty(span):
            self.end = span.end_line, span.end_column
        self._done(value, span)

    def _number(self, span: Span, text: str, value: Any) -> None:
        if isinstance(value, int) and LEADING_ZERO.match(text):
            message = f"{excerpt(text)} is the number {excerpt(str(value))}"
            self._add(span, "ambiguous-number", message, f"{_QUOTE}, else leave out the zeros")
        if is_too_large(text, value):
            self._add(span, "number-too-large", f"{excerpt(text)} is too large for a number", _QUOTE)

    def _comma(self, span: Span, text: str) -> str:
        """The whole of a text such as `decimal(12,2)` within `{…}`, where the comma cut it."""
        frame = self.frames[-1] if self.frames else None
        if not frame or not frame.flow or frame.key is None or not _unclosed(text):
            return text
        rest = self._line(span.line)[span.column - 1 :][:_LONGEST_TEXT]
        whole = next((rest[:n] for n in range(len(text), len(rest) + 1) if not _unclosed(rest[:n])), text)
        if whole == text or ": " in whole:
            return text
        frame.until = span.line, span.column + len(whole)
        message = f"the comma ends the value of {excerpt(frame.key)}, as it stands in `{{…}}`"
        self._add(span, "unquoted-comma", message, f'put it in quotes: `"{whole[:40]}"`')
        return whole

    def _decorations(self, event: Any) -> None:
        cure = "remove it, or put the text in quotes"
        if event.anchor is not None:
            message = f"the anchor {excerpt('&' + event.anchor)} is not read here"
            self.anchors[event.anchor] = len(self.problems)
            cure = "write the value out wherever it is used"
            self._add(self._span(event), "yaml-alias", message, cure)
        if event.tag is not None:
            tag = excerpt(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._add(self._span(event), "yaml-tag", f"the tag {tag} is not read here", cure)

    def _done(self, value: Any, span: Span) -> None:
        slot = self._slot()
        if slot is not None and not _empty(span):
            self.values[slot] = span
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.waiting:
            frame.waiting, frame.key = False, self._key(frame, value, span)
        else:
            if frame.key is not None:
                self._put(frame, frame.key, value, span)
            frame.waiting, frame.key = True, None

    def _put(self, frame: _Frame, key: str, value: Any, span: Span) -> None:
        tight = _CLOSED.fullmatch(key) if frame.flow and value is None and _empty(span) else None
        if tight is None:
            frame.value[key] = value
            return
        frame.value[tight[1]] = scalar(tight[2])
        if frame.path is not None:
            at = self.keys.pop((*frame.path, key))
            self.keys[(*frame.path, tight[1])] = self.values[(*frame.path, tight[1])] = at
            message = f"a space is missing after {excerpt(tight[1] + ':')}"
            self._add(at, "yaml-syntax", message, f"write `{tight[1]}: {tight[2][:40]}`")

    def _key(self, frame: _Frame, value: Any, span: Span) -> str | None:
        """The key, or None where its value is read only for problems."""
        if (span.line, span.column) < frame.until:
            return None
        if not isinstance(value, str):
            message = f"a key must be text, this is {kind_of(value)}"
            self._add(span, "yaml-key", message, "put the key in quotes")
            return None
        if first := frame.seen.get(value):
            self._twice(frame, value, span, first)
            self.lost.add(value)
            return None
        frame.seen[value] = span
        if frame.path is None:
            self.lost.add(value)
        else:
            self.keys[(*frame.path, value)] = span
        return value

    def _twice(self, frame: _Frame, key: str, span: Span, first: Span) -> None:
        """A key given again; where a whole block is, one problem says so, as a line between the two is missing."""
        if frame.path is not None and (key == "connector" or frame.path in self.mixed):
            if frame.path in self.mixed:
                return
            self.mixed.add(frame.path)
            cure = "write the name of another source above it, or keep one"
        else:
            cure = "keep one"
        note = f"first given at line {first.line}"
        self._add(span, "duplicate-key", f"{excerpt(key)} is given twice", cure, note)

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        """The parser's complaint in our words, at the place to mend."""
        from plait.language.yaml_errors import explain, parser_error_places

        found = explain(*parser_error_places(error), self.lines)
        span = self._inside(found.line, found.column, found.line, found.column + found.width)
        self._refuse(span, found.code, found.message, found.help)

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        if end.line + 1 < len(self.lines):
            return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        return self._inside(*_point(start), *_point(end))

    def _inside(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """The nearest span that lies in the text, as an error may be told of the line after it."""
        line, end_line = min(line, len(self.lines)), min(end_line, len(self.lines))
        column = min(column, len(self._line(line)) + 1)
        return Span(line, column, end_line, min(end_column, len(self._line(end_line)) + 1))

    def _add(self, span: Span, code: str, message: str, cure: str | None, note: str | None = None) -> None:
        found = Problem(code=code, message=message, file=self.file, span=span, help=cure, note=note)
        self.problems.append(found)

    def _refuse(self, span: Span, code: str, message: str, cure: str | None = None) -> None:
        self.refused = True
        self._add(span, code, message, cure)


def _point(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _empty(span: Span) -> bool:
    return (span.line, span.column) == (span.end_line, span.end_column)


def _unclosed(text: str) -> bool:
    return text.count("(") > text.count(")") or text.count("<") > text.count(">")
