"""What `jsonschema` finds in one value, in our words: its code, message, help and place."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from plait.language.build import usable_connector
from plait.language.finding import Finding
from plait.language.schema import FORMS
from plait.language.wording import correction, form_of, kind_of
from plait.language.yaml_writer import flow_yaml
from plait.plugin.registry import ConnectorUnavailable, offers
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.decode import STEPS
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.language.source_map import KeyPath

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}
_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "minProperties": "at least {} key",
    "maxProperties": "at most {} key",
}
_NOUNS = {"unknown-step": "decode step", "unknown-version": "version"}
_DEFAULT_HELPS = {
    "binary": "remove it: no default can be written for binary",
    "boolean": "write `true` or `false`",
    "date": "write it as `2026-07-01`",
    "string": "put it in quotes",
    "timestamp": "write it as `2026-07-01T13:00:00Z`",
}
_CONNECTOR_HELPS = {"ambiguous-connector": "uninstall one of them"}


@cache
def _tables() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("synonyms.toml").read_text("utf-8"))


def rows_with(word: str, table: str) -> Iterator[str]:
    """The entries of a table that list a word."""
    return (row for row, words in _tables()[table].items() if word.lower().replace("-", "_") in words)


class SchemaError(Protocol):
    """What is taken of an error of `jsonschema`."""

    validator: str
    validator_value: Any
    instance: Any
    schema: dict[str, Any]
    cause: Any
    context: list[SchemaError]
    absolute_path: Iterable[str | int]
    relative_schema_path: Sequence[str | int]


def explain(error: SchemaError, schema: Any = None) -> Iterator[Finding]:
    """The problem of an error, except those of unknown and missing keys, which are told together.

    `schema` is that of the key if the error is of a choice within it, of which the first says what is meant.
    """
    path, schema = tuple(error.absolute_path), schema or error.schema
    if error.validator == "anyOf":
        for choice in error.context:
            if choice.relative_schema_path[0] == 0:
                yield from explain(choice, schema)
        return
    is_key = "propertyNames" in error.relative_schema_path
    path = (*path, error.instance) if is_key else path
    finding = _BY_KEYWORD.get(error.validator, _does_not_fit)(error, path, schema)
    finding = finding if finding.help else replace(finding, help=help_of_key(path, schema))
    yield replace(finding, at="key") if is_key else finding


def help_of_key(path: KeyPath, schema: Any) -> str:
    """What to write for a key: what its author says about it, and an example."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    examples = schema.get("examples") or [schema[word] for word in ("default",) if word in schema]
    example = f"`{key}: {flow_yaml(examples[0])}`" if examples else ""
    text = schema.get("description") or schema.get("patternErrorMessage") or ""
    text = "" if text.endswith(".") else text  # the docstring of a struct
    if text and example:
        return f"{text}, as in {example}"
    keys = ", ".join(f"`{word}`" for word in schema.get("properties", ()))
    return text or (
        f"write {example}" if example else f"its keys are {keys}" if keys else "write another value"
    )


def unreadable_text(error: Any, path: KeyPath) -> Finding:
    """The problem of a text that does not parse; the help is empty if the error does not let it be known."""
    if not isinstance(error, SpecValueError):
        return Finding(path, str(error), "", code="wrong-value")
    part = error.part or ""
    meant = nearest(part, error.words)
    if meant and error.code == "unknown-zone" and not edited_once(part, meant):
        meant = None  # a zone that only looks alike has other hours
    help = f"did you mean `{meant}`?" if meant else error.help or ""
    return Finding((*path, *error.path), str(error), help, code=error.code, part=error.part, note=error.note)


def wrong_defaults(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The defaults of columns that are no values of the columns' types, in a document of the right shape."""
    for source, block in document["sources"].items():
        for name, column in block.get("columns", {}).items():
            default = column.get("default") if isinstance(column, dict) else None
            if default is None or "${" in f"{column['type']} {default}":
                continue
            kind = parse(column["type"])
            try:
                convert(default, kind.in_table())
            except ConversionError as error:
                got = str(error).partition(", got ")[2]
                message = f"the column is `{kind}`, and its default {got}" if got else f"the default {error}"
                help = _DEFAULT_HELPS.get(kind.word) or error.help
                path = ("sources", source, "columns", name, "default")
                yield Finding(
                    path, message, help or "write one, or leave it out for null", code="wrong-default"
                )


def _does_not_fit(error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    return Finding(path, f"{excerpt(error.instance)} does not fit", code=schema.get("code", "wrong-value"))


def _wrong_kind(error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    form = FORMS.get(schema.get("format", ""))
    kinds = " or ".join(
        getattr(form, "noun", "text") if kind == "string" else _KINDS[kind] for kind in dict.fromkeys(types)
    )
    spelt: Callable[[Any], str | None] | None = getattr(form, "spelt", None)
    help = form_of(path, error.instance) or (spelt and spelt(error.instance))
    help = help or correction(kinds, error.instance)
    is_word = "enum" in schema and error.instance is not None
    code = schema.get("code", "wrong-kind") if is_word else "wrong-kind"
    return Finding(path, f"expected {kinds}, got {kind_of(error.instance)}", help, code=code)


def _wrong_word(error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    """A word that is none of those that are listed; where other types fit too, the description names all forms."""
    word, key, code = str(error.instance), path[-1], schema.get("code", "wrong-word")
    if key == "connector" and len(path) < 4:
        return _wrong_connector(word, path)
    place = f" for `{key}`" if isinstance(key, str) else ""
    message = f"{excerpt(word)} is no {_NOUNS.get(code, 'word')}{place}"
    if code == "unknown-step" and word in STEPS:
        return Finding(path, f"`{word}` takes a value", code="wrong-step")
    words = [str(value) for value in error.validator_value]
    synonyms = (f"did you mean `{row}`?" for row in rows_with(word, "words") if row in words)
    help: str | None = next(synonyms, help_for(word, words, "word", None))
    if "type" not in schema and not str(help).startswith("did you mean"):
        help = None
    return Finding(path, message, help, code=code)


def _wrong_connector(word: str, path: KeyPath) -> Finding:
    """Why a word is none of the connectors that may stand in this place."""
    try:
        usable_connector(word)
    except ConnectorUnavailable as error:
        help = _CONNECTOR_HELPS.get(error.code, "`plait connectors` tells more")
        if error.code == "unknown-connector":
            help = help_for(word, {offer.word for offer in offers()}, "connector", "`plait connectors`")
        return Finding(path, error.message, help, code=error.code, note=error.note)
    code, verb = ("not-a-sink", "write") if path[0] == "sink" else ("not-a-driver", "be read from")
    return Finding(path, f"`{word}` cannot {verb}", "`plait connectors` shows which can", code=code)


def _wrong_text(error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    """A text that does not match the pattern of its key."""
    value, code = str(error.instance), schema.get("code", "bad-name")
    expected = schema.get("patternErrorMessage") or schema.get("description", "another text")
    message = f"{excerpt(value)} does not fit: expected {expected}" if value else "the text is empty"
    name = re.sub(r"\W+", "_", value, flags=re.ASCII).strip("_")
    names = [word for word in (name, name.lower()) if re.match(error.validator_value, word)]
    is_name = names and "code" in schema  # of other texts nobody knows how they would be mended
    return Finding(path, message, f"did you mean {excerpt(names[0])}?" if is_name else None, code=code)


def _out_of_bounds(error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    value, bound = error.instance, _BOUNDS[error.validator].format(error.validator_value)
    message = f"{excerpt(value)} does not fit: expected {bound}"
    if isinstance(value, (str, list, dict)):
        kind = {str: "text", list: "list", dict: "mapping"}[type(value)]
        message = f"the {kind} has the wrong length: expected {bound}" if value else f"the {kind} is empty"
    return Finding(path, message, code=schema.get("code", "wrong-value"))


def _repeated(error: SchemaError, path: KeyPath, _schema: Any) -> Finding:
    values = error.instance
    number = next(number for number, value in enumerate(values) if value in values[:number])
    message = f"{excerpt(values[number])} is listed twice"
    return Finding((*path, number), message, "keep one", code="repeated-key")


def _refused(_error: SchemaError, path: KeyPath, schema: Any) -> Finding:
    """A key that the connector of its block does not take."""
    return Finding(path, schema["description"], "remove it", code=schema["code"], at="key")


_BY_KEYWORD: dict[str, Callable[[SchemaError, KeyPath, Any], Finding]] = {
    "type": _wrong_kind,
    "enum": _wrong_word,
    "format": lambda error, path, _schema: unreadable_text(error.cause, path),
    "pattern": _wrong_text,
    "uniqueItems": _repeated,
    "not": _refused,
    **dict.fromkeys(_BOUNDS, _out_of_bounds),
}
