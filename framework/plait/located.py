"""YAML 1.2 core read into plain values that know where they stand in the text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml

from plait.problems import Problem, Span, excerpt, place

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]

MAX_BYTES, MAX_NODES, MAX_DEPTH = 1 << 20, 10_000, 50
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_START = Span(1, 1, 1, 1)
_BREAK = re.compile(r"\r\n|\r|\n")
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"0o": 8, "0x": 16}
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_WORDS |= dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf)
_WORDS |= dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf)
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
_QUOTE = "put it in quotes if it is text"
_TIGHT = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*:)[^\s:/]")
# What PyYAML says, whether the cure is where the construct began, our code, words and cure.
_SYNTAX = (
    (r"quoted scalar.*unexpected (end|document)", True, "yaml-syntax",
     "the quote {c} is never closed", "end the text with {c}"),
    (r"flow (sequence|mapping).*expected ','", True, "yaml-syntax",
     "{c} is never closed, or a comma is missing", "add the closing bracket or the comma"),
    (r"simple key.*expected ':'", True, "yaml-syntax",
     "a key without a colon", "write `name: value`, with a space after the colon"),
    (r"mapping values", False, "yaml-syntax", "a colon where no key can stand",
     "put a value that contains `: ` in quotes, or align the key with those above"),
    (r"cannot start any token", False, "yaml-syntax",
     "{c} cannot begin a value", "put the text in quotes"),
    (r"unknown escape", False, "yaml-syntax",
     "double quotes do not know this `\\` sequence", "write `\\\\`, or use single quotes"),
    (r"block scalar", False, "yaml-syntax",
     "text on the line of `|` or `>`", "begin the text on the next line, indented by spaces"),
    (r"scanning an (anchor|alias)", True, "yaml-alias",
     "{c} begins an anchor or alias, which are not read here", "put the text in quotes"),
    (r"tag", True, "yaml-tag", "tags are not read here", "put the text in quotes"),
    (r"directive|incompatible", False, "yaml-syntax",
     "`%` lines are not read here", "remove the line"),
    (r"block collection", False, "yaml-syntax", "an item of the list does not begin with `- `",
     "align it with the items above, or with the keys"),
    (r"node content", False, "yaml-syntax", "a value is missing before {c}",
     "write the value, or put the text in quotes"),
    (r"block mapping|document start", False, "yaml-syntax", "this does not fit the lines above",
     "align the keys of a mapping; put text with quotes or brackets in quotes"),
)  # fmt: skip


@dataclass(frozen=True)
class Located:
    """A value as plain mappings, lists and scalars, with the spans of its keys and values."""

    file: str
    text: str
    value: Any
    keys: Mapping[Path, Span]
    values: Mapping[Path, Span]

    def key(self, path: Path) -> Span:
        """Where the key of `path` stands, else that of its nearest ancestor."""
        for length in range(len(path), 0, -1):
            if span := self.keys.get(path[:length]):
                return span
        return _START

    def at(self, path: Path) -> Span:
        """Where the value of `path` stands, else the nearest key."""
        return self.values.get(path) or self.key(path)


def locate(text: str | bytes, file: str) -> tuple[Located | None, list[Problem]]:
    """Read one YAML document; None where nothing can be said about its content."""
    decoded, problems = _decode(text, file)
    if decoded is None:
        return None, problems
    reader = _Reader(decoded, file)
    reader.read()
    if not reader.refused and not isinstance(reader.root, dict):
        reader.not_a_mapping()
    problems = sorted(reader.problems, key=place)
    if reader.refused:
        return None, problems
    return Located(file, decoded, reader.root, reader.keys, reader.values), problems


def _decode(text: str | bytes, file: str) -> tuple[str | None, list[Problem]]:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        return None, [_problem(file, _START, "too-large", "the file is larger than 1 MiB", None)]
    if isinstance(text, bytes):
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            span = _span_at(data[: error.start].decode().removeprefix("\ufeff"), 0)
            message = f"the byte `0x{data[error.start]:02x}` is not UTF-8"
            return None, [_problem(file, span, "not-utf8", message, "save the file as UTF-8")]
    text = text.removeprefix("\ufeff")
    unseen = [_unseen(text, match, file) for match in islice(_UNSEEN.finditer(text), 100)]
    return (None if unseen else text), unseen


def _unseen(text: str, match: re.Match[str], file: str) -> Problem:
    number = ord(match.group())
    code = "control-character" if number else "nul-character"
    message = f"the character U+{number:04X} cannot be seen and is not read"
    cure = f'remove it, or write "\\u{number:04x}" in double quotes'
    return _problem(file, _span_at(text[: match.start()], 1), code, message, cure)


def _span_at(before: str, length: int) -> Span:
    lines = _BREAK.split(before)
    column = len(lines[-1]) + 1
    return Span(len(lines), column, len(lines), column + length)


def _problem(file: str, span: Span, code: str, message: str, cure: str | None) -> Problem:
    return Problem(code=code, message=message, file=file, span=span, help=cure)


def scalar(text: str) -> Any:
    """What an unquoted scalar means in the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, _BASES.get(text[:2], 10)) if len(text) <= 400 else math.inf
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass
class _Frame:
    """A mapping or list that is being read; without a path it is read only for its problems."""

    value: Any
    path: Path | None
    start: tuple[int, int]
    flow: bool
    waiting: bool = True
    key: str | None = None
    seen: dict[str, Span] = field(default_factory=dict)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.waiting

    @property
    def slot(self) -> Path | None:
        step = self.key if isinstance(self.value, dict) else len(self.value)
        return None if self.path is None or step is None else (*self.path, step)


class _Reader:
    """Builds values and spans from YAML's events, which needs no recursion however deep they nest."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.lines = _BREAK.split(text)
        self.root: Any = None
        self.refused = False
        self.documents = self.nodes = 0
        self.end = (1, 1)
        self.frames: list[_Frame] = []
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        self.problems: list[Problem] = []

    def read(self) -> None:
        try:
            for event in yaml.parse(self.text, Loader=_LOADER):
                self._event(event)
                if self.refused or self.documents > 1:
                    return
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
        except yaml.YAMLError:
            self._refuse(_START, "yaml-syntax", "the text cannot be read as YAML")

    def not_a_mapping(self) -> None:
        if self.root is None:
            message, cure = "the file is empty", "a pipeline begins with `plait: 1`"
            self._refuse(_START, "empty-file", message, cure)
        else:
            message = f"expected a mapping, got {_kind(self.root)}"
            cure = "write `name: value`, with a space after the colon"
            self._refuse(self.values.get((), _START), "not-a-mapping", message, cure)

    def _event(self, event: Any) -> None:
        self.nodes += isinstance(event, yaml.NodeEvent)
        if self.nodes > MAX_NODES or len(self.frames) > MAX_DEPTH:
            most = f"{MAX_NODES:,} values" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            self._refuse(self._span(event), "too-large", f"the file has more than {most}")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(self._span(event), "yaml-alias", "aliases are not read here",
                         f"repeat the value, or write '*{event.anchor}' for the text")  # fmt: skip
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._decorations(event)
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            start, flow = _point(event.start_mark), bool(event.flow_style)
            self.frames.append(_Frame(value, self._slot(), start, flow))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            message, cure = "a second document begins here", "keep one pipeline in one file"
            self._add(self._span(event), "yaml-multiple-documents", message, cure)

    def _slot(self) -> Path | None:
        return self.frames[-1].slot if self.frames else ()

    def _close(self, event: Any) -> None:
        frame = self.frames.pop()
        if frame.flow:
            self.end = _point(event.end_mark)
        self._done(frame.value, Span(*frame.start, *max(frame.start, self.end)))

    def _scalar(self, event: Any) -> None:
        self._decorations(event)
        span, text = self._span(event), event.value
        plain = not event.style and event.tag != "tag:yaml.org,2002:str"
        wants_key = bool(self.frames) and self.frames[-1].wants_key
        if plain and wants_key and text == "<<":
            message, cure = "merge keys (`<<`) are not read here", "write the keys out"
            self._refuse(span, "yaml-merge-key", message, cure)
            return
        value = scalar(text) if plain else text
        if plain and not wants_key:
            self._number(span, text, value)
        if event.start_mark.index < event.end_mark.index:
            self.end = _point(event.end_mark)
        self._done(value, span)

    def _number(self, span: Span, text: str, value: Any) -> None:
        if isinstance(value, int) and _LEADING_ZERO.match(text):
            message = f"{excerpt(text)} is the number {excerpt(str(value))}"
            self._add(span, "ambiguous-number", message, f"{_QUOTE}, else leave out the zeros")
        if isinstance(value, float) and math.isinf(value) and text not in _WORDS:
            message = f"{excerpt(text)} is too large for a number"
            self._add(span, "number-too-large", message, _QUOTE)

    def _decorations(self, event: Any) -> None:
        cure = "remove it, or put the text in quotes"
        if event.anchor is not None:
            message = f"the anchor {excerpt('&' + event.anchor)} is not read here"
            self._add(self._span(event), "yaml-alias", message, cure)
        if event.tag is not None:
            tag = excerpt(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._add(self._span(event), "yaml-tag", f"the tag {tag} is not read here", cure)

    def _done(self, value: Any, span: Span) -> None:
        slot = self._slot()
        if slot is not None and (span.line, span.column) != (span.end_line, span.end_column):
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
                frame.value[frame.key] = value
            frame.waiting, frame.key = True, None

    def _key(self, frame: _Frame, value: Any, span: Span) -> str | None:
        """The key, or None where its value is read only for problems."""
        if not isinstance(value, str):
            message = f"a key must be text, this is {_kind(value)}"
            self._add(span, "yaml-key", message, "put the key in quotes")
            return None
        if first := frame.seen.get(value):
            note = f"first given at line {first.line}"
            self._add(span, "duplicate-key", f"{excerpt(value)} is given twice", "keep one", note)
            return None
        frame.seen[value] = span
        if frame.path is not None:
            self.keys[(*frame.path, value)] = span
        return value

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        """The parser's complaint in our words, at the place to mend."""
        said = f"{error.context}: {error.problem}"
        line, column = _point(error.problem_mark or error.context_mark)
        begun = _point(error.context_mark) if error.context_mark else (line, column)
        if ("simple key" in said or "mapping values" in said) and self._tight(begun[0]):
            return
        code, message, cure = "yaml-syntax", "this cannot be read as YAML", _QUOTE
        if self._line(line)[column - 1 : column] == "\t":
            message, cure = "a tab stands where YAML takes only spaces", "indent with spaces"
        else:
            for pattern, from_the_start, *words in _SYNTAX:
                if re.search(pattern, said):
                    code, message, cure = words
                    line, column = begun if from_the_start else (line, column)
                    break
        character = self._line(line)[column - 1 : column]
        shown = excerpt(character) if character else "the end of the line"
        span = self._inside(line, column, line, column + 1)
        self._refuse(span, code, message.format(c=shown), cure.format(c=shown))

    def _tight(self, line: int) -> bool:
        """Whether the mistake is a colon without a space, here or on the line above."""
        for number in (line, line - 1):
            if found := _TIGHT.match(self._line(number)):
                span = Span(number, found.start(1) + 1, number, found.end(1) + 1)
                message = f"a space is missing after {excerpt(found[1])}"
                self._refuse(span, "yaml-syntax", message, "write `name: value`")
                return True
        return False

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 1 <= number <= len(self.lines) else ""

    def _span(self, event: Any) -> Span:
        return self._inside(*_point(event.start_mark), *_point(event.end_mark))

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


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else f"`{str(value).lower()}`"
    return f"the {'text' if isinstance(value, str) else 'number'} {excerpt(str(value))}"
