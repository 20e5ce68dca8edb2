"""Parameters: their values, and the values of a spec with the parameters put in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.language.keys import ParameterBlock
from plait.language.secrets_in_text import HELP, find_secret, is_secret_variable, secret_name_error
from plait.language.structure import ProblemCollector, read_struct
from plait.language.wording import flow_style
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, nearest, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.source_map import KeyPath

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
LOOSE = re.compile(r"\$([A-Za-z_]\w*)|\$\(([A-Za-z_]\w*)\)|\{\{\s*([A-Za-z_]\w*)\s*\}\}|\A\{([A-Za-z_]\w*)\}")
NAMED = "put the secret into Secrets Manager, and take its name from a variable such as `SHOP_SECRET`"
STRUCTURE = re.compile(r"[{}*]")


@dataclass(slots=True)
class Parameters:
    """The values by name, the names that have none yet, and what became of references.

    `sources` are the names of sources that stand among the parameters, `whole` the values that are one reference.
    """

    values: dict[str, str] = field(default_factory=dict)
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    unknown: dict[str, list[KeyPath]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    whole: list[KeyPath] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Every declared name."""
        return [*self.values, *self.unset]


def read_parameters(
    blocks: Any, collector: ProblemCollector, given: Mapping[str, str], environment: Mapping[str, str]
) -> Parameters:
    """Read the `parameters` block; what is given wins over the environment, which wins over the default."""
    found = Parameters()
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        path: KeyPath = ("parameters", name)
        if isinstance(block, dict) and "connector" in block:
            _misplaced(name, path, found, collector)
            continue
        found.unset.add(name)
        if not NAME.match(name):
            message = f"{excerpt(name)} is no name of letters, digits, `_` and `-`"
            collector.add_at_key(path, "bad-name", message, help="rename it, and where it is used")
        help = f"write `{name[:40]}: {{default: {flow_style(block)[:40]}}}`" if _is_scalar(block) else None
        parameter: Any = read_struct(ParameterBlock, block, path, collector, help=help)
        if parameter is None:
            continue
        if parameter.env is not None:
            _variable(name, parameter.env, found, collector)
        value = given.get(name, environment.get(parameter.env or "", parameter.default))
        if value is not None and _check_value(name, value, collector):
            found.values[name] = value
            found.unset.discard(name)
    return found


def _misplaced(name: str, path: KeyPath, found: Parameters, collector: ProblemCollector) -> None:
    """Tell of the first source that stands among the parameters, as where the line `sources:` is missing."""
    if not found.sources:
        message = f"{excerpt(name)} is a source, and stands among the parameters"
        collector.add_at_key(path, "misplaced-block", message, help="write `sources:` above it")
    found.sources.append(name)


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def _variable(name: str, variable: str, found: Parameters, collector: ProblemCollector) -> None:
    found.variables[variable] = name
    if not VARIABLE.match(variable):
        likely = variable.strip("${}() ")
        help = (
            f"did you mean `{likely[:40]}`?"
            if VARIABLE.match(likely)
            else "write its bare name, such as `RAW`"
        )
        message = f"{excerpt(variable)} is no name of an environment variable"
        collector.add_at(("parameters", name, "env"), "bad-name", message, help=help)
    if is_secret_variable(variable):
        message = f"{excerpt(variable)} holds a secret, and the values of parameters are shown"
        path: KeyPath = ("parameters", name)
        collector.add_secret((*path, "default"), message, NAMED, key=(*path, "env"))


def _check_value(name: str, value: str, collector: ProblemCollector) -> bool:
    """Whether a value is plain text; tells why not."""
    path: KeyPath = ("parameters", name, "default")
    if held := find_secret(value):
        collector.add_secret(path, f"this text holds {held}", HELP)
    elif "${" in value:
        message = "a parameter cannot be made of another one"
        collector.add_at(
            path, "parameter-value", message, help="write the whole value, or put both where they are used"
        )
    elif found := STRUCTURE.search(value):
        message = f"the value of the parameter {excerpt(name)} has {excerpt(found[0])} in it"
        help = f"leave {excerpt(found[0])} to the places where the parameter is used"
        collector.add_at(path, "parameter-value", message, help=help, part=found[0])
    return not held and STRUCTURE.search(value) is None


def put_in_parameters(
    root: dict[str, Any], parameters: Parameters, collector: ProblemCollector
) -> dict[str, Any]:
    """The values of a spec with `${name}` replaced; in keys and in `parameters` nothing is."""
    put = _Put(parameters, collector)
    replaced = {key: value if key == "parameters" else put.into(value, (key,)) for key, value in root.items()}
    collector.unset_parameters = parameters.unset | set(parameters.unknown)
    return replaced


class _Put:
    """Puts parameters into values, however deep."""

    def __init__(self, parameters: Parameters, collector: ProblemCollector) -> None:
        self.parameters, self.collector = parameters, collector

    def into(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict):
            for key in value:
                if "${" in key:
                    self._in_key((*path, key))
            replaced: Any = {key: self.into(one, (*path, key)) for key, one in value.items()}
        elif isinstance(value, list):
            replaced = [self.into(one, (*path, number)) for number, one in enumerate(value)]
        else:
            replaced = self._text(value, path) if isinstance(value, str) else value
        if path[-1] == "secret" and (path[:1] == ("sink",) or (path[0] == "sources" and len(path) == 3)):
            self._secret(value, replaced, path)
        return replaced

    def _text(self, text: str, path: KeyPath) -> str:
        if held := find_secret(text):
            self.collector.add_secret(path, f"this text holds {held}", HELP)
        if "$" not in text and "{" not in text:
            return text
        text = LOOSE.sub(lambda found: self._loose(found, path), text)
        return REFERENCE.sub(lambda found: self._reference(found, path), text)

    def _reference(self, found: re.Match[str], path: KeyPath) -> str:
        name = found[1]
        if found[0] == "$${":
            return found[0]
        if name is None:
            help = (
                f"write `{found.string[found.start() :][:30].split('/')[0]}}}`, or `$${{` for the characters"
            )
            self.collector.add_at(path, "unclosed-parameter", "`${` is never closed", help=help, part="${")
            self.collector.mute_value(path)
            rest = found.string[found.end() :]
            self.parameters.used.update(one for one in self.parameters.names if rest.startswith(one))
            return found[0]
        self.parameters.used.add(name)
        if name in self.parameters.values:
            return self.parameters.values[name]
        if name not in self.parameters.unset:
            self.parameters.unknown.setdefault(name, []).append(path)
        if found[0] == found.string:
            self.parameters.whole.append(path)
        return found[0]

    def _loose(self, found: re.Match[str], path: KeyPath) -> str:
        """A reference in the manner of another tool, if it names a parameter."""
        name = next(group for group in found.groups() if group)
        if name not in self.parameters.names or (found[4] and path[-1] not in ("path", "quarantine")):
            return found[0]
        self.parameters.used.add(name)
        message = f"{excerpt(found[0])} is plain text here, not the parameter"
        self.collector.add_at(path, "not-a-reference", message, help=f"write `${{{name}}}`", part=found[0])
        return f"${{{name}}}"

    def _in_key(self, path: KeyPath) -> None:
        message = "a parameter stands in values, never in a key"
        self.collector.add_at_key(path, "parameter-in-key", message, help="write the key out")
        self.collector.mute_key(path)
        self.parameters.used.update(name for name in REFERENCE.findall(str(path[-1])) if name)

    def _secret(self, raw: Any, value: Any, path: KeyPath) -> None:
        error = secret_name_error(REFERENCE.sub("x", value) if isinstance(value, str) else value)
        if error is None:
            return
        only = re.fullmatch(r"\$\{([^{}]*)\}", raw) if isinstance(raw, str) else None
        default: KeyPath = ("parameters", only[1] if only else "", "default")
        self.collector.add_secret(
            default if default in self.collector.source_map.key_spans else path, str(error), str(error.help)
        )
        self.collector.mute_value(path)


def add_unknown_parameters(parameters: Parameters, collector: ProblemCollector) -> None:
    """One problem for each name that is not declared, unless the declarations cannot be read.

    A value that is nothing but such a name, or one without a value yet, has no further problem.
    """
    if not _unreadable(collector):
        _tell_unknown(parameters, collector)
    for path in parameters.whole:
        collector.mute_value(path)


def _unreadable(collector: ProblemCollector) -> bool:
    """Whether a problem of the block itself was told."""
    source_map, path = collector.source_map, ("parameters",)
    misspelt = path not in source_map.key_spans and any(
        edited_once(key, "parameters") for key in source_map.value
    )
    places = (
        {source_map.key_span(path), source_map.value_span(path)} if path in source_map.key_spans else set()
    )
    return misspelt or any(one.span in places and one.level == "error" for one in collector.problems)


def _tell_unknown(parameters: Parameters, collector: ProblemCollector) -> None:
    unknown = {
        name: paths
        for name, paths in parameters.unknown.items()
        if name not in collector.source_map.skipped_keys
    }
    if not parameters.names and unknown:
        name, (path, *_) = next(iter(unknown.items()))
        others = ", ".join(excerpt(other) for other in [*unknown][1:6])
        note = f"neither is {others}" if others else None
        help = f"declare it: `parameters: {{{name[:30]}: {{env: {_upper(name)}}}}}`"
        _unknown(name, path, help, note, collector)
        return
    for name, paths in unknown.items():
        meant = nearest(name.strip(), parameters.names)
        meant = meant or next((one for var, one in parameters.variables.items() if var in name), None)
        help = f"did you mean `${{{meant}}}`?" if meant else one_of(parameters.names)
        parameters.used.update([meant] if meant else [])
        lines = sorted({collector.source_map.value_span(path).line for path in paths[1:]})
        note = f"also at line {', '.join(map(str, lines[:8]))}" if lines else None
        _unknown(name, paths[0], help, note, collector)


def _unknown(name: str, path: KeyPath, help: str, note: str | None, collector: ProblemCollector) -> None:
    message = f"no parameter is called {excerpt(name)}"
    collector.add_at(path, "unknown-parameter", message, help=help, note=note, part=f"${{{name}}}")


def _upper(name: str) -> str:
    return re.sub(r"\W", "_", name.strip()).upper()[:30] or "NAME"


def add_unused_parameters(parameters: Parameters, collector: ProblemCollector) -> None:
    """A warning for each parameter that nothing uses."""
    for name in parameters.names:
        if name not in parameters.used:
            message = f"the parameter {excerpt(name)} is never used"
            help = f"remove it, or write `${{{name[:40]}}}` where it belongs"
            collector.add_at_key(
                ("parameters", name), "unused-parameter", message, help=help, level="warning"
            )
