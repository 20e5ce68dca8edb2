"""Read the parameters of a spec, and put their values in the places that refer to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.language.drafts.collector import ProblemCollector, read_struct
from plait.language.keys import ParameterBlock
from plait.language.secrets_in_text import MOVE_VALUE_HELP, find_secret, is_secret_variable, secret_name_error
from plait.language.wording import flow_style
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath

_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_LONE_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_FOREIGN_REFERENCE = re.compile(
    r"\$([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)|\{\{\s*([A-Za-z_]\w*)\s*\}\}|\A\{([A-Za-z_]\w*)\}"
)
_PATH_PATTERN = re.compile(r"[{}*]")
_VARIABLE_HELP = (
    "put the secret into Secrets Manager, and take its name from a variable such as `SHOP_SECRET`"
)


@dataclass(slots=True)
class Parameters:
    """The values of parameters by name, and how a spec refers to them.

    `unset` are the declared names without a value, `used` the names that a spec refers to, `unknown` the paths that
    refer to a name that is not declared, `names_by_variable` the parameter of each environment variable.
    `misplaced_sources` are the names of sources that stand among the parameters, `lone_references` the paths of
    values that are nothing but a reference to a parameter without a value.
    """

    values: dict[str, str] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    unknown: dict[str, list[KeyPath]] = field(default_factory=dict)
    names_by_variable: dict[str, str] = field(default_factory=dict)
    misplaced_sources: list[str] = field(default_factory=list)
    lone_references: list[KeyPath] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Every declared name."""
        return [*self.values, *self.unset]


def read_parameters(
    blocks: Any, collector: ProblemCollector, values: Mapping[str, str], environment: Mapping[str, str]
) -> Parameters:
    """Read the `parameters` block; a value in `values` goes before the environment, and that before the default."""
    parameters = Parameters()
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        path: KeyPath = ("parameters", name)
        if isinstance(block, dict) and "connector" in block:
            _add_misplaced_source(name, path, parameters, collector)
            continue
        parameters.unset.add(name)
        if not _PARAMETER_NAME.match(name):
            message = f"{excerpt(name)} is no name of letters, digits, `_` and `-`"
            collector.add_at_key(path, "bad-name", message, help="rename it, and where it is used")
        is_scalar = block is not None and not isinstance(block, (dict, list))
        help = f"write `{name[:40]}: {{default: {flow_style(block)[:40]}}}`" if is_scalar else None
        declared: Any = read_struct(ParameterBlock, block, path, collector, help=help)
        if declared is None:
            continue
        if declared.env is not None:
            _read_variable(name, declared.env, parameters, collector)
        value = values.get(name, environment.get(declared.env or "", declared.default))
        if value is not None and _is_plain_value(name, value, collector):
            parameters.values[name] = value
            parameters.unset.discard(name)
    return parameters


def _add_misplaced_source(
    name: str, path: KeyPath, parameters: Parameters, collector: ProblemCollector
) -> None:
    """Add a problem for the first source among the parameters: the line `sources:` is missing above it."""
    if not parameters.misplaced_sources:
        message = f"{excerpt(name)} is a source, and stands among the parameters"
        collector.add_at_key(path, "misplaced-block", message, help="write `sources:` above it")
    parameters.misplaced_sources.append(name)


def _read_variable(name: str, variable: str, parameters: Parameters, collector: ProblemCollector) -> None:
    parameters.names_by_variable[variable] = name
    if not _VARIABLE_NAME.match(variable):
        likely = variable.strip("${}() ")
        is_name = _VARIABLE_NAME.match(likely)
        help = f"did you mean `{likely[:40]}`?" if is_name else "write its bare name, such as `RAW`"
        message = f"{excerpt(variable)} is no name of an environment variable"
        collector.add_at(("parameters", name, "env"), "bad-name", message, help=help)
    if is_secret_variable(variable):
        message = f"{excerpt(variable)} holds a secret, and the values of parameters are shown"
        path: KeyPath = ("parameters", name)
        collector.add_secret((*path, "default"), message, _VARIABLE_HELP, key=(*path, "env"))


def _is_plain_value(name: str, value: str, collector: ProblemCollector) -> bool:
    """Whether a value is text without secrets, references and patterns; adds a problem if not."""
    path: KeyPath = ("parameters", name, "default")
    if secret := find_secret(value):
        collector.add_secret(path, f"this text holds {secret}", MOVE_VALUE_HELP)
    elif "${" in value:
        message = "a parameter cannot be made of another one"
        help = "write the whole value, or put both where they are used"
        collector.add_at(path, "parameter-value", message, help=help)
    elif match := _PATH_PATTERN.search(value):
        message = f"the value of the parameter {excerpt(name)} has {excerpt(match[0])} in it"
        help = f"leave {excerpt(match[0])} to the places where the parameter is used"
        collector.add_at(path, "parameter-value", message, help=help, part=match[0])
    return not secret and _PATH_PATTERN.search(value) is None


def put_in_parameters(
    root: dict[str, Any], parameters: Parameters, collector: ProblemCollector
) -> dict[str, Any]:
    """The values of a spec with `${name}` replaced, except in keys and in the `parameters` block."""
    substitution = _Substitution(parameters, collector)
    replaced = {
        key: value if key == "parameters" else substitution.replace(value, (key,))
        for key, value in root.items()
    }
    collector.unset_parameters = parameters.unset | set(parameters.unknown)
    return replaced


class _Substitution:
    """Replaces the references in values, however deep, and adds the problems of those that cannot be replaced."""

    def __init__(self, parameters: Parameters, collector: ProblemCollector) -> None:
        self.parameters, self.collector = parameters, collector

    def replace(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            for key in value:
                if "${" in key:
                    self._add_reference_in_key((*path, key))
            replaced: Any = {key: self.replace(child, (*path, key)) for key, child in value.items()}
        elif isinstance(value, list):
            replaced = [self.replace(child, (*path, position)) for position, child in enumerate(value)]
        else:
            replaced = self._replace_in_text(value, path) if isinstance(value, str) else value
        if path[-1] == "secret" and (path[:1] == ("sink",) or (path[0] == "sources" and len(path) == 3)):
            self._check_secret_name(value, replaced, path)
        return replaced

    def _replace_in_text(self, text: str, path: KeyPath) -> str:
        if secret := find_secret(text):
            self.collector.add_secret(path, f"this text holds {secret}", MOVE_VALUE_HELP)
        if "$" not in text and "{" not in text:
            return text
        text = _FOREIGN_REFERENCE.sub(lambda match: self._replace_foreign_reference(match, path), text)
        return _REFERENCE.sub(lambda match: self._replace_reference(match, path), text)

    def _replace_reference(self, match: re.Match[str], path: KeyPath) -> str:
        name = match[1]
        if match[0] == "$${":
            return match[0]
        if name is None:
            self._add_unclosed_reference(match, path)
            return match[0]
        self.parameters.used.add(name)
        if name in self.parameters.values:
            return self.parameters.values[name]
        if name not in self.parameters.unset:
            self.parameters.unknown.setdefault(name, []).append(path)
        if match[0] == match.string:
            self.parameters.lone_references.append(path)
        return match[0]

    def _add_unclosed_reference(self, match: re.Match[str], path: KeyPath) -> None:
        likely_name = match.string[match.start() :][:30].split("/")[0]
        help = f"write `{likely_name}}}`, or `$${{` for the characters"
        self.collector.add_at(path, "unclosed-parameter", "`${` is never closed", help=help, part="${")
        self.collector.mute_value(path)
        rest = match.string[match.end() :]
        self.parameters.used.update(name for name in self.parameters.names if rest.startswith(name))

    def _replace_foreign_reference(self, match: re.Match[str], path: KeyPath) -> str:
        """Write a reference in the manner of another tool as our own, if it names a parameter, and report it."""
        name = next(group for group in match.groups() if group)
        if name not in self.parameters.names or (match[4] and path[-1] not in ("path", "quarantine")):
            return match[0]
        self.parameters.used.add(name)
        message = f"{excerpt(match[0])} is plain text here, not the parameter"
        self.collector.add_at(path, "not-a-reference", message, help=f"write `${{{name}}}`", part=match[0])
        return f"${{{name}}}"

    def _add_reference_in_key(self, path: KeyPath) -> None:
        message = "a parameter stands in values, never in a key"
        self.collector.add_at_key(path, "parameter-in-key", message, help="write the key out")
        self.collector.mute_key(path)
        self.parameters.used.update(name for name in _REFERENCE.findall(str(path[-1])) if name)

    def _check_secret_name(self, raw: Any, value: Any, path: KeyPath) -> None:
        """Add a problem if the value of `secret` is no name; at the default of its parameter, if it is from there."""
        error = secret_name_error(_REFERENCE.sub("x", value) if isinstance(value, str) else value)
        if error is None:
            return
        reference = _LONE_REFERENCE.fullmatch(raw) if isinstance(raw, str) else None
        default: KeyPath = ("parameters", reference[1] if reference else "", "default")
        place = default if default in self.collector.source_map.key_spans else path
        self.collector.add_secret(place, str(error), str(error.help))
        self.collector.mute_value(path)


def add_unknown_parameters(parameters: Parameters, collector: ProblemCollector) -> None:
    """Add a problem for each name that is not declared, unless the declarations could not be read.

    A value that is nothing but a reference without a value gets no further problem.
    """
    if not _has_unreadable_block(collector):
        _add_undeclared_names(parameters, collector)
    for path in parameters.lone_references:
        collector.mute_value(path)


def _has_unreadable_block(collector: ProblemCollector) -> bool:
    """Whether the word `parameters` is misspelt, or the block as a whole has an error."""
    source_map, path = collector.source_map, ("parameters",)
    if path not in source_map.key_spans:
        return any(edited_once(key, "parameters") for key in source_map.value)
    block_spans = source_map.key_span(path), source_map.value_span(path)
    return any(problem.span in block_spans and problem.level == "error" for problem in collector.problems)


def _add_undeclared_names(parameters: Parameters, collector: ProblemCollector) -> None:
    skipped_keys = collector.source_map.skipped_keys
    unknown = {name: paths for name, paths in parameters.unknown.items() if name not in skipped_keys}
    if not parameters.names and unknown:
        name, (path, *_) = next(iter(unknown.items()))
        others = ", ".join(excerpt(other) for other in [*unknown][1:6])
        note = f"neither is {others}" if others else None
        variable = re.sub(r"\W", "_", name.strip()).upper()[:30] or "NAME"
        help = f"declare it: `parameters: {{{name[:30]}: {{env: {variable}}}}}`"
        _add_undeclared_name(name, path, help, note, collector)
        return
    for name, paths in unknown.items():
        likely = nearest(name.strip(), parameters.names) or _name_by_variable(name, parameters)
        help = f"did you mean `${{{likely}}}`?" if likely else one_of(parameters.names)
        parameters.used.update([likely] if likely else [])
        lines = sorted({collector.source_map.value_span(path).line for path in paths[1:]})
        note = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
        _add_undeclared_name(name, paths[0], help, note, collector)


def _name_by_variable(text: str, parameters: Parameters) -> str | None:
    """The parameter whose environment variable stands in a text, if there is one."""
    names = (name for variable, name in parameters.names_by_variable.items() if variable in text)
    return next(names, None)


def _add_undeclared_name(
    name: str, path: KeyPath, help: str | None, note: str | None, collector: ProblemCollector
) -> None:
    message = f"no parameter is called {excerpt(name)}"
    collector.add_at(path, "unknown-parameter", message, help=help, note=note, part=f"${{{name}}}")


def add_unused_parameters(parameters: Parameters, collector: ProblemCollector) -> None:
    """Add a warning for each parameter that nothing refers to."""
    for name in parameters.names:
        if name not in parameters.used:
            message = f"the parameter {excerpt(name)} is never used"
            help = f"remove it, or write `${{{name[:40]}}}` where it belongs"
            collector.add_at_key(
                ("parameters", name), "unused-parameter", message, help=help, level="warning"
            )
