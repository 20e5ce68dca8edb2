"""Validate a spec: from its text to all of its problems, or to the frozen `Spec`."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plait.language.draft_checks.blocks import check_blocks
from plait.language.draft_checks.waiting import check_waits
from plait.language.drafts.collector import ProblemCollector, read_struct
from plait.language.drafts.deployment import check_deploy, read_deploy, variables
from plait.language.drafts.output import read_partitions, read_quarantine, read_sink
from plait.language.drafts.sources import read_sources
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
from plait.language.text import MAX_BYTES
from plait.problems.problem import Problem, by_place, excerpt
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plait.language.source_map import SourceMap

LANGUAGE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Validated:
    """The outcome of validation: the problems, and the spec if none of them is an error.

    `text` is the spec's text with its secrets masked, for rendering. `unset` are the parameters without a value; a
    spec that cannot be read without them is None, though no problem is an error.
    """

    spec: Spec | None
    problems: tuple[Problem, ...]
    text: str
    source_map: SourceMap | None = field(default=None, repr=False)
    unset: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the spec unusable."""
        return tuple(problem for problem in self.problems if problem.level == "error")


def validate_file(
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Validate a file; raises OSError if it cannot be read."""
    return validate(read_bytes(file), file, parameters, environment)


def read_bytes(file: str) -> bytes:
    """Read a file, at most one byte more than the largest spec may have; raises OSError."""
    with Path(file).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def validate(
    text: bytes | str,
    file: str,
    parameters: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Validated:
    """Find every problem of a spec; where neither `parameters` nor `environment` has a value, the default counts."""
    from plait.language.yaml_reader import locate

    source_map, problems = locate(text, file)
    shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if source_map is None:
        return Validated(None, tuple(sorted(problems, key=by_place)), mask(shown, (), everywhere=True))
    return _validate_values(source_map, problems, shown, parameters or {}, environment or {})


def _validate_values(
    source_map: SourceMap,
    problems: Iterable[Problem],
    shown: str,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
) -> Validated:
    collector = ProblemCollector(source_map)
    collector.problems += problems
    _check_given_names(parameters, collector)
    spec = _read_spec(collector, parameters, environment)
    shown = mask(shown, collector.secret_spans) if collector.secret_spans else shown
    unset = tuple(sorted(collector.unset_parameters))
    validated = Validated(
        spec, tuple(sorted(set(collector.problems), key=by_place)), shown, source_map, unset
    )
    return replace(validated, spec=None) if validated.errors else validated


def duplicate_names(checked: Mapping[str, Validated]) -> list[Problem]:
    """A problem for each spec, by file, that has the same name as one before it in its folder."""
    first_files: dict[tuple[Path, str], str] = {}
    problems = []
    for file, validated in checked.items():
        source_map = validated.source_map
        name = source_map.value.get("name") if source_map else None
        if source_map is None or not isinstance(name, str):
            continue
        first_file = first_files.setdefault((Path(file).resolve().parent, name), file)
        if first_file != file:
            problem = Problem(
                code="duplicate-name",
                message=f"{excerpt(name)} is the name of two specs of this folder",
                file=file,
                span=source_map.value_span(("name",)),
                help="rename one of them",
                note=f"first given in {first_file}",
            )
            problems.append(problem)
    return problems


def _check_given_names(parameters: Mapping[str, str], collector: ProblemCollector) -> None:
    """Add a problem for each parameter of the command line that the spec does not declare."""
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


def _read_spec(
    collector: ProblemCollector, given: Mapping[str, str], environment: Mapping[str, str]
) -> Spec | None:
    """Read and check every block; None if one that a spec needs could not be read."""
    raw = collector.source_map.value
    parameters = read_parameters(raw.get("parameters"), collector, given, environment)
    root = put_in_parameters(_with_known_version(raw, collector), parameters, collector)
    if parameters.misplaced_sources:
        root.setdefault("sources", {})
    document: Document | None = read_struct(Document, root, (), collector)
    add_unknown_parameters(parameters, collector)
    blocks = root.get("sources") if not parameters.misplaced_sources else None
    drafts = read_sources(blocks, collector)
    sink = read_sink(root["sink"], collector) if "sink" in root else None
    quarantine = read_quarantine(root.get("quarantine"), collector)
    partitions = read_partitions(root.get("partition_by"), collector)
    order = check_blocks(drafts, partitions, sink, quarantine, collector) if isinstance(blocks, dict) else []
    deploy = None
    if root.get("deploy") is not None:
        deploy = read_struct(DeployBlock, root["deploy"], ("deploy",), collector)
    check_deploy(deploy, collector)
    check_waits(drafts, deploy, collector)
    if not any(problem.level == "error" for problem in collector.problems):
        add_unused_parameters(parameters, collector)
    sources = [draft.source for draft in drafts]
    driver = next((source for source in sources if source and source.join is None), None)
    if document is None or sink is None or driver is None or not all(sources):
        return None
    return Spec(
        name=document.name,
        description=document.description,
        file=collector.source_map.file,
        digest=digest(raw),
        parameters=parameters.values,
        unset=tuple(sorted(parameters.unset)),
        driver=driver,
        lookups=tuple(source for source in sources if source and source.join),
        order=tuple(order),
        partition_by=tuple(partitions),
        sink=sink,
        quarantine=quarantine,
        variables=variables(raw),
        deploy=read_deploy(deploy),
    )


def _with_known_version(raw: dict[str, Any], collector: ProblemCollector) -> dict[str, Any]:
    """The values with the one version of the language that there is; adds a problem if they have another."""
    version = raw.get("plait")
    if version is None or (type(version) is int and version == LANGUAGE_VERSION):
        return raw
    message = f"{excerpt(str(version))} is no version of the language"
    collector.add_at(("plait",), "unknown-version", message, help=f"write `plait: {LANGUAGE_VERSION}`")
    return {**raw, "plait": LANGUAGE_VERSION}


def missing_parameters(validated: Validated) -> list[Problem]:
    """A problem for each parameter without a value: `validate` accepts them, a run does not."""
    source_map = validated.source_map
    return [
        Problem(
            code="missing-parameter",
            message=f"the parameter {excerpt(name)} has no value",
            file=source_map.file,
            span=source_map.key_span(("parameters", name)),
            help=f"give `--param {name}=…` or set its environment variable",
        )
        for name in validated.unset
        if source_map and not validated.errors
    ]


def validate_for_run(file: str, parameters: Mapping[str, str], text: bytes | None = None) -> Validated:
    """Validate a file for a run, for which each parameter needs a value; with `text`, what the file held earlier.

    Values of parameters are taken from `parameters`, from the process's environment, or the defaults.
    """
    return _require_parameters(
        validate(read_bytes(file) if text is None else text, file, parameters, os.environ)
    )


def validate_values_for_run(values: dict[str, Any], file: str) -> Validated:
    """Validate for a run the values that a spec's file held when it was packaged."""
    source_map = map_without_text(values, file)
    return _require_parameters(_validate_values(source_map, (), "", {}, os.environ))


def _require_parameters(validated: Validated) -> Validated:
    missing = missing_parameters(validated)
    if not missing:
        return validated
    return replace(validated, spec=None, problems=(*validated.problems, *missing))
