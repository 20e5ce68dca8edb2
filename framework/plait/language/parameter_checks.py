"""Check the parameters of a spec: what refers to them, and their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.parameters import REFERENCE, check_parameter_values, texts
from plait.language.secrets_in_text import MOVE_VALUE_HELP, find_secret
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from plait.language.source_map import KeyPath

_FOREIGN_REFERENCE = re.compile(
    r"\$([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)|\{\{\s*([A-Za-z_]\w*)\s*\}\}|\A\{([A-Za-z_]\w*)\}"
)


def check_parameters(
    document: Mapping[str, Any], given: Mapping[str, str], values: Mapping[str, str], is_well_formed: bool
) -> Iterator[Finding]:
    """The problems of references to parameters, and of the `values` that take their place.

    `given` are the values of the command line. Names that nothing declares, and parameters that nothing uses, are told
    of a well-formed document alone.
    """
    declared = document.get("parameters")
    names = [*declared] if isinstance(declared, dict) else []
    for name in given:
        if name not in names:
            message = f"`--param` names {excerpt(name)}, and the spec has no such parameter"
            help = help_for(name, names, "parameter", None)
            yield Finding(("parameters",), message, help, code="undeclared-parameter", at="key")
    yield from _problems_of_values(values)
    others = {key: value for key, value in document.items() if key != "parameters"}
    used: set[str] = set()
    unknown: dict[str, list[KeyPath]] = {}
    for path in _keys_with_references(others, ()):
        used.update(name for name in REFERENCE.findall(str(path[-1])) if name)
        message = "a parameter stands in values, never in a key"
        yield Finding(path, message, "write the key out", code="parameter-in-key", at="key")
    for path, text in texts(others, ()):
        yield from _foreign_references(path, text, names, used)
        for match in REFERENCE.finditer(text):
            if match[0] != "$${" and match[1] is None:
                yield _never_closed(path, match)
                used.update(name for name in names if text[match.end() :].startswith(name))
            elif match[0] != "$${":
                used.add(match[1])
                unknown.setdefault(match[1], []).append(path)
    if is_well_formed or not _is_misspelt(document):
        undeclared = {name: paths for name, paths in unknown.items() if name not in names}
        yield from _unknown_names(undeclared, document, names, used)
    if is_well_formed:
        yield from (_unused(name) for name in names if name not in used)


def _problems_of_values(values: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in values.items():
        if secret := find_secret(value):
            path: KeyPath = ("parameters", name, "default")
            yield Finding(path, f"this text holds {secret}", MOVE_VALUE_HELP, code="literal-secret")
    for error in check_parameter_values(values):
        yield Finding(error.path, str(error), error.help or "", code=error.code, part=error.part)


def _keys_with_references(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in entries:
        if isinstance(step, str) and "${" in step:
            yield (*path, step)
        yield from _keys_with_references(child, (*path, step))


def _foreign_references(
    path: KeyPath, text: str, names: Collection[str], used: set[str]
) -> Iterator[Finding]:
    """References in the manner of another tool that name a parameter."""
    for match in _FOREIGN_REFERENCE.finditer(text):
        name = next(group for group in match.groups() if group)
        if name in names and not (match[4] and path[-1] not in ("path", "quarantine")):
            used.add(name)
            message = f"{excerpt(match[0])} is plain text here, not the parameter"
            yield Finding(path, message, f"write `${{{name}}}`", code="not-a-reference", part=match[0])


def _never_closed(path: KeyPath, match: re.Match[str]) -> Finding:
    likely_name = match.string[match.start() :][:30].split("/")[0]
    help = f"write `{likely_name}}}`, or `$${{` for the characters"
    return Finding(path, "`${` is never closed", help, code="unclosed-parameter", part="${")


def _is_misspelt(document: Mapping[str, Any]) -> bool:
    """Whether the block of the parameters cannot be relied on: the word is misspelt, or it is no mapping."""
    block = document.get("parameters", {})
    is_there = "parameters" in document or not any(edited_once(key, "parameters") for key in document)
    return not is_there or not isinstance(block, dict) or not all(isinstance(b, dict) for b in block.values())


def _unknown_names(
    unknown: Mapping[str, list[KeyPath]], document: Mapping[str, Any], names: list[str], used: set[str]
) -> Iterator[Finding]:
    """A problem for each name that is not declared; one for all where nothing is declared."""
    if not names and unknown:
        name, (path, *_) = next(iter(unknown.items()))
        others = ", ".join(excerpt(other) for other in [*unknown][1:6])
        variable = re.sub(r"\W", "_", name.strip()).upper()[:30] or "NAME"
        help = f"declare it: `parameters: {{{name[:30]}: {{env: {variable}}}}}`"
        yield _unknown(name, path, help, f"neither is {others}" if others else None)
        return
    blocks = document.get("parameters", {}).items()
    by_variable = {str(block.get("env")): name for name, block in blocks if isinstance(block, dict)}
    for name, paths in unknown.items():
        variables = (known for variable, known in by_variable.items() if variable in name)
        likely = nearest(name.strip(), names) or next(variables, None)
        used.update([likely] if likely else [])
        help = f"did you mean `${{{likely}}}`?" if likely else one_of(names)
        yield _unknown(name, paths[0], help, also_at=tuple(paths[1:]))


def _unknown(
    name: str, path: KeyPath, help: str, note: str | None = None, also_at: tuple[KeyPath, ...] = ()
) -> Finding:
    message, part = f"no parameter is called {excerpt(name)}", f"${{{name}}}"
    return Finding(path, message, help, code="unknown-parameter", part=part, note=note, also_at=also_at)


def _unused(name: str) -> Finding:
    help = f"remove it, or write `${{{name[:40]}}}` where it belongs"
    message = f"the parameter {excerpt(name)} is never used"
    return Finding(("parameters", name), message, help, code="unused-parameter", at="key", level="warning")
