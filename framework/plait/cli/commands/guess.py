"""`plait guess`: the columns that fit what sources hold, as the block to paste into a spec."""

from __future__ import annotations

import json
import posixpath
from itertools import islice
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import click

from plait.cli.failures import CannotStart
from plait.cli.loading import load_pipeline
from plait.cli.options import parameter_option
from plait.pipeline.pipeline import Pipeline
from plait.plugin import StoredObject, room_for_object
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON, CSV = ".json", ".csv"
MOST_OBJECTS = 500
ROW = "plait_object"  # names the object in the path of a look-up; no field is likely to have the name


@click.command("guess")
@click.argument("what", metavar="SPEC|URI")
@click.argument("name", required=False)
@parameter_option
def command(what: str, name: str | None, parameters: dict[str, str]) -> None:
    """Guess the `columns` of the sources of a spec, or of NAME alone, or of the objects of a URI.

    Up to 500 records of each are read. Behind each column stands in how many it was, and how often as null.
    """
    if what.endswith((".yaml", ".yml")):
        click.echo(load_pipeline(what, parameters, infers=True).guess(name))
    elif name is not None:
        raise click.UsageError("a NAME is one of the sources of a spec")
    else:
        uri = what.rstrip("/") if on_s3(what) else str(Path(what).resolve())
        uris = [*islice(_objects_of(uri), MOST_OBJECTS)]
        if not uris:
            message = f"nothing of `{what}` ends in `{JSON}` or `{CSV}`"
            raise CannotStart(
                message, code="nothing-to-guess", help="name an object that does, or its folder"
            )
        spec = _spec_over(uri, uris)
        block = Pipeline.load(what, {}, json.dumps(spec).encode()).guess("objects")
        delimiter = spec["sources"]["objects"].get("delimiter", ",")
        option = "" if delimiter == "," else f"delimiter: {json.dumps(delimiter)}\n"
        click.echo(option + dedent(block.partition("objects:\n")[2]))


def _spec_over(uri: str, uris: list[str]) -> dict[str, Any]:
    """A spec with the source `objects`, which holds the object of a URI, or those of its objects that lie together."""
    if uris[0].endswith(JSON):
        path = _literal(uri) if uris == [uri] else f"{_literal(uri)}/**/*{JSON}"
        sources: dict[str, Any] = {"objects": {"connector": "json", "path": path}}
    else:
        folder = posixpath.dirname(uris[0])
        rows = [{ROW: posixpath.basename(name)} for name in uris if posixpath.dirname(name) == folder]
        path = posixpath.join(_literal(folder), f"{{{ROW}}}")
        sources = {
            "names": {"connector": "memory", "rows": rows, "columns": {ROW: "string"}},
            "objects": {"connector": "csv", "path": path, "join": {"on": ROW, "as": "list"}},
        }
        sources["objects"]["delimiter"] = _delimiter_of(uris[0])
    sink = {"connector": "parquet", "path": "s3://nothing-is-written/"}
    return {"plait": 1, "name": "guess", "sources": sources, "sink": sink}


def _objects_of(uri: str) -> Iterator[str]:
    """The URIs of the object of a URI, or of the objects below it that have the suffix of the first of them."""
    from plait.engine.context import Services

    suffix: str | tuple[str, ...] = (JSON, CSV)
    for item in Services().objects.list(uri):
        if (item.uri == uri or item.uri.startswith(f"{uri}/")) and item.uri.endswith(suffix):
            suffix = JSON if item.uri.endswith(JSON) else CSV
            yield item.uri


def _delimiter_of(uri: str) -> str:
    """The character that the first line of a file of CSV has most often, of those that usually stand between fields."""
    from plait.engine.context import Services

    (answer,) = Services().objects.get([uri], room_for_object())
    header = answer.data.partition(b"\n")[0] if isinstance(answer, StoredObject) else b""
    return max(",;\t|", key=lambda character: header.count(character.encode()))


def _literal(path: str) -> str:
    return path.replace("{", "{{").replace("}", "}}")
