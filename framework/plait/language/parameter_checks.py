"""Check the parameters of a spec: what refers to them, and their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.finding import Finding
from plait.language.parameters import REFERENCE, check_parameter_values, texts
from plait.language.secrets_in_text import MOVE_VALUE_HELP, find_secret
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

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

    `given` are the values of the command line. Names that nothing declares are told unless the block of the parameters
    is itself wrong, and parameters that nothing uses where nothing else is wrong.
    """
    declared = document.get("parameters")
    names = [*declared] if isinstance(declared, dict) else []
    others = {key: value for key, value in document.items() if key != "parameters"}
    mentioned: dict[str, list[KeyPath]] = {}
    findings = [*_problems_of_values(given, values, names), *_references_in_keys(others, ())]
    for path, text in texts(others, ()):
        findings += _foreign_references(path, text, names)
        for match in REFERENCE.finditer(text):
            if match[1] is not None:
                mentioned.setdefault(match[1], []).append(path)
            elif match[0] != "$${":
                findings.append(_never_closed(path, match))
    if is_well_formed or not _is_misspelt(document):
        findings += _unknown_names(
            {name: mentioned[name] for name in mentioned if name not in names}, declared
        )
    yield from findings
    if is_well_formed and not findings:
        yield from (_unused(name) for name in names if name not in mentioned)


def _problems_of_values(
    given: Mapping[str, str], values: Mapping[str, str], names: list[str]
) -> Iterator[Finding]:
    for name in given:
        if name not in names:
            message = f"`--param` names {excerpt(name)}, and the spec has no such parameter"
            help = help_for(name, names, "parameter", None)
            yield Finding(("parameters",), message, help, code="undeclared-parameter", at="key")
    for name, value in values.items():
        if secret := find_secret(value):
            path: KeyPath = ("parameters", name, "default")
            yield Finding(path, f"this text holds {secret}", MOVE_VALUE_HELP, code="literal-secret")
    for error in check_parameter_values(values):
        yield Finding(error.path, str(error), error.help or "", code=error.code, part=error.part)


def _references_in_keys(value: Any, path: KeyPath) -> Iterator[Finding]:
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in entries:
        if isinstance(step, str) and "${" in step:
            message = "a parameter stands in values, never in a key"
            yield Finding((*path, step), message, "write the key out", code="parameter-in-key", at="key")
        yield from _references_in_keys(child, (*path, step))


def _foreign_references(path: KeyPath, text: str, names: Collection[str]) -> Iterator[Finding]:
    """References in the manner of another tool that name a parameter."""
    for match in _FOREIGN_REFERENCE.finditer(text):
        name = next(group for group in match.groups() if group)
        if name in names and not (match[4] and path[-1] not in ("path", "quarantine")):
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


def _unknown_names(unknown: Mapping[str, list[KeyPath]], declared: Any) -> Iterator[Finding]:
    """A problem for each name that is not declared, with the one that was meant: by its name or its variable."""
    blocks = declared if isinstance(declared, dict) else {}
    for name, paths in unknown.items():
        variables = (known for known, block in blocks.items() if block.get("env") and block["env"] in name)
        likely = nearest(name.strip(), blocks) or next(variables, None)
        variable = re.sub(r"\W", "_", name.strip()).upper()[:30] or "NAME"
        help = (
            f"did you mean `${{{likely}}}`?"
            if likely
            else f"declare it: `parameters: {{{name[:30]}: {{env: {variable}}}}}`"
        )
        message, part = f"no parameter is called {excerpt(name)}", f"${{{name}}}"
        yield Finding(paths[0], message, help, code="unknown-parameter", part=part, also_at=tuple(paths[1:]))


def _unused(name: str) -> Finding:
    help = f"remove it, or write `${{{name[:40]}}}` where it belongs"
    message = f"the parameter {excerpt(name)} is never used"
    return Finding(("parameters", name), message, help, code="unused-parameter", at="key", level="warning")
