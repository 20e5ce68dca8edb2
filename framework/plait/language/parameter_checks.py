"""Check the parameters of a spec: what refers to them, and their values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.document import ALLOWING_VARIABLE, check_parameter_values, references, texts
from plait.language.finding import Finding
from plait.language.secrets import secret_in_text
from plait.language.shape.errors import rows_with
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from plait.language.source_map import KeyPath, SourceMap

_FOREIGN_REFERENCE = re.compile(
    r"\$([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)|\{\{\s*([A-Za-z_]\w*)\s*\}\}|\A\{([A-Za-z_]\w*)\}"
)

# Lambda's developer guide, "Defined runtime environment variables".
_VARIABLES_OF_LAMBDA = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_",
    "LAMBDA_",
    "_",
)


def check_parameters(
    source_map: SourceMap, given: Mapping[str, str], values: Mapping[str, str], is_well_formed: bool
) -> Iterator[Finding]:
    """The problems of references to parameters, and of the `values` that take their place.

    `given` are the values of the command line. Names that nothing declares are told unless the block of the parameters
    is itself wrong, and parameters that nothing uses where nothing else is wrong.
    """
    document: dict[str, Any] = source_map.value
    declared = document.get("parameters")
    blocks: dict[str, Any] = declared if isinstance(declared, dict) else {}
    findings = [*_problems_of_values(document, given, values, blocks)]
    for path in source_map.key_spans:
        if path[0] != "parameters" and "${" in str(path[-1]):
            message = "a parameter stands in values, never in a key"
            findings.append(Finding(path, message, "write the key out", code="parameter-in-key", at="key"))
    mentioned: dict[str, list[KeyPath]] = {}
    for path, text, name in references(document):
        if name is None:
            likely = text[text.index("${") :][:30].split("/")[0]
            help = f"write `{likely}}}`, or `$${{` for the characters"
            findings.append(Finding(path, "`${` is never closed", help, code="unclosed-parameter", part="${"))
        else:
            mentioned.setdefault(name, []).append(path)
    for path, text in texts({key: value for key, value in document.items() if key != "parameters"}, ()):
        findings += _foreign_references(path, text, blocks)
    if is_well_formed or not _is_misspelt(document):
        unknown = {name: paths for name, paths in mentioned.items() if name not in blocks}
        findings += _unknown_names(unknown, blocks)
    yield from findings
    for name in blocks if is_well_formed and not findings else ():
        if name not in mentioned:
            message, help = (
                f"the parameter {excerpt(name)} is never used",
                f"remove it, or write `${{{name[:40]}}}` where it belongs",
            )
            yield Finding(
                ("parameters", name), message, help, code="unused-parameter", at="key", level="warning"
            )


def _problems_of_values(
    document: Mapping[str, Any],
    given: Mapping[str, str],
    values: Mapping[str, str],
    blocks: Mapping[str, Any],
) -> Iterator[Finding]:
    for name, block in blocks.items():
        variable = str(block.get("env", "")) if isinstance(block, dict) else ""
        if variable in ("PLAIT_SPEC", ALLOWING_VARIABLE) or variable.startswith(_VARIABLES_OF_LAMBDA):
            message = f"{excerpt(variable)} is set by Lambda or for plait itself"
            yield Finding(("parameters", name, "env"), message, "name another variable", code="reserved-name")
    for name in given:
        if name not in blocks:
            message = f"`--param` names {excerpt(name)}, and the spec has no such parameter"
            help = help_for(name, blocks, "parameter", None)
            yield Finding(("parameters",), message, help, code="undeclared-parameter", at="key")
    for name, value in values.items():
        yield from secret_in_text(("parameters", name, "default"), value)
    for error in check_parameter_values(document, values):
        yield Finding(error.path, str(error), error.help, code=error.code, part=error.part)


def _foreign_references(path: KeyPath, text: str, names: Collection[str]) -> Iterator[Finding]:
    """References in the manner of another tool that name a parameter."""
    for match in _FOREIGN_REFERENCE.finditer(text):
        name = next(group for group in match.groups() if group)
        if name in names and not (match[4] and path[-1] not in ("path", "quarantine")):
            message = f"{excerpt(match[0])} is plain text here, not the parameter"
            yield Finding(path, message, f"write `${{{name}}}`", code="not-a-reference", part=match[0])


def _is_misspelt(document: Mapping[str, Any]) -> bool:
    """Whether the block of the parameters cannot be relied on: the word is misspelt, or it is no mapping of mappings."""
    if "parameters" not in document:
        return any(edited_once(k, "parameters") or "parameters" in rows_with(k, "synonyms") for k in document)
    block = document["parameters"]
    return not isinstance(block, dict) or not all(isinstance(part, dict) for part in block.values())


def _unknown_names(unknown: Mapping[str, list[KeyPath]], blocks: Mapping[str, Any]) -> Iterator[Finding]:
    """A problem for each name that is not declared, with the one that was meant: by its name or its variable."""
    for name, paths in unknown.items():
        variables = (known for known, block in blocks.items() if block.get("env") and block["env"] in name)
        likely = nearest(name.strip(), blocks) or next(variables, None)
        variable = re.sub(r"\W", "_", name.strip()).upper()[:30] or "NAME"
        declare = f"declare it: `parameters: {{{name[:30]}: {{env: {variable}}}}}`"
        help = f"did you mean `${{{likely}}}`?" if likely else declare
        message, part = f"no parameter is called {excerpt(name)}", f"${{{name}}}"
        yield Finding(paths[0], message, help, code="unknown-parameter", part=part, also_at=tuple(paths[1:]))
