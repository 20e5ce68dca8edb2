"""`plait schema`: the JSON Schema of the language with the installed connectors, for editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from plait.language.build import usable_connector
from plait.language.schema import language_schema
from plait.plugin.registry import ConnectorUnavailable, offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.plugin import Connector


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of the language with the installed connectors, for editors."""
    click.echo(schema_text())


def schema_text() -> str:
    """The schema as `pipelines/pipeline.schema.json` has it; a connector that cannot be used is left out, with a line on stderr."""
    return json.dumps(language_schema(_usable_connectors()), indent=1, ensure_ascii=False)


def _usable_connectors() -> Iterator[Connector]:
    for word in sorted({offer.word for offer in offers()}):
        try:
            yield usable_connector(word)
        except ConnectorUnavailable as error:
            click.echo(f"left out: {error.message}" + (f" ({error.note})" if error.note else ""), err=True)
