"""A spec's text to all of its problems, or to the frozen spec."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plait.language.build.deployment import check_deploy, read_deploy, variables
from plait.language.build.output import read_partitions, read_quarantine, read_sink
from plait.language.build.sources import read_sources
from plait.language.characters import MAX_BYTES
from plait.language.checks.blocks import check_blocks
from plait.language.checks.waiting import check_waits
from plait.language.keys import DeployBlock, Document
from plait.language.parameters import (
    add_unknown_parameters,
    add_unused_parameters,
    put_in_parameters,
    read_parameters,
)
from plait.language.secrets_in_text import mask
from plait.language.source_map import map_without_text
from plait.language.spec import Spec
from plait.language.structure import ProblemCollector, read_struct
from plait.problems.problem import Problem, by_place, excerpt
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plait.language.source_map import SourceMap

VERSION = 1


@dataclass(frozen=True, slots=True)
class Validated:
    """What validation gives: a spec where no problem is an error, and the text for rendering.

    `unset` are the parameters without a value. A spec that cannot be read without them is None, and no error.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    text: str
    source_map: SourceMap | None = field(default=None, repr=False)
    unset: tuple[str, ...] = ()

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
    return validate(read_bytes(file), file, parameters, environment)


def read_bytes(file: str) -> bytes:
    """The bytes of a file, of one that is too large only so many that it shows."""
    with Path(file).open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def validate(
    text: bytes | str,
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Find every problem of a spec. Without parameters and environment the defaults stand in."""
    from plait.language.yaml_reader import locate

    source_map, problems = locate(text, file)
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if source_map is None:
        return Validated(None, tuple(sorted(problems, key=by_place)), mask(shown, (), everywhere=True))
    return _judge(source_map, problems, shown, parameters or {}, environment or {})


def _judge(
    source_map: SourceMap,
    problems: Iterable[Problem],
    shown: str,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
) -> Validated:
    collector = ProblemCollector(source_map)
    collector.problems += problems
    _undeclared(parameters, collector)
    spec = _spec(collector, parameters, environment)
    found = tuple(sorted(set(collector.problems), key=by_place))
    bad = any(problem.level == "error" for problem in found)
    shown = mask(shown, collector.secret_spans) if collector.secret_spans else shown
    return Validated(
        None if bad else spec, found, shown, source_map, tuple(sorted(collector.unset_parameters))
    )


def duplicate_names(checked: Mapping[str, Validated]) -> list[Problem]:
    """A problem for each spec, by file, that has the name of one before it in its folder."""
    first: dict[tuple[Path, str], str] = {}
    problems = []
    for file, one in checked.items():
        name = one.source_map.value.get("name") if one.source_map else None
        if one.source_map is None or not isinstance(name, str):
            continue
        other = first.setdefault((Path(file).resolve().parent, name), file)
        if other != file:
            problem = Problem(
                code="duplicate-name",
                message=f"{excerpt(name)} is the name of two specs of this folder",
                file=file,
                span=one.source_map.value_span(("name",)),
                help="rename one of them",
                note=f"first given in {other}",
            )
            problems.append(problem)
    return problems


def _undeclared(parameters: Mapping[str, str], collector: ProblemCollector) -> None:
    """A problem for each parameter that is given and that the spec does not declare."""
    declared = collector.source_map.value.get("parameters")
    names = [*declared] if isinstance(declared, dict) else []
    for name in parameters:
        if name not in names:
            help = help_for(name, names, "parameter", None)
            message = f"`--param` names {excerpt(name)}, and the spec has no such parameter"
            collector.add_at_key(("parameters",), "undeclared-parameter", message, help=help)


def digest(value: Any) -> str:
    """The SHA-256 of a spec's values, free of layout and comments."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _spec(
    collector: ProblemCollector, given: Mapping[str, str], environment: Mapping[str, str]
) -> Spec | None:
    raw = collector.source_map.value
    parameters = read_parameters(raw.get("parameters"), collector, given, environment)
    root = put_in_parameters(_version(raw, collector), parameters, collector)
    if parameters.sources:
        root.setdefault("sources", {})
    document: Document | None = read_struct(Document, root, (), collector)
    add_unknown_parameters(parameters, collector)
    sources = root.get("sources") if not parameters.sources else None
    drafts = read_sources(sources, collector)
    sink = read_sink(root["sink"], collector) if "sink" in root else None
    quarantine = read_quarantine(root.get("quarantine"), collector)
    partitions = read_partitions(root.get("partition_by"), collector)
    order = check_blocks(drafts, partitions, sink, quarantine, collector) if isinstance(sources, dict) else []
    deploy = (
        read_struct(DeployBlock, root["deploy"], ("deploy",), collector)
        if root.get("deploy") is not None
        else None
    )
    check_deploy(deploy, collector)
    check_waits(drafts, deploy, collector)
    if not any(problem.level == "error" for problem in collector.problems):
        add_unused_parameters(parameters, collector)
    read_all = [draft.source for draft in drafts]
    driver = next((source for source in read_all if source and source.join is None), None)
    if document is None or sink is None or driver is None or not all(read_all):
        return None
    return Spec(
        name=document.name,
        description=document.description,
        file=collector.source_map.file,
        digest=digest(raw),
        parameters=parameters.values,
        unset=tuple(sorted(parameters.unset)),
        driver=driver,
        lookups=tuple(source for source in read_all if source and source.join),
        order=tuple(order),
        partition_by=tuple(partitions),
        sink=sink,
        quarantine=quarantine,
        variables=variables(raw),
        deploy=read_deploy(deploy),
    )


def _version(raw: dict[str, Any], collector: ProblemCollector) -> dict[str, Any]:
    """The spec as the one version of the language that there is, after telling of another."""
    version = raw.get("plait")
    if version is None or (type(version) is int and version == VERSION):
        return raw
    message = f"{excerpt(str(version))} is no version of the language"
    collector.add_at(("plait",), "unknown-version", message, help=f"write `plait: {VERSION}`")
    return {**raw, "plait": VERSION}


def missing_parameters(found: Validated) -> list[Problem]:
    """A problem for each parameter without a value, which `validate` lets pass and a run cannot."""
    source_map = found.source_map
    return [
        Problem(
            code="missing-parameter",
            message=f"the parameter {excerpt(name)} has no value",
            file=source_map.file,
            span=source_map.key_span(("parameters", name)),
            help=f"give `--param {name}=…` or set its environment variable",
        )
        for name in found.unset
        if source_map and not found.errors
    ]


def validate_for_run(file: str, parameters: Mapping[str, str], text: bytes | None = None) -> Validated:
    """Validate a file, or the `text` it had, for running: every parameter needs a value, given or by environment."""
    return _bound(validate(read_bytes(file) if text is None else text, file, parameters, os.environ))


def validate_values_for_run(values: dict[str, Any], file: str) -> Validated:
    """Validate for running what a spec's file held when it was packaged."""
    return _bound(_judge(map_without_text(values, file), (), "", {}, os.environ))


def _bound(found: Validated) -> Validated:
    missing = missing_parameters(found)
    return replace(found, spec=None, problems=(*found.problems, *missing)) if missing else found
