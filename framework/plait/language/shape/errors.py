"""What `jsonschema` finds in one value, in our words: its code, message, help and place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from plait.language.finding import Finding
from plait.language.schema import FORMS
from plait.language.wording import correction, flow_style, kind_of
from plait.plugin.registry import ConnectorUnavailable, offers
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for, nearest
from plait.values.decode import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

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


class SchemaError(Protocol):
    """What is taken of an error of `jsonschema`."""

    validator: str
    validator_value: Any
    instance: Any
    schema: dict[str, Any]
    message: str
    cause: Any
    context: list[SchemaError]
    absolute_path: Iterable[str | int]
    relative_schema_path: Sequence[str | int]


def explain(error: SchemaError) -> Iterator[Finding]:
    """The problems of one error, except those of unknown and missing keys, which are told together."""
    path = tuple(error.absolute_path)
    if "propertyNames" in error.relative_schema_path:
        yield _bad_key(error, (*path, error.instance))
    elif error.schema.get("code") == "unknown-version" and error.instance is not None:
        message = f"{excerpt(str(error.instance))} is no version of the language"
        yield Finding(path, message, f"write `plait: {error.schema['enum'][0]}`", code="unknown-version")
    elif error.validator in _BY_KEYWORD:
        yield from _BY_KEYWORD[error.validator](error, path)
    else:
        message = f"{excerpt(error.instance)} does not fit"
        yield Finding(path, message, help_of_key(path, error.schema), code="wrong-value")


def help_of_key(path: KeyPath, schema: Any) -> str:
    """What to write for a key: what its author says about it, and an example."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    examples = schema.get("examples") or [schema[word] for word in ("default",) if word in schema]
    example = f"`{key}: {flow_style(examples[0])}`" if examples else ""
    text = schema.get("description") or schema.get("patternErrorMessage")
    text = None if text and text.endswith(".") else text  # the docstring of a struct
    if text and example:
        return f"{text}, as in {example}"
    keys = [f"`{word}`" for word in schema.get("properties", ())]
    return text or (
        f"write {example}"
        if example
        else f"its keys are {', '.join(keys)}"
        if keys
        else "write another value"
    )


def _wrong_kind(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    schema, value = error.schema, error.instance
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    form = FORMS.get(schema.get("format", ""))
    noun = getattr(form, "noun", "text")
    kinds = " or ".join(dict.fromkeys(noun if kind == "string" else _KINDS[kind] for kind in types))
    spelt = getattr(form, "spelt", None)
    help = (spelt and spelt(value)) or _wrapped(value, path, schema) or correction(kinds, value)
    message = f"expected {kinds}, got {kind_of(value)}"
    yield Finding(path, message, help or help_of_key(path, schema), code="wrong-kind")


def _wrapped(value: Any, path: KeyPath, schema: Any) -> str | None:
    """How to write a value that stands where a mapping is wanted which has a key for it."""
    key = next((key for key in ("on", "default") if key in schema.get("properties", {})), None)
    if key is None or value is None or isinstance(value, dict):
        return None
    return f"write `{str(path[-1])[:40]}: {{{key}: {flow_style(value)[:40]}}}`"


def _wrong_word(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    words, value, key = error.validator_value, error.instance, path[-1]
    if key == "connector" and len(path) < 4:
        yield from _wrong_connector(str(value), path)
    elif isinstance(value, str):
        yield _no_word(value, words, path)


def _no_word(value: str, words: list[str], path: KeyPath) -> Finding:
    message = f"{excerpt(value)} is no word for `{path[-1]}`"
    if isinstance(path[-1], int):
        message = f"no decode step is called {excerpt(value)}"
    return Finding(path, message, help_for(value, words, "word", None), code="wrong-word")


def _wrong_connector(word: str, path: KeyPath) -> Iterator[Finding]:
    """Why a word is none of the connectors that may stand in this place."""
    from plait.language.build import usable_connector

    capable = "`plait connectors` shows which can"
    try:
        usable_connector(word)
    except ConnectorUnavailable as error:
        words = sorted({offer.word for offer in offers()})
        help = "`plait connectors` tells more"
        if error.code == "unknown-connector":
            help = help_for(word, words, "connector", "`plait connectors`")
        elif error.code == "ambiguous-connector":
            help = "uninstall one of them"
        yield Finding(path, error.message, help, code=error.code, note=error.note)
        return
    if path[0] == "sink":
        yield Finding(path, f"`{word}` cannot write", capable, code="not-a-sink")
    else:
        yield Finding(path, f"`{word}` cannot be read from", capable, code="not-a-driver")


def _wrong_form(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    """A text that the type of its key cannot parse."""
    problem = unreadable_text(error.cause, path)
    yield problem if problem.help else replace(problem, help=help_of_key(path, error.schema))


def unreadable_text(error: Any, path: KeyPath) -> Finding:
    """The problem of a text that does not parse; the help is empty if the error does not let it be known."""
    if not isinstance(error, SpecValueError):
        return Finding(path, str(error), getattr(error, "help", None) or "", code="wrong-value")
    meant = nearest(error.part or "", error.words)
    help = f"did you mean `{meant}`?" if meant else error.help or ""
    return Finding((*path, *error.path), str(error), help, code=error.code, part=error.part, note=error.note)


def _wrong_text(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    """A text that does not match the pattern of its key."""
    schema, value, code = error.schema, error.instance, error.schema.get("code", "bad-name")
    if code in ("wrong-word", "unknown-step"):
        problem = _no_word(value, schema["examples"], path)
        is_open = str(problem.help).startswith("one of") and schema.get("description")
        help = schema["description"] if is_open else problem.help
        code = "wrong-step" if value in STEPS else code
        yield Finding(path, problem.message, help, code=code)
        return
    expected = schema.get("patternErrorMessage") or schema.get("description", "another text")
    message = f"{excerpt(value)} does not fit: expected {expected}"
    candidate = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    likely = path == ("name",) and re.match(error.validator_value, candidate)
    help = f"did you mean {excerpt(candidate)}?" if likely else help_of_key(path, schema)
    yield Finding(path, message if value else "the text is empty", help, code=code)


def _bad_key(error: SchemaError, path: KeyPath) -> Finding:
    """A name that the author of a spec chose, and that is none."""
    name = str(path[-1])
    if error.validator == "maxLength":
        message = f"a name has at most {error.validator_value} characters"
        return Finding(path, message, "shorten it", code="bad-name", at="key")
    likely = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    is_name = re.match(error.schema["pattern"], likely)
    help = f"did you mean `{likely[:40]}`?" if is_name else "begin with a letter or `_`"
    return Finding(
        path, f"{excerpt(name)} is no {error.schema['patternErrorMessage']}", help, code="bad-name", at="key"
    )


def _choice(error: SchemaError, _path: KeyPath) -> Iterator[Finding]:
    """A value that is neither what its key takes nor a parameter: the first choice says why."""
    for choice in error.context or ():
        if choice.relative_schema_path[0] == 0:
            code = error.schema.get("code")
            yield from (replace(problem, code=code or problem.code) for problem in explain(choice))


def _out_of_bounds(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    limit, least = error.validator_value, error.validator in _LEAST
    number = f"at {'least' if least else 'most'} {limit}"
    nouns = {"Items": "entries", "Properties": "keys", "Length": "characters"}
    noun = next((noun for ending, noun in nouns.items() if error.validator.endswith(ending)), "")
    kind = "" if noun else f"{_KINDS.get(str(error.schema.get('type')), 'a number')} of "
    message = f"{excerpt(error.instance)} does not fit: expected {kind}{number}{' ' + noun if noun else ''}"
    if not error.instance and isinstance(error.instance, (str, list, dict)):
        message = {str: "the text is empty", list: "the list is empty", dict: "the mapping is empty"}[
            type(error.instance)
        ]
    code = error.schema.get("code", "wrong-value")
    yield Finding(path, message, help_of_key(path, error.schema), code=code)


def _wrong_number_of_keys(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    if error.schema.get("code") != "wrong-step":
        yield from _out_of_bounds(error, path)
        return
    number = len(error.instance)
    help = (
        "write each step as an entry of its own"
        if number
        else "write a word such as `base64`, or `{epoch: s}`"
    )
    yield Finding(path, f"a step is one word, and here are {number or 'none'}", help, code="wrong-step")


def _repeated(error: SchemaError, path: KeyPath) -> Iterator[Finding]:
    values = error.instance
    number = next(number for number, value in enumerate(values) if value in values[:number])
    message = f"{excerpt(values[number])} is listed twice"
    yield Finding((*path, number), message, "keep one", code="repeated-key")


_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_BY_KEYWORD: dict[Any, Callable[[SchemaError, KeyPath], Iterator[Finding]]] = {
    "type": _wrong_kind,
    "enum": _wrong_word,
    "format": _wrong_form,
    "pattern": _wrong_text,
    "anyOf": _choice,
    "uniqueItems": _repeated,
    "minProperties": _wrong_number_of_keys,
    "maxProperties": _wrong_number_of_keys,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _out_of_bounds),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _out_of_bounds),
}
