"""Build the frozen `Spec` of a document."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from plait.language.build.output import build_deploy, build_partitions, build_quarantine, build_sink
from plait.language.build.parameters import (
    check_parameter_values,
    declared_parameters,
    parameter_values,
    put_in,
)
from plait.language.build.sources import build_source, order_of_lookups
from plait.language.build.values import Reader, UnreadableTexts
from plait.language.keys import Document
from plait.language.spec import Spec
from plait.plugin import GiveUp
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping


def packaged_spec(document: Mapping[str, Any], file: str, environment: Mapping[str, str]) -> Spec:
    """The spec of a packaged document, with parameters from the environment; raises GiveUp with all that is wrong."""
    values = parameter_values(document, {}, environment)
    for name, block in declared_parameters(document).items():
        if name not in values:
            help = (
                "set its environment variable" if block.get("env") else "give it a default, and package again"
            )
            message = f"the spec `{file}` cannot be run: the parameter {excerpt(name)} has no value"
            raise GiveUp(message, code="missing-parameter", help=help)
    try:
        return build_spec(document, file, values)
    except UnreadableTexts as error:
        lines = "; ".join(_line(part) for part in error.errors[:5])
        raise GiveUp(f"the spec `{file}` cannot be run: {lines}", help="run `plait validate`") from error


def _line(error: SpecValueError) -> str:
    return f"{error.code}: {error} (`{'.'.join(map(str, error.path))}`)"


def build_spec(document: Mapping[str, Any], file: str, values: Mapping[str, str]) -> Spec:
    """The spec of a document whose shape was checked, as it is written in its file, and its parameters' `values`.

    What only the checks over a complete spec refuse is built as it stands: of several sources without a join the
    first drives, and where there is none the first source does. Raises UnreadableTexts.
    """
    reader = Reader()
    reader.errors += check_parameter_values(values)
    bound = put_in(document, values)
    top = reader.struct(Document, bound, ())
    read = [build_source(name, block, reader) for name, block in bound["sources"].items()]
    sink = build_sink(bound["sink"], reader)
    partitions = build_partitions(bound.get("partition_by") or {}, reader)
    quarantine = build_quarantine(bound.get("quarantine"), reader)
    deploy = build_deploy(bound.get("deploy"), reader)
    sources = [source for source in read if source]
    if not read:
        help = "give a source without `join`, whose objects become the rows"
        error = SpecValueError("there is no source", code="no-driver", help=help)
        error.path = ("sources",)
        reader.errors.append(error)
    if reader.errors or sink is None:
        raise UnreadableTexts(reader.errors)
    driver = next((source for source in sources if source.join is None), sources[0])
    lookups = tuple(source for source in sources if source is not driver)
    blocks = declared_parameters(document)
    return Spec(
        name=top.name,
        description=top.description,
        file=file,
        digest=digest(document),
        parameters=dict(values),
        unset=tuple(sorted(blocks.keys() - values.keys())),
        driver=driver,
        lookups=lookups,
        order=order_of_lookups(lookups),
        partition_by=partitions,
        sink=sink,
        quarantine=quarantine,
        variables={name: block["env"] for name, block in blocks.items() if block.get("env")},
        deploy=deploy,
    )


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document, free of layout and comments, as hexadecimal text."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
