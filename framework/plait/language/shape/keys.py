"""The unknown, missing and misplaced keys of a document: what was meant, and where a key belongs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plait.language.build import usable_connector
from plait.language.finding import Finding
from plait.language.secrets import credential_key
from plait.language.shape.errors import help_of_key, rows_with
from plait.plugin.registry import ConnectorUnavailable, offers
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of
from plait.values.decode import STEPS
from plait.values.types import parse

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from plait.language.shape.errors import SchemaError
    from plait.language.source_map import KeyPath


def problems_of_keys(
    path: KeyPath, errors: Sequence[SchemaError], told: Collection[str]
) -> Iterator[Finding]:
    """The problems of a mapping's unknown and missing keys; a missing one that was likely misspelt is told once.

    `told` are keys whose absence is told already, by where they stand.
    """
    value, code = errors[0].instance, next((e.schema["code"] for e in errors if "code" in e.schema), "")
    properties = [pair for error in errors for pair in error.schema["properties"].items()]
    known = {word: schema if isinstance(schema, dict) else {} for word, schema in properties}
    is_closed = any(error.validator == "additionalProperties" for error in errors)
    unknown = [key for key in value if key not in known] if is_closed else []
    needed = (word for error in errors if error.validator == "required" for word in error.validator_value)
    missing = dict.fromkeys(word for word in needed if word not in value and word not in told)
    if "connector" in missing:
        unknown = [key for key in value if key not in known and _means_connector(key, value[key])][:1]
    unused = [word for word in known if word not in value and "not" not in known[word]]
    for key in unknown:
        if credential := credential_key((*path, key)):
            yield credential
        elif code == "wrong-step":
            yield _unknown_step((*path, key))
        else:
            meant, help = _meant(key, value[key], unused, missing)
            missing.pop(meant or "", None)
            yield Finding((*path, key), f"unknown key {excerpt(key)}", help, code="unknown-key", at="key")
    for word in missing:
        yield _missing_key(path, word, value.get("connector"), help_of_key((word,), known[word]))


def _missing_key(path: KeyPath, word: str, connector: Any, help: str) -> Finding:
    if word == "join":
        message = f"`{connector}` cannot drive, and the source has no `join`"
        return Finding(
            (*path, "connector"),
            message,
            "add `join: {on: …}` with a column of the driving source",
            code="not-a-driver",
        )
    return Finding(path, f"`{word}` is missing", help, code="missing-key", at="key")


def _unknown_step(path: KeyPath) -> Finding:
    word = str(path[-1])
    if word in STEPS:
        return Finding(path, f"`{word}` takes nothing", f"write `{word}` alone", code="wrong-step", at="key")
    help = help_for(word, STEPS, "step", None)
    return Finding(path, f"{excerpt(word)} is no decode step", help, code="unknown-step", at="key")


def _means_connector(key: str, value: Any) -> bool:
    is_word = isinstance(value, str) and any(offer.word == value for offer in offers())
    return is_word or edited_once(key, "connector") or "connector" in rows_with(key, "synonyms")


def _meant(key: str, value: Any, unused: list[str], missing: Collection[str]) -> tuple[str | None, str]:
    """The key that was likely meant by an unknown one, if there is one, and what to do."""
    near = nearest(key, unused, list(missing))
    pairs = (pair for pair in rows_with(f"{key}: {value}", "pairs") if pair.partition(":")[0] in unused)
    if pair := next(pairs, None):
        return None, f"did you mean `{pair}`?"
    if near is None or not edited_once(key, near):
        near = next((word for word in rows_with(key, "synonyms") if word in unused), near)
        if help := _place_of(key, value):
            return None, help
    if "connector" in (near, *missing):
        word = nearest(str(value), {offer.word for offer in offers()}) or "json"
        return "connector", f"did you mean `connector: {word}`?"
    if near:
        return near, f"did you mean `{near}`?"
    return None, "remove it" + (f", or write {one_of(unused).removeprefix('write ')}" if unused else "")


def _place_of(key: str, value: Any) -> str | None:
    """Where a key belongs that stands in the wrong place; None if the key is not known at all."""
    if isinstance(value, dict) and "connector" in value:
        return "if it is a source, indent it like the sources"
    if place := next(rows_with(key, "places"), None):
        return f"it belongs in {place}"
    if _is_column(value):
        return "if it is a column, indent it below `columns`"
    return next(rows_with(key, "removed"), None)


def _is_column(value: Any) -> bool:
    """Whether a value is a type, or a mapping with one."""
    word = value.get("type") if isinstance(value, dict) else value
    try:
        return isinstance(word, str) and bool(parse(word))
    except SpecValueError:
        return False


def misplaced_blocks(document: Mapping[str, Any]) -> Iterator[tuple[Finding, KeyPath]]:
    """The problems of blocks that stand a line or an indentation beside their place.

    Each comes with the path of the block in which its place hides what else is wrong.
    """
    blocks = (document.get("sources"), document.get("parameters"), document.get("sink"))
    sources, parameters, sink = (block if isinstance(block, dict) else {} for block in blocks)
    with suppress(ConnectorUnavailable):
        for key in usable_connector(str(sink.get("connector"))).options.__struct_encode_fields__:
            if key in document and key not in sink:
                message = f"unknown key {excerpt(key)}"
                yield Finding((key,), message, "indent it below `sink`", code="unknown-key", at="key"), (key,)
    for name, block in parameters.items():
        if isinstance(block, dict) and "connector" in block:
            what = "is a source, and stands among the parameters"
            yield _misplaced(("parameters", name), what, "write `sources:` above it"), ("parameters",)
            break
    if isinstance(sources.get("connector"), str):
        what = "stands right below `sources`, without the name of a source"
        help = "write a name such as `orders:` above it"
        yield _misplaced(("sources", "connector"), what, help), ("sources",)
        return
    above = None
    for name, block in sources.items():
        path, keys = ("sources", name), block if isinstance(block, dict) else {}
        if above and name in ("join", "columns", "decode", "window") and "connector" not in keys:
            yield _misplaced(path, "is indented as a source", f"indent it below {excerpt(above)}"), path
            continue
        above, decode = name, keys.get("decode")
        fields = decode if isinstance(decode, dict) and "columns" not in keys else {}
        if field := next((field for field, steps in fields.items() if _is_column(steps)), None):
            what, place = "is a column, and stands among the decode steps", (*path, "decode")
            yield _misplaced((*place, field), what, "write `columns:` above it"), place


def _misplaced(path: KeyPath, what: str, help: str) -> Finding:
    return Finding(path, f"{excerpt(str(path[-1]))} {what}", help, code="misplaced-block", at="key")
