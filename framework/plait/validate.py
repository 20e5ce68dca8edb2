"""A spec's text to all of its problems, or to the frozen spec."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from plait.blocks import read_partitions, read_quarantine, read_sink, read_source
from plait.checks import check
from plait.deployment import check_deploy, read_deploy, variables
from plait.language import DeployBlock, Document, ParameterBlock
from plait.located import locate
from plait.problems import Problem, excerpt, place
from plait.shape import Report, read
from plait.spec import Spec
from plait.suggest import help_for
from plait.waiting import check_waits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.located import Located

REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}")
STRUCTURE = re.compile(r"[{}*]")


@dataclass(frozen=True, slots=True)
class Validated:
    """What validation gives: a spec where no problem is an error, and the text for rendering."""

    spec: Spec | None
    problems: tuple[Problem, ...]
    text: str

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the spec unusable."""
        return tuple(p for p in self.problems if p.level == "error")


def validate_file(
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Validate a file; raises OSError where it cannot be read."""
    return validate(File(file).read_bytes(), file, parameters, environment)


def validate(
    text: bytes | str,
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Find every problem of a spec. Without parameters and environment the defaults stand in."""
    located, problems = locate(text, file)
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if located is None:
        return Validated(None, tuple(sorted(problems, key=place)), shown)
    report = Report(located)
    report.problems += problems
    report.problems += _unknown(located, parameters or {})
    spec = _spec(located, report, parameters or {}, environment or {})
    found = tuple(sorted(set(report.problems), key=place))
    bad = any(problem.level == "error" for problem in found)
    return Validated(None if bad else spec, found, shown)


def _unknown(located: Located, parameters: Mapping[str, str]) -> list[Problem]:
    """A problem for each parameter that is given and that the spec does not declare."""
    declared = located.value.get("parameters")
    names = [str(name) for name in declared] if isinstance(declared, dict) else []
    return [
        Problem(
            code="unknown-parameter",
            message=f"no parameter is called {excerpt(name)}",
            file=located.file,
            help=help_for(name, names, "parameter", None),
        )
        for name in parameters
        if name not in names
    ]


def digest(value: Any) -> str:
    """The SHA-256 of a spec's values, free of layout and comments."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _spec(
    located: Located, report: Report, given: Mapping[str, str], environment: Mapping[str, str]
) -> Spec | None:
    raw = located.value
    values, unset = _parameters(raw.get("parameters"), report, given, environment)
    root = _substitute(raw, values, unset, (), report)
    document: Document | None = read(Document, root, (), report)
    sources = _sources(root.get("sources"), report)
    sink = read_sink(root["sink"], report) if "sink" in root else None
    quarantine = read_quarantine(root.get("quarantine"), report)
    partitions = read_partitions(root.get("partition_by"), report)
    deploy = (
        read(DeployBlock, root["deploy"], ("deploy",), report) if root.get("deploy") is not None else None
    )
    check_deploy(report, deploy)
    check_waits(report, sources, deploy)
    order = check(report, sources, partitions, sink, quarantine)
    if document is None or sink is None or order is None or any(s is None for s in sources.values()):
        return None
    drivers = [s for s in sources.values() if s and s.join is None]
    return Spec(
        name=document.name,
        description=document.description,
        file=located.file,
        digest=digest(raw),
        parameters=values,
        unset=tuple(sorted(unset)),
        driver=drivers[0],
        lookups=tuple(s for s in sources.values() if s and s.join),
        order=tuple(order),
        partition_by=tuple(partitions),
        sink=sink,
        quarantine=quarantine,
        variables=variables(raw),
        deploy=read_deploy(deploy),
    )


def _sources(blocks: Any, report: Report) -> dict[str, Any]:
    if not isinstance(blocks, dict):
        return {}
    return {str(name): read_source(str(name), block, report) for name, block in blocks.items()}


def _parameters(
    blocks: Any, report: Report, given: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[dict[str, str], set[str]]:
    values: dict[str, str] = {}
    unset: set[str] = set()
    for name, block in blocks.items() if isinstance(blocks, dict) else ():
        path = ("parameters", name)
        parameter: ParameterBlock | None = read(ParameterBlock, block, path, report)
        unset.add(name)
        if parameter is None:
            continue
        value = given.get(name, environment.get(parameter.env or "", parameter.default))
        if value is None:
            continue
        if STRUCTURE.search(value):
            message = f"the value of parameter `{name}` has one of `{{`, `}}`, `*` in it"
            report.at_key(path, "parameter-value", message, help="a parameter's value is plain text")
        values[name] = value
        unset.discard(name)
    return values, unset


def _substitute(value: Any, values: Mapping[str, str], unset: set[str], path: Any, report: Report) -> Any:
    if isinstance(value, dict):
        return {
            key: one
            if (*path, key) == ("parameters",)
            else _substitute(one, values, unset, (*path, key), report)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_substitute(one, values, unset, (*path, i), report) for i, one in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def put(found: re.Match[str]) -> str:
        name = found[1]
        if name is None or name in unset:
            return found[0]
        if name not in values:
            help = help_for(name, [*values, *unset], "parameter", None)
            report.at(path, "unknown-parameter", f"no parameter is called {excerpt(name)}", help=help)
            return found[0]
        return values[name]

    return REFERENCE.sub(put, value)


def missing_parameters(spec: Spec) -> list[Problem]:
    """A problem for each parameter without a value, which `validate` lets pass and a run cannot."""
    return [
        Problem(
            code="missing-parameter",
            message=f"parameter `{name}` has no value",
            file=spec.file,
            help=f"give `--param {name}=…` or set its environment variable",
        )
        for name in spec.unset
    ]


def bound(file: str, parameters: Mapping[str, str], text: bytes | None = None) -> Validated:
    """Validate a file, or the `text` it had, for running: every parameter needs a value, given or by environment."""
    text = File(file).read_bytes() if text is None else text
    found = validate(text, file, parameters, os.environ)
    extra = missing_parameters(found.spec) if found.spec else []
    return Validated(None if extra else found.spec, (*found.problems, *extra), found.text)
