"""Check a document before its spec is built: its shape, its secrets and its parameters."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.language.build import usable_connector
from plait.language.parameter_checks import check_parameters
from plait.language.parameters import parameter_values, put_in, references
from plait.language.schema import language_schema
from plait.language.secret_checks import check_secrets
from plait.language.structure import shape_problems, to_problems
from plait.plugin.registry import ConnectorUnavailable
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plait.language.finding import Finding
    from plait.language.source_map import SourceMap
    from plait.plugin import Connector
    from plait.problems.problem import Problem


def schema_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a spec with the connectors that a document names, as far as they can be used."""
    sources = document.get("sources")
    blocks = [*(sources.values() if isinstance(sources, dict) else ()), document.get("sink")]
    words = [block.get("connector") for block in blocks if isinstance(block, dict)]
    return _schema(tuple(_usable_connectors({word for word in words if isinstance(word, str)})))


@cache
def _schema(connectors: tuple[Connector, ...]) -> dict[str, Any]:
    return language_schema(connectors)


def _usable_connectors(words: Iterable[str]) -> Iterator[Connector]:
    for word in sorted(words):
        try:
            yield usable_connector(word)
        except ConnectorUnavailable:
            continue


def check_document(
    source_map: SourceMap, given: Mapping[str, str], environment: Mapping[str, str]
) -> tuple[list[Problem], dict[str, str]]:
    """The problems of a document, and the values of its parameters, which count where no problem is an error."""
    document = source_map.value
    values = _values(document, given, environment)
    found = [*shape_problems(document, schema_of(document))]
    is_well_formed = not found
    secrets = [*check_secrets(document, values)]
    of_parameters = [*check_parameters(document, given, values, is_well_formed)]
    if is_well_formed and not any(problem.level != "warning" for problem in of_parameters):
        found = [*check_bound(document, values)]
    places = {problem.path for problem in of_parameters if problem.at == "value"}
    found = [problem for problem in found if problem.path not in places]
    return to_problems([*secrets, *of_parameters, *found], source_map), values


def _values(document: Any, given: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The values of the parameters whose blocks can be read."""
    blocks = document.get("parameters")
    items = blocks.items() if isinstance(blocks, dict) else ()
    readable = {
        name: block
        for name, block in items
        if isinstance(block, dict) and all(isinstance(block.get(key, ""), str) for key in ("env", "default"))
    }
    return parameter_values({"parameters": readable}, given, environment)


def check_bound(document: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong with a document of the right shape once the values of its parameters are put in."""
    bound = put_in(document, values)
    if bound == document:
        return
    names = {path: name for path, _, name in references(document) if name in values}
    for problem in shape_problems(bound, schema_of(bound)):
        name = names.get(problem.path)
        note = problem.note or (f"the value is made of the parameter {excerpt(name)}" if name else None)
        yield replace(problem, note=note)
