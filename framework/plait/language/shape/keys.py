"""The unknown and missing keys of a mapping, told together: a missing one is often an unknown one misspelt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.secrets_in_text import MOVE_KEY_HELP, is_credential_key
from plait.language.shape.errors import help_of_key
from plait.language.shape.hints import likely_key, synonym
from plait.plugin.registry import offers
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of
from plait.values.decode import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.shape.errors import SchemaError
    from plait.language.source_map import KeyPath


@dataclass(slots=True)
class Keys:
    """The keys of a mapping that are unknown and missing there, and all that the mapping takes."""

    value: dict[str, Any]
    unknown: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    code: str | None = None


def note_keys(error: SchemaError, keys: Keys) -> None:
    """Note the keys that an error calls unknown, or the one that it misses."""
    schema = error.schema
    if error.validator == "additionalProperties":
        keys.words = [*schema["properties"]]
        keys.unknown = [key for key in error.instance if key not in schema["properties"]]
        keys.code = schema.get("code")
        return
    keys.words = keys.words or [*schema["properties"]]
    word = next(word for word in error.validator_value if error.message.startswith(repr(word)))
    of_key = schema["properties"][word]
    keys.missing[word] = help_of_key((word,), of_key if isinstance(of_key, dict) else {})


def problems_of_keys(path: KeyPath, keys: Keys) -> Iterator[Finding]:
    """The problems of unknown and missing keys; a missing one that was likely misspelt is told once."""
    if "connector" in keys.missing:
        yield from _misspelt_connector(path, keys)
    unused = [word for word in keys.words if word not in keys.value]
    is_lone_pair = len(keys.unknown) == len(keys.missing) == 1
    for key in keys.unknown:
        if keys.code == "wrong-step":
            yield _unknown_step((*path, key))
            continue
        if is_credential_key(key):
            message = f"a spec holds no {excerpt(key)}"
            yield Finding((*path, key), message, MOVE_KEY_HELP, code="literal-secret", at="key")
            continue
        if (refused := _refused_common_key(path, key, keys.value)) is not None:
            yield refused
            continue
        meant, help = likely_key(key, keys.value[key], unused, keys.missing)
        if meant is None and is_lone_pair:
            meant, text = next(iter(keys.missing.items()))
            help = f"write `{meant}` in its place: {text}"
        keys.missing.pop(meant or "", None)
        help = help or "remove it" + (f", or write {one_of(unused)}" if unused else "")
        yield Finding((*path, key), f"unknown key {excerpt(key)}", help, code="unknown-key", at="key")
    for word, help in keys.missing.items():
        if word != "window" or path[:1] != (
            "sources",
        ):  # the check `missing-window` knows the row's timestamp
            yield _missing_key(path, word, help, keys.value)


def _missing_key(path: KeyPath, word: str, help: str, block: dict[str, Any]) -> Finding:
    connector = block.get("connector")
    if path[:1] == ("sources",) and len(path) == 2 and word == "join":
        message = f"`{connector}` cannot drive, and the source has no `join`"
        return Finding((*path, "connector"), message, "give the source a `join`", code="not-a-driver")
    return Finding(path, f"`{word}` is missing", help, code="missing-key", at="key")


def _refused_common_key(path: KeyPath, key: str, block: dict[str, Any]) -> Finding | None:
    """The problem of a key that sources have, though not those of this connector."""
    if path[:1] != ("sources",) or len(path) != 2 or key not in ("join", "window"):
        return None
    word = block.get("connector")
    if key == "join":
        message = f"`{word}` cannot be asked by keys, as a `join` does"
        help = "leave out `join` if it drives, else use another connector"
        return Finding((*path, "connector"), message, help, code="not-a-lookup")
    if "join" not in block:
        help = "remove it: `--since` and `--until` choose objects by time"
        return Finding((*path, key), f"a driver takes no `{key}`", help, code="not-for-a-driver", at="key")
    message = f"records of `{word}` have no time that a `window` could bound"
    return Finding((*path, key), message, "remove it", code="window-without-time", at="key")


def _unknown_step(path: KeyPath) -> Finding:
    word = str(path[-1])
    if word in STEPS:
        return Finding(path, f"`{word}` takes nothing", f"write `{word}` alone", code="wrong-step", at="key")
    help = help_for(word, STEPS, "step", None)
    return Finding(path, f"no decode step is called {excerpt(word)}", help, code="unknown-step", at="key")


def _misspelt_connector(path: KeyPath, keys: Keys) -> Iterator[Finding]:
    """The key that was likely meant as `connector`, if there is one."""
    words = {offer.word for offer in offers()}
    for key, value in keys.value.items():
        if key in keys.words:
            continue
        text = value if isinstance(value, str) else ""
        if edited_once(key, "connector") or text in words or synonym(key, ["connector"]):
            help = f"did you mean `connector: {nearest(text, words) or 'json'}`?"
            yield Finding((*path, key), f"unknown key {excerpt(key)}", help, code="unknown-key", at="key")
            del keys.missing["connector"]
            return
